"""Figures are saved as files that open, and show the right numbers."""

from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from competition.metrics.calibration import reliability
from submissions.reports import figures

BINS = ("below f/2.8", "f/2.8 to f/4.9", "from f/4.9")


@pytest.fixture
def save_and_read(tmp_path):
    """Saves a figure, checks that both files open and no other file is left, and returns the texts in the figure."""

    def check(figure):
        png, svg = figures.save_figure(figure, tmp_path / "new" / "drawn")
        assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["drawn.png", "drawn.svg"]
        with Image.open(png) as image:
            image.load()
            assert min(image.size) > 300
            assert np.asarray(image.convert("L")).std() > 1
        assert ElementTree.parse(svg).getroot().tag == "{http://www.w3.org/2000/svg}svg"
        return " ".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))

    return check


def example(truth, seed=0, classes=3, head="aperture"):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
    return figures.Example(pixels, f"{seed}.jpg", {head: rng.dirichlet(np.ones(classes))}, {head: truth})


def test_best_and_worst_photos_with_bars_of_bins(save_and_read):
    texts = save_and_read(
        figures.draw_best_and_worst([example(0)], [example(-1, 1)], {"aperture": BINS}, "Of 2 photos")
    )
    assert "Of 2 photos" in texts
    assert "2 f/2.8 to f/4.9" in texts


def test_best_and_worst_photos_name_five_cameras_and_the_true_one(save_and_read):
    cameras = [f"camera-{number}" for number in range(8)]
    one = example(3, classes=8, head="camera")
    texts = save_and_read(figures.draw_best_and_worst([one], [one], {"camera": cameras}, "Of 1 photo"))
    shown = {cameras[index] for index in [*np.argsort(-one.predicted["camera"])[:5], 3]}
    assert len(shown) == 6
    assert {camera for camera in cameras if camera in texts} == shown


@pytest.mark.parametrize(("rank", "bars"), [(0, 5), (4, 5), (5, 6), (7, 6), (None, 5)])
def test_true_camera_is_hatched_even_if_not_among_the_top_five(rank, bars):
    one = example(-1, classes=8, head="camera")
    ranked = np.argsort(-one.predicted["camera"])
    truth = -1 if rank is None else int(ranked[rank])
    axes = Figure().subplots()
    figures._draw_top_classes(axes, one.predicted["camera"], truth, [f"camera-{number}" for number in range(8)])
    hatched = [bool(bar.get_hatch()) for bar in axes.patches]
    assert hatched == [place == (rank if rank is None else min(rank, 5)) for place in range(bars)]
    if rank is not None:
        assert axes.get_yticklabels()[hatched.index(True)].get_text() == f"camera-{truth}"


@pytest.mark.parametrize(("bins", "ticks"), [(2, [1, 2]), (5, [1, 2, 3, 4, 5]), (10, [1, 3, 5, 7, 9])])
def test_at_most_five_bins_are_numbered(bins, ticks):
    axes = Figure().subplots()
    figures._draw_bars(axes, np.full(bins, 1 / bins), bins - 1, "ISO")
    assert axes.get_xticks().tolist() == ticks
    assert [bool(bar.get_hatch()) for bar in axes.patches] == [False] * (bins - 1) + [True]


def test_settings_space_omits_unknown_values(save_and_read):
    columns = {"f_number": [2.8, 2.8, 4, np.nan], "iso": [100.0, 100.0, 200.0, 400.0], "exposure_time": [0.01] * 4}
    figure = figures.draw_settings_space(columns, {"iso": [215.4, 464.2]}, "Of 4 photos")
    points = figure.axes[0].collections[0]
    assert np.asarray(points.get_offsets()).shape == (2, 2)
    assert sorted(np.asarray(points.get_array())) == [1, 2]
    assert "1/60" in save_and_read(figure) or "1/250" in save_and_read(figure)


def test_contact_sheet_marks_correct_wrong_and_unknown_labels(save_and_read):
    predicted = {"aperture": np.array([0.9, 0.1, 0])}
    pixels = np.zeros((8, 8, 3), np.uint8)
    examples = [figures.Example(pixels, "a.jpg", predicted, {"aperture": truth}) for truth in (0, 2, -1)]
    texts = save_and_read(figures.draw_contact_sheet(examples, {"aperture": BINS}, "3 photos", columns=2))
    assert "✓ below f/2.8" in texts
    assert "✗ below f/2.8 (is from f/4.9)" in texts
    assert "? below f/2.8" in texts


@pytest.mark.parametrize("classes", [3, 13])
def test_confusion_matrix_has_counts_for_few_classes(save_and_read, classes):
    truth, predicted = np.array([0, 0, 0, 1, 2]), np.array([0, 0, 1, 1, 0])
    figure = figures.draw_confusion_matrix(
        truth, predicted, [f"class {number}" for number in range(classes)], "5 images"
    )
    shown = np.asarray(figure.axes[0].images[0].get_array())
    np.testing.assert_allclose(shown[:3, :3], [[2 / 3, 1 / 3, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    counts = [text.get_text() for text in figure.axes[0].texts]
    assert counts == (["2", "1", "0", "0", "1", "0", "1", "0", "0"] if classes == 3 else [])
    save_and_read(figure)


def test_reliability_diagram_shows_calibration_error(save_and_read):
    rng = np.random.default_rng(4)
    confidence = rng.random(60)
    found = reliability(confidence, rng.random(60) < confidence, np.arange(60))
    texts = save_and_read(figures.draw_reliability_diagrams({"iso": found}, "On 60 photos"))
    assert f"expected calibration error {found.error:.3f}" in texts


def test_failed_save_leaves_no_file(tmp_path):
    figure = figures.draw_confusion_matrix([0, 1], [0, 1], ["a", "b"], "$\\unknowncommand$")
    with pytest.raises(ValueError, match="unknowncommand"):
        figures.save_figure(figure, tmp_path / "drawn")
    assert list(tmp_path.iterdir()) == []
