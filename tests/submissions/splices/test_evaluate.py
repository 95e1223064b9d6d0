"""Images are scored once, beside baselines that know less; what cannot be used is left out with a reason."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from competition.forgeries.datasets import open_dataset
from competition.utils.errors import InputError
from submissions.splices.baselines import energy_map, random_map
from submissions.splices.consistency import grid_positions
from submissions.splices.detector import Encoder
from submissions.splices.evaluate import KeptMaps, score_images, some, summarize, summarize_groups
from submissions.splices.report import draw_examples, write_report

HEIGHT, WIDTH = 60, 90


class Rough:
    """An encoder that tells noise from what is plain, and counts what it is asked."""

    def __init__(self, identity="rough"):
        self.asked = 0
        self.encoder = Encoder(identity, 16, self.embed)

    def embed(self, patches, done):
        self.asked += len(patches)
        angle = patches.std(axis=(1, 2, 3)) / 80 * np.pi / 2
        return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


def picture(number, spliced):
    noise = np.random.default_rng(number).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[10:40, 10 : 40 + number] = spliced
    return np.where(mask[..., None], noise, 100 + noise // 40), mask


@pytest.fixture
def tree(tmp_path):
    """Three forged and two authentic images in the general layout."""
    for number in range(5):
        pixels, mask = picture(number, number < 3)
        for folder, content in (("images", pixels), ("masks", mask)):
            (tmp_path / "tree" / folder).mkdir(parents=True, exist_ok=True)
            if folder == "images" or number < 3:
                Image.fromarray(content).save(tmp_path / "tree" / folder / f"{number}.png")
    return tmp_path / "tree"


def maps(rough, folder, method="shift"):
    return KeptMaps(rough.encoder, folder, 12, method)


def test_a_network_that_sees_splices_beats_chance_and_is_asked_once(tree, tmp_path):
    rough, items = Rough(), open_dataset("general", tree)
    images, left_out = score_images(maps(rough, tmp_path / "maps"), items)
    assert not left_out and len(images) == 15
    summary = summarize(images).set_index("map")
    assert summary.loc["network", "p_map"] > 0.75 > summary.loc["random", "p_map"]
    assert summary.loc["network", ["detection_map", "chance"]].tolist() == pytest.approx([1, 0.6])
    assert (summary["forged"] == 3).all() and (summary["authentic"] == 2).all()
    asked, rough.asked = rough.asked, 0
    again, _ = score_images(maps(rough, tmp_path / "maps"), items)
    assert asked and not rough.asked
    pd.testing.assert_frame_equal(images, again)


def test_what_was_made_otherwise_is_made_anew(tree, tmp_path):
    items = open_dataset("general", tree)[:3]
    score_images(maps(Rough(), tmp_path / "maps"), items)
    assert sorted(path.name for path in tmp_path.glob("maps/images/*")) == ["0.png.npz", "3.png.npz", "4.png.npz"]
    for rough, method in ((Rough(), "cut"), (Rough("another"), "cut")):
        score_images(maps(rough, tmp_path / "maps", method), items)
        assert rough.asked
    Image.fromarray(picture(7, True)[0]).save(items[0].image)
    score_images(maps(changed := Rough("another"), tmp_path / "maps", "cut"), items)
    assert changed.asked == rough.asked // 3
    kept = tmp_path / "maps" / "images" / "3.png.npz"
    kept.write_bytes(kept.read_bytes()[:100])
    with pytest.raises(InputError, match=r"3\.png\.npz is damaged"):
        score_images(maps(rough, tmp_path / "maps"), items)


def test_what_cannot_be_used_is_left_out_with_a_reason(tree, tmp_path):
    def save(path, pixels):
        Image.fromarray(pixels).save(tree / path)

    save("masks/0.png", np.zeros((HEIGHT, WIDTH), np.uint8))
    save("masks/1.png", np.full((HEIGHT, WIDTH + 1), 9, np.uint8))
    save("images/3.png", np.zeros((HEIGHT, WIDTH), np.uint8))
    save("images/4.png", np.zeros((15, WIDTH, 3), np.uint8))
    images, left_out = score_images(maps(Rough(), tmp_path / "maps"), open_dataset("general", tree))
    assert images["image"].unique().tolist() == ["images/2"]
    told = [left_out[f"images/{number}"] for number in (0, 1, 3, 4)]
    for why, expected in zip(told, ("marks nothing", "expected one size", "8-bit RGB", "a patch of 16"), strict=True):
        assert expected in why
    text = write_report(tmp_path / "out", "Splices", images, left_out, None)
    assert "note: no authentic images" in text and "left out images/4: " in text
    assert "| network | " in (tmp_path / "out" / "table.md").read_text() and "| – |" in text.replace("  ", "| – |")


def test_nothing_is_written_where_no_forged_image_can_be_used(tree, tmp_path):
    for path in tree.glob("images/[012].png"):
        path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match="no forged image can be used: 3 of 5 images were left out; images/0: "):
        score_images(maps(Rough(), tmp_path / "maps"), open_dataset("general", tree))
    assert not (tmp_path / "maps").exists()


def test_few_images_are_drawn_once(tree, tmp_path):
    kept, items = maps(Rough(), tmp_path / "maps"), open_dataset("general", tree)
    images, _ = score_images(kept, items)
    draw_examples(kept, items, images, "Some", tmp_path / "examples.png")
    with Image.open(tmp_path / "examples.png") as drawn:
        assert min(drawn.size) > 300


def test_splices_are_grouped_by_how_they_were_made():
    made = pd.DataFrame(
        [("0.png", "any", "hard", "", "0.05"), ("1.jpg", "", "", "", "0"), ("2.jpg", "similar", "hard", "80", "0.1")],
        columns=["name", "settings", "edge", "quality", "share"],
    )
    rows = [
        {"image": f"images/{image}", "map": name, "forged": image != 1, "average_precision": precision}
        for image, precision in ((2, 0.5), (1, np.nan), (0, 0.75))
        for name in ("network", "high-pass energy", "random")
    ]
    found = summarize_groups(pd.DataFrame(rows), made).set_index("group")
    assert "soft edge" not in found.index
    assert found.loc["hard edge", ["network", "images"]].tolist() == [0.625, 2]
    for group, precision in (
        ("similar settings", 0.5),
        ("any settings", 0.75),
        ("recompressed", 0.5),
        ("not recompressed", 0.75),
        ("below 10 % of the area", 0.75),
        ("at least 10 % of the area", 0.5),
    ):
        assert found.loc[group, ["random", "images"]].tolist() == [precision, 1]
    with pytest.raises(InputError, match="does not tell how images/2 was made"):
        summarize_groups(pd.DataFrame(rows), made[:2])


def test_some_are_of_both_kinds(tree):
    items = open_dataset("general", tree)
    assert some(items, None) == items == some(items, 3)
    assert [item.name for item in some(items, 1)] == ["images/3", "images/0"]
    assert [item.name for item in some(items, 2)] == ["images/3", "images/4", "images/0", "images/1"]


def test_energy_is_that_of_the_residual_and_is_bright_where_it_is_rough():
    pixels, mask = picture(0, True)
    found = energy_map(pixels, grid_positions(HEIGHT, WIDTH, 16, 12))
    assert found.heat.max() == 1 and found.heat.min() == 0
    assert found.pixels()[mask].mean() > 0.7 and found.pixels()[:, 60:].mean() < 0.2
    assert found.score > energy_map(picture(0, False)[0], found.grid).score
    flat = energy_map(np.zeros((HEIGHT, WIDTH, 3), np.uint8), found.grid)
    assert not flat.heat.any() and flat.score < 1e-9


def test_random_maps_are_those_of_their_name():
    grid = grid_positions(HEIGHT, WIDTH, 16, 12)
    one, same, other = (random_map(name, grid) for name in ("a", "a", "b"))
    assert (one.heat == same.heat).all() and one.score == same.score
    assert (one.heat != other.heat).all() and one.score != other.score
