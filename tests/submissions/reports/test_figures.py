"""Pictures of a run: files that open, numbers that are right."""

from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from competition.metrics.calibration import calibration_error, reliability
from submissions.reports import figures

BINS = ("below f/2.8", "f/2.8 to f/4.9", "from f/4.9")


@pytest.fixture
def opens(tmp_path):
    """Saves a figure; both files open, nothing else is left; the texts in it."""

    def check(figure):
        png, svg = figures.save(figure, tmp_path / "new" / "drawn")
        assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["drawn.png", "drawn.svg"]
        with Image.open(png) as image:
            image.load()
            assert min(image.size) > 300
            assert np.asarray(image.convert("L")).std() > 1
        assert ElementTree.parse(svg).getroot().tag == "{http://www.w3.org/2000/svg}svg"
        return " ".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))

    return check


def example(truth, seed=0, classes=3, target="aperture"):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
    return figures.Example(pixels, f"{seed}.jpg", {target: rng.dirichlet(np.ones(classes))}, {target: truth})


def test_the_best_and_the_worst_of_few_bins(opens):
    told = opens(figures.best_and_worst([example(0)], [example(-1, 1)], {"aperture": BINS}, "Of 2 photographs"))
    assert "Of 2 photographs" in told
    assert "2 f/2.8 to f/4.9" in told


def test_the_best_and_the_worst_of_many_cameras_name_five_and_the_true_one(opens):
    cameras = [f"camera-{number}" for number in range(8)]
    one = example(3, classes=8, target="camera")
    told = opens(figures.best_and_worst([one], [one], {"camera": cameras}, "Of 1 photograph"))
    shown = {cameras[index] for index in [*np.argsort(-one.predicted["camera"])[:5], 3]}
    assert len(shown) == 6
    assert {camera for camera in cameras if camera in told} == shown


@pytest.mark.parametrize(("rank", "bars"), [(0, 5), (4, 5), (5, 6), (7, 6), (None, 5)])
def test_the_true_camera_is_hatched_even_where_it_is_not_among_the_five(rank, bars):
    one = example(-1, classes=8, target="camera")
    ranked = np.argsort(-one.predicted["camera"])
    truth = -1 if rank is None else int(ranked[rank])
    axes = Figure().subplots()
    figures._top_classes(axes, one.predicted["camera"], truth, [f"camera-{number}" for number in range(8)])
    hatched = [bool(bar.get_hatch()) for bar in axes.patches]
    assert hatched == [place == (rank if rank is None else min(rank, 5)) for place in range(bars)]
    if rank is not None:
        assert axes.get_yticklabels()[hatched.index(True)].get_text() == f"camera-{truth}"


@pytest.mark.parametrize(("bins", "ticks"), [(2, [1, 2]), (5, [1, 2, 3, 4, 5]), (10, [1, 3, 5, 7, 9])])
def test_few_bins_are_numbered(bins, ticks):
    axes = Figure().subplots()
    figures._bars(axes, np.full(bins, 1 / bins), bins - 1, "ISO")
    assert axes.get_xticks().tolist() == ticks
    assert [bool(bar.get_hatch()) for bar in axes.patches] == [False] * (bins - 1) + [True]


def test_the_space_of_settings_leaves_out_what_is_unknown(opens):
    columns = {"f_number": [2.8, 2.8, 4, np.nan], "iso": [100, 100, 200, 400], "exposure_time": [0.01] * 4}
    figure = figures.settings_space(columns, {"iso": [215.4, 464.2]}, "Of 4 photographs")
    of_apertures = figure.axes[0].collections[0]
    assert len(of_apertures.get_offsets()) == 2
    assert sorted(of_apertures.get_array()) == [1, 2]
    assert "1/60" in opens(figure) or "1/250" in opens(figure)


def test_the_contact_sheet_says_what_is_right_wrong_and_unknown(opens):
    sure = {"aperture": np.array([0.9, 0.1, 0])}
    pixels = np.zeros((8, 8, 3), np.uint8)
    shown = [figures.Example(pixels, "a.jpg", sure, {"aperture": truth}) for truth in (0, 2, -1)]
    told = opens(figures.sheet(shown, {"aperture": BINS}, "3 photographs", columns=2))
    assert "✓ below f/2.8" in told
    assert "✗ below f/2.8 (is from f/4.9)" in told
    assert "? below f/2.8" in told


@pytest.mark.parametrize("classes", [3, 13])
def test_counts_are_written_where_they_can_be_read(opens, classes):
    truth, predicted = np.array([0, 0, 0, 1, 2]), np.array([0, 0, 1, 1, 0])
    figure = figures.confusion(truth, predicted, [f"class {number}" for number in range(classes)], "5 images")
    shown = figure.axes[0].images[0].get_array()
    np.testing.assert_allclose(shown[:3, :3], [[2 / 3, 1 / 3, 0], [0, 1, 0], [1, 0, 0]])
    counts = [text.get_text() for text in figure.axes[0].texts]
    assert counts == (["2", "1", "0", "0", "1", "0", "1", "0", "0"] if classes == 3 else [])
    opens(figure)


def test_reliability_is_drawn_with_its_error(opens):
    rng = np.random.default_rng(4)
    sure = rng.random(60)
    found = reliability(sure, rng.random(60) < sure, np.arange(60))
    told = opens(figures.reliability_diagrams({"iso": found}, "On 60 photographs"))
    assert f"expected calibration error {found.error:.3f}" in told


def test_what_fails_leaves_nothing_behind(tmp_path):
    figure = figures.confusion([0, 1], [0, 1], ["a", "b"], "$\\unknowncommand$")
    with pytest.raises(ValueError, match="unknowncommand"):
        figures.save(figure, tmp_path / "drawn")
    assert list(tmp_path.iterdir()) == []


def test_the_calibration_error_against_a_loop():
    rng = np.random.default_rng(5)
    sure, right = rng.random(57), rng.random(57) < 0.6
    ordered = sorted(zip(sure, right, strict=True))
    parts, start = [], 0
    for part in range(10):
        size = 6 if part < 7 else 5  # 57 = 7 · 6 + 3 · 5
        parts.append(ordered[start : start + size])
        start += size
    means = [sum(pair[0] for pair in part) / len(part) for part in parts]
    accuracies = [sum(pair[1] for pair in part) / len(part) for part in parts]
    error = sum(len(p) * abs(m - a) for p, m, a in zip(parts, means, accuracies, strict=True)) / 57
    found = reliability(sure, right, np.arange(57))
    np.testing.assert_allclose(found.confidence, means)
    np.testing.assert_allclose(found.accuracy, accuracies)
    assert found.error == pytest.approx(error)


def test_the_interval_against_a_loop():
    rng = np.random.default_rng(6)
    photographs = np.repeat(np.arange(20), 2)
    sure, right = rng.random(40), (rng.random(40) < 0.5).astype(float)
    found = reliability(sure, right, photographs, seed=7)
    _, _, error = calibration_error(sure, right, 10)
    again, drawn = np.random.default_rng(7), []
    for _ in range(1000):
        images = [image for photo in again.integers(0, 20, 20) for image in (2 * photo, 2 * photo + 1)]
        drawn.append(calibration_error(sure[images], right[images], 10)[2])
    assert found.error_high == pytest.approx(2 * error - np.quantile(drawn, 0.025))
    assert found.error_low == pytest.approx(max(0, 2 * error - np.quantile(drawn, 0.975)))


def test_calibrated_answers_are_told_from_overconfident_ones():
    rng = np.random.default_rng(9)
    sure = rng.uniform(0.5, 1, 2000)
    calibrated = reliability(sure, rng.random(2000) < sure, np.arange(2000))
    proud = reliability(sure, rng.random(2000) < sure - 0.2, np.arange(2000))
    assert calibrated.error_low < 0.01
    assert proud.error_low > 0.15
    assert proud.error_low < 0.2 < proud.error_high


def test_there_must_be_images():
    with pytest.raises(ValueError, match="expected confidence and right"):
        reliability([], [], [])
