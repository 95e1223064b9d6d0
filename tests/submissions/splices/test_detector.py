"""The detector embeds the patches that training would show, and finds parts of another texture."""

import json
import os
from dataclasses import asdict, replace

import keras
import numpy as np
import pytest

from competition.metrics.localization import score_map
from competition.utils.errors import InputError
from models.presets import dual_encoder_recipe
from submissions.run import SIMULATED
from submissions.run_config import FORMAT_VERSION
from submissions.splices.calibration import Calibration
from submissions.splices.detector import (
    BATCH_SIZE,
    Encoder,
    detect,
    embed_grid,
    find_newest_run,
    load_encoder,
    rescale,
)

PATCH = 24


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run with a tiny untrained network."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    folder.mkdir()
    recipe = asdict(dual_encoder_recipe("smoke", patch=PATCH, scan_patch=PATCH))
    config = {"format_version": FORMAT_VERSION, "kind": "exif-language", "data": "", "seed": 0, "recipe": recipe}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "notes.txt").write_text(f"{SIMULATED}\n")
    keras.utils.set_random_seed(0)
    pixels = keras.Input((None, None, 3), dtype="uint8")
    x = keras.layers.Conv2D(8, 3, strides=2)(keras.layers.Rescaling(1 / 255)(pixels))
    x = keras.layers.UnitNormalization()(keras.layers.GlobalAveragePooling2D()(x))
    keras.Model(pixels, x).save(folder / "image.keras")
    Calibration(np.zeros(8, np.float32), np.eye(8, dtype=np.float32), 0.5, 9).save(folder)
    return folder


def embed_roughness(patches, on_progress):
    """Unit vectors whose angle is the standard deviation of the patch."""
    on_progress(len(patches))
    angle = patches.std(axis=(1, 2, 3)) / 80 * np.pi / 2
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


ENCODER = Encoder("roughness", PATCH, embed_roughness)


def two_textures():
    """A smooth photo with a noisy rectangle, and the mask of the rectangle."""
    rng = np.random.default_rng(0)
    mask = np.zeros((150, 200), bool)
    mask[40:100, 60:140] = True
    noise = rng.integers(0, 256, (150, 200, 3), np.uint8)
    return np.where(mask[..., None], noise, 120 + noise // 50), mask


def test_grid_embeddings_equal_those_of_single_patches(run):
    encoder = load_encoder(run)
    assert encoder.patch == PATCH and encoder.threshold == 0.5
    pixels, _ = two_textures()
    grid = encoder.grid(pixels, 7)
    embeddings = embed_grid(encoder, pixels, grid, patches_per_call=10)
    network = keras.saving.load_model(run / "image.keras")
    assert embeddings.shape == (len(grid.tops), len(grid.lefts), 8) and embeddings.dtype == np.float32
    for row, top in enumerate(grid.tops):
        for column, left in enumerate(grid.lefts):
            patch = pixels[None, top : top + PATCH, left : left + PATCH]
            np.testing.assert_allclose(embeddings[row, column], network.predict_on_batch(patch)[0], atol=1e-5)


def test_patches_are_passed_in_batches_of_unscaled_pixels(run):
    calls: list[np.ndarray] = []
    done: list[int] = []

    def embed(patches, on_progress):
        calls.append(patches)
        return embed_roughness(patches, on_progress)

    pixels, _ = two_textures()
    encoder = Encoder("", PATCH, embed)
    grid = encoder.grid(pixels, 30)
    embed_grid(encoder, pixels, grid, patches_per_call=200)
    total = len(grid.tops) * len(grid.lefts)
    assert [len(call) for call in calls] == [200] * (total // 200) + [total % 200]
    assert {call.dtype for call in calls} == {np.dtype(np.uint8)} and calls[0].max() > 200
    load_encoder(run).embed(calls[0][: BATCH_SIZE + 5], done.append)
    assert done == [BATCH_SIZE, 5]


@pytest.mark.parametrize("method", ["shift", "cut"])
def test_smaller_of_two_textures_is_the_splice(method):
    pixels, mask = two_textures()
    found = detect(ENCODER, pixels, 20, method)
    heat = found.upsampled_heat()
    assert heat.shape == mask.shape and heat.dtype == np.float32 and heat.min() >= 0 and heat.max() <= 1
    assert score_map(heat, mask)["average_precision"] > 0.95
    assert ((heat > 0.5) == mask).mean() > 0.93
    assert found.score > 10 * detect(ENCODER, pixels[:, :50], 20, method).score
    assert found.heat.shape == found.grid.cells


def test_calibrated_detection_has_a_threshold_and_calls_one_texture_consistent():
    calibration = Calibration(np.array([0.6, 0.5], np.float32), np.eye(2, dtype=np.float32), 0.5, 9)
    encoder = replace(ENCODER, calibration=calibration)
    pixels, mask = two_textures()
    assert not detect(encoder, pixels, 20).is_consistent
    assert detect(encoder, pixels[:, :50], 20).is_consistent and not detect(ENCODER, pixels[:, :50], 20).is_consistent
    assert score_map(detect(encoder, pixels, 20).upsampled_heat(), mask)["average_precision"] > 0.9


def test_uniform_photo_and_single_patch_have_zero_heat():
    for size in (PATCH, 90):
        found = detect(ENCODER, np.full((size, size, 3), 9, np.uint8))
        assert not found.heat.any() and found.score == 0


def test_rescale_fills_range_unless_values_differ_by_rounding():
    np.testing.assert_allclose(rescale(np.array([0.2, 0.3, 0.25])), [0, 1, 0.5], atol=1e-6)
    assert not rescale(np.array([0.2, 0.2 + 1e-7])).any()


def test_invalid_arguments_raise():
    pixels = np.zeros((40, 40, 3), np.uint8)
    for arguments, message in (((61,), "1 to 60"), ((30, "vote"), "known: shift, cut"), ((0,), "1 to 60")):
        with pytest.raises(InputError, match=message):
            detect(ENCODER, pixels, *arguments)
    with pytest.raises(InputError, match="less than a patch of 24"):
        detect(ENCODER, pixels[:23])


def test_newest_run_is_the_one_that_finished_last(tmp_path):
    with pytest.raises(InputError, match=r"no finished exif-language run; train one with `train exif-language`"):
        find_newest_run(tmp_path)
    for number, name in enumerate(("b", "c", "a")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "image.keras").touch()
        os.utime(tmp_path / name / "image.keras", (number, number))
    (tmp_path / "unfinished").mkdir()
    assert find_newest_run(tmp_path) == tmp_path / "a"
