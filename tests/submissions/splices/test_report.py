"""The report has its tables as files and as text, and draws every image at most once."""

import pytest
from PIL import Image

from competition.forgeries.datasets import open_dataset
from submissions.splices.evaluate import score_images
from submissions.splices.report import _ranks, draw_examples, write_report


def test_report_without_authentic_images_has_no_detection(tree, make_encoder, tmp_path):
    for number in (3, 4):
        (tree / "images" / f"{number}.png").unlink()
    images, _ = score_images(make_encoder().maps(tmp_path / "maps"), open_dataset("general", tree))
    text = write_report(tmp_path / "out", "Splices", images, {"images/9": "is too small"}, None)
    assert "note: no detection mAP" in text and "note: left out images/9: is too small" in text
    page = (tmp_path / "out" / "table.md").read_text()
    assert "| network | " in page and "| – |" in page
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"images.csv", "table.csv", "table.md"}


def test_examples_of_few_images_are_drawn(tree, make_encoder, tmp_path):
    maps, items = make_encoder().maps(tmp_path / "maps"), open_dataset("general", tree)
    images, _ = score_images(maps, items)
    draw_examples(maps, items, images, "Examples", tmp_path / "examples.png")
    with Image.open(tmp_path / "examples.png") as drawn:
        assert min(drawn.size) > 300


@pytest.mark.parametrize(
    ("count", "labels"),
    [
        (0, []),
        (1, ["worst"]),
        (3, ["best", "worst", "worst"]),
        (9, ["best", "best", "median", "median", "worst", "worst"]),
    ],
)
def test_each_image_has_one_rank(count, labels):
    ranks = _ranks(count)
    assert list(ranks.values()) == labels
    assert all(0 <= rank < count for rank in ranks)
