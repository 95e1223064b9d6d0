"""A photograph is judged by the patches that training would have shown, and what does not belong is found."""

import json
import os
from dataclasses import asdict

import keras
import numpy as np
import pytest

from competition.metrics.localization import score_map
from competition.utils.errors import InputError
from models.presets.exif_language import contrast_recipe
from submissions.splices.detector import BATCH, Encoder, detect, embed_grid, load_encoder, newest_run, stretched

PATCH = 24


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run whose network is tiny and untrained."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    folder.mkdir()
    config = {"kind": "exif-language", "data": "", "seed": 0, "recipe": asdict(contrast_recipe("smoke", patch=PATCH))}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "notes.txt").write_text("simulated photographs (the virtual competition)\n")
    keras.utils.set_random_seed(0)
    pixels = keras.Input((None, None, 3), dtype="uint8")
    x = keras.layers.Conv2D(8, 3, strides=2)(keras.layers.Rescaling(1 / 255)(pixels))
    x = keras.layers.UnitNormalization()(keras.layers.GlobalAveragePooling2D()(x))
    keras.Model(pixels, x).save(folder / "image.keras")
    return folder


def rough(patches, done):
    """Directions by how rough a patch is, from plain to noise."""
    done(len(patches))
    angle = patches.std(axis=(1, 2, 3)) / 80 * np.pi / 2
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


ROUGH = Encoder("rough", PATCH, rough)


def two_textures():
    """A plain photograph with a noisy rectangle, and where that is."""
    rng = np.random.default_rng(0)
    mask = np.zeros((150, 200), bool)
    mask[40:100, 60:140] = True
    noise = rng.integers(0, 256, (150, 200, 3), np.uint8)
    return np.where(mask[..., None], noise, 120 + noise // 50), mask


def test_a_grid_is_embedded_as_patches_are_one_by_one(run):
    encoder = load_encoder(run)
    assert encoder.patch == PATCH
    pixels, _ = two_textures()
    grid = encoder.grid(pixels, 7)
    made = embed_grid(encoder, pixels, grid, at_once=10)
    network = keras.saving.load_model(run / "image.keras")
    assert made.shape == (len(grid.tops), len(grid.lefts), 8) and made.dtype == np.float32
    for row, top in enumerate(grid.tops):
        for column, left in enumerate(grid.lefts):
            patch = pixels[None, top : top + PATCH, left : left + PATCH]
            np.testing.assert_allclose(made[row, column], network.predict_on_batch(patch)[0], atol=1e-5)


def test_the_network_has_many_patches_a_call_as_they_were_coded(run):
    calls, done = [], []

    def embed(patches, tell):
        calls.append(patches)
        return rough(patches, tell)

    pixels, _ = two_textures()
    encoder = Encoder("", PATCH, embed)
    grid = encoder.grid(pixels, 30)
    embed_grid(encoder, pixels, grid, at_once=200)
    total = len(grid.tops) * len(grid.lefts)
    assert [len(call) for call in calls] == [200] * (total // 200) + [total % 200]
    assert {call.dtype for call in calls} == {np.dtype(np.uint8)} and calls[0].max() > 200
    load_encoder(run).embed(calls[0][: BATCH + 5], done.append)
    assert done == [BATCH, 5]


@pytest.mark.parametrize("method", ["shift", "cut"])
def test_of_two_textures_the_smaller_one_is_the_splice(method):
    pixels, mask = two_textures()
    found = detect(ROUGH, pixels, 20, method)
    heat = found.pixels()
    assert heat.shape == mask.shape and heat.dtype == np.float32 and heat.min() >= 0 and heat.max() <= 1
    assert score_map(heat, mask)["average_precision"] > 0.95
    assert ((heat > 0.5) == mask).mean() > 0.93
    assert found.score > 10 * detect(ROUGH, pixels[:, :50], 20, method).score
    assert found.heat.shape == (
        len(found.grid.tops) + found.grid.spread - 1,
        len(found.grid.lefts) + found.grid.spread - 1,
    )


def test_a_photograph_of_one_patch_and_one_that_is_even_have_an_empty_map():
    for size in (PATCH, 90):
        found = detect(ROUGH, np.full((size, size, 3), 9, np.uint8))
        assert not found.heat.any() and found.score == 0


def test_a_stretched_map_fills_its_range_unless_it_is_rounding():
    np.testing.assert_allclose(stretched(np.array([0.2, 0.3, 0.25])), [0, 1, 0.5], atol=1e-6)
    assert not stretched(np.array([0.2, 0.2 + 1e-7])).any()


def test_what_cannot_be_judged_is_refused():
    pixels = np.zeros((40, 40, 3), np.uint8)
    for arguments, told in (((61,), "1 to 60"), ((30, "vote"), "known: shift, cut"), ((0,), "at least 1")):
        with pytest.raises(InputError, match=told):
            detect(ROUGH, pixels, *arguments)
    with pytest.raises(InputError, match="less than a patch of 24"):
        detect(ROUGH, pixels[:23])


def test_the_run_that_was_finished_last_is_taken(tmp_path):
    with pytest.raises(InputError, match=r"no finished run of exif-language; \./run\.sh train exif-language"):
        newest_run(tmp_path)
    for number, name in enumerate(("b", "c", "a")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "image.keras").touch()
        os.utime(tmp_path / name / "image.keras", (number, number))
    (tmp_path / "unfinished").mkdir()
    assert newest_run(tmp_path) == tmp_path / "a"
