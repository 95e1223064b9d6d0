"""Images are scored beside baselines, heat maps are cached, and unusable images are left out with a reason."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from competition.forgeries.datasets import open_dataset
from competition.utils.errors import InputError
from submissions.splices.evaluate import limit_images, score_images, summarize, summarize_groups


def test_network_beats_chance_and_cached_maps_are_reused(tree, make_encoder, tmp_path):
    encoder, items = make_encoder(), open_dataset("general", tree)
    images, left_out = score_images(encoder.maps(tmp_path / "maps"), items)
    assert not left_out and len(images) == 15
    summary = summarize(images).set_index("map")
    assert summary.loc["network", "p_map"] > 0.7 > summary.loc["random", "p_map"]
    assert summary.loc["network", ["detection_map", "chance"]].tolist() == pytest.approx([1, 0.6])
    assert (summary["forged"] == 3).all() and (summary["authentic"] == 2).all()
    embedded, encoder.patches = encoder.patches, 0
    again, _ = score_images(encoder.maps(tmp_path / "maps"), items)
    assert embedded and not encoder.patches
    pd.testing.assert_frame_equal(images, again)


def test_cached_map_is_computed_again_after_a_change(tree, make_encoder, make_picture, tmp_path):
    folder, items = tmp_path / "maps", open_dataset("general", tree)[:3]
    score_images(make_encoder().maps(folder), items)
    assert sorted(path.name for path in folder.glob("images/*")) == ["0.png.npz", "3.png.npz", "4.png.npz"]
    for encoder in (make_encoder(), make_encoder("another")):  # another method, then another encoder
        score_images(encoder.maps(folder, "cut"), items)
        assert encoder.patches
    Image.fromarray(make_picture(7, True)[0]).save(items[0].image)
    changed = make_encoder("another")
    score_images(changed.maps(folder, "cut"), items)
    assert changed.patches == encoder.patches // 3


def test_damaged_cached_map_raises(tree, make_encoder, tmp_path):
    items = open_dataset("general", tree)[2:3]
    score_images(make_encoder().maps(tmp_path / "maps"), items)
    cached = tmp_path / "maps" / "images" / "0.png.npz"
    cached.write_bytes(cached.read_bytes()[:100])
    with pytest.raises(InputError, match=r"0\.png\.npz is damaged \(truncated\); delete it"):
        score_images(make_encoder().maps(tmp_path / "maps"), items)


def test_unusable_images_are_left_out_with_a_reason(tree, make_encoder, tmp_path):
    def save(path, pixels):
        Image.fromarray(pixels).save(tree / path)

    save("masks/0.png", np.zeros((60, 90), np.uint8))
    save("masks/1.png", np.full((60, 91), 9, np.uint8))
    save("images/3.png", np.zeros((60, 90), np.uint8))
    save("images/4.png", np.zeros((15, 90, 3), np.uint8))
    images, left_out = score_images(make_encoder().maps(tmp_path / "maps"), open_dataset("general", tree))
    assert images["image"].unique().tolist() == ["images/2"]
    reasons = [left_out[f"images/{number}"] for number in (0, 1, 3, 4)]
    for reason, expected in zip(reasons, ("marks nothing", "91", "8-bit RGB", "a patch of 16"), strict=True):
        assert expected in reason


def test_nothing_is_cached_if_no_forged_image_can_be_used(tree, make_encoder, tmp_path):
    for path in tree.glob("images/[012].png"):
        path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match="no forged image can be used: 3 of 5 images were left out; images/0: "):
        score_images(make_encoder().maps(tmp_path / "maps"), open_dataset("general", tree))
    assert not (tmp_path / "maps").exists()


def test_precision_of_groups_of_virtual_splices():
    splices = pd.DataFrame(
        [("0.png", "any", "hard", "", "0.05"), ("1.jpg", "", "", "", "0"), ("2.jpg", "similar", "hard", "80", "0.1")],
        columns=["name", "settings", "edge", "quality", "share"],
    )
    rows = [
        {"image": f"images/{image}", "map": name, "forged": image != 1, "average_precision": precision}
        for image, precision in ((2, 0.5), (1, np.nan), (0, 0.75))
        for name in ("network", "high-pass energy", "random")
    ]
    found = summarize_groups(pd.DataFrame(rows), splices).set_index("group")
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
    with pytest.raises(InputError, match=r"splices\.csv has no row for images/2"):
        summarize_groups(pd.DataFrame(rows), splices[:2])


def test_limit_applies_to_authentic_and_forged_images(tree):
    items = open_dataset("general", tree)
    assert limit_images(items, None) == items == limit_images(items, 3)
    assert [item.name for item in limit_images(items, 1)] == ["images/3", "images/0"]
    assert [item.name for item in limit_images(items, 2)] == ["images/3", "images/4", "images/0", "images/1"]
