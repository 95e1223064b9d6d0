"""Evidence is drawn where it is, and any part of a photo keeps the phase of its JPEG grid."""

from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from competition.utils.errors import InputError
from models.classifier import build
from models.evidence_maps import DctEvidence
from models.presets import classifier_recipe
from models.recipe import change
from models.saved import MODEL
from submissions.reports import explain

SIDE = 64


def explanation(cam=True):
    blocks, frequencies = np.zeros((8, 8)), np.zeros((3, 8, 8))
    blocks[1, 2], blocks[5, 6], frequencies[0, 1, 2] = 2.0, -2.0, 1.0
    pixels = np.full((SIDE, SIDE, 3), 128, np.uint8)
    return explain.Explanation(pixels, "a.jpg: <$b$>", DctEvidence(blocks, frequencies), blocks if cam else None)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (99, 131), (1500, 1037), (2048, 1024)])
def test_part_of_a_photo_has_the_phase_of_the_center_patch(height, width):
    numbers = np.arange(height * width, dtype=np.uint32).reshape(height, width)
    photo = numbers.view(np.uint8).reshape(height, width, 4)[..., :3].copy()
    part = explain.explained_part(photo, SIDE)
    assert part.shape[0] % 8 == part.shape[1] % 8 == 0
    assert max(part.shape) <= explain.MAX_SIDE
    assert all(kept > min(side, explain.MAX_SIDE) - 16 for kept, side in zip(part.shape, photo.shape[:2], strict=False))
    first = int(part[0, 0] @ np.array([1, 256, 65536], np.int64))
    assert (first // width) % 8 == (height - SIDE) // 2 % 8
    assert (first % width) % 8 == (width - SIDE) // 2 % 8


def test_part_of_a_photo_that_is_too_small_raises():
    with pytest.raises(InputError, match="expected a side of at least 64 px"):
        explain.explained_part(np.zeros((40, 80, 3), np.uint8), SIDE)


def test_overlay_is_orange_for_and_blue_against():
    drawn = explain.overlay(explanation().pixels, explanation().dct.blocks).astype(int)
    orange, blue, neutral = drawn[12, 20], drawn[44, 52], drawn[0, 0]
    assert orange[0] > neutral[0] + 20 and orange[2] < neutral[2] - 20
    assert blue[2] > neutral[2] + 20 and blue[0] < neutral[0] - 20
    assert np.ptp(neutral) == 0


def test_overlay_without_evidence_is_gray():
    assert np.ptp(explain.overlay(explanation().pixels, np.zeros((8, 8))), axis=-1).max() == 0


@pytest.mark.parametrize(("cam", "panels"), [(True, 4), (False, 3)])
def test_picture_has_a_row_for_each_image(cam, panels, tmp_path):
    figure = explain.draw_explanations([explanation(cam)] * 2, "Two")
    assert len(figure.axes) == 2 * panels
    figure.savefig(tmp_path / "drawn.png", dpi=40)  # the caption is no formula
    assert figure.axes[0].get_xlabel() == r"a.jpg: <\$b\$>"


def network(member, cameras):
    recipe = change(classifier_recipe("smoke", member), patch=SIDE, front_end_recipe=None)
    return recipe, build(member, recipe, {"camera": cameras})


def test_pictures_of_photos_by_a_run(tiny_mobilenet, tmp_path):
    """Photos whose names are equal get pictures of different names."""
    keras.utils.set_random_seed(0)
    recipe, model = network("mobilenet", 2)
    run: Any = SimpleNamespace(
        front_end_folder=tmp_path / "front_end",
        member_folder=lambda member: tmp_path / member,
        recipes={"mobilenet": recipe},
        members=["mobilenet"],
        cameras=("a", "b"),
    )
    run.parts = [run]
    (tmp_path / "mobilenet").mkdir()
    model.save(tmp_path / "mobilenet" / MODEL)
    photos = [tmp_path / name / "1.png" for name in ("x", "y")]
    for seed, photo in enumerate(photos):
        photo.parent.mkdir()
        pixels = np.random.default_rng(seed).integers(0, 256, (SIDE, 2 * SIDE, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(photo)
    written = explain.explain_photos(run, photos, ["a", "b"], False, tmp_path / "maps")
    assert [path.name for path in written] == ["01-1.png", "02-1.png", explain.SHEET]
    for path in written:
        with Image.open(path) as picture:
            picture.load()
            assert min(picture.size) > 200
