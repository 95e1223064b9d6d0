"""Calibration weighs the directions that differ between photos, and its threshold keeps the stated false-alarm rate."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from competition.utils.errors import InputError
from submissions.splices import calibrate
from submissions.splices.calibration import (
    CALIBRATION,
    FALSE_ALARMS,
    calibrated_score,
    fit_calibration,
    load_calibration,
    tolerance_limit,
)
from submissions.splices.detector import Encoder

RNG = np.random.default_rng(0)


def photos(count, patches, rng):
    """Unit embeddings (count, patches, 3): photos differ along the first axis, patches of a photo along the second."""
    x = np.zeros((count, patches, 3))
    x[..., 0] = 0.3 * rng.standard_normal((count, 1)) + 0.02 * rng.standard_normal((count, patches))
    x[..., 1] = 0.5 * rng.standard_normal((count, patches))
    x[..., 2] = 1
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype(np.float32)


def test_differences_between_photos_count_and_those_within_photos_do_not():
    calibration = fit_calibration(photos(200, 20, RNG))
    directions = np.abs(calibration.directions / np.linalg.norm(calibration.directions, axis=0))
    assert directions[0].max() > 0.95 and directions[1].max() < 0.3
    calm = photos(1, 64, RNG).reshape(8, 8, 3)
    calm[..., 0] = 0.3
    spliced = calm.copy()
    spliced[:3, :4, 0] = -0.3
    scores = [calibrated_score(calibration.transform(embeddings), 2) for embeddings in (calm, spliced)]
    assert scores[1] > 1.5 > 0.5 > scores[0]


def test_transformed_embeddings_are_unit_vectors_and_equal_patches_stay_equal():
    calibration = fit_calibration(photos(50, 10, RNG))
    transformed = calibration.transform(photos(1, 20, RNG).reshape(4, 5, 3))
    np.testing.assert_allclose(np.linalg.norm(transformed, axis=-1), 1, atol=1e-6)
    same = calibration.transform(np.tile(photos(1, 1, RNG), (4, 5, 1)))
    assert calibrated_score(same, 2) == pytest.approx(0, abs=1e-6)


def test_too_few_photos_or_patches_raise():
    for shape in ((1, 4, 3), (4, 1, 3)):
        with pytest.raises(ValueError, match="at least two photos with two patches"):
            fit_calibration(np.zeros(shape, np.float32))


def test_saved_calibration_is_loaded_and_missing_or_damaged_ones_raise(tmp_path):
    with pytest.raises(InputError, match=r"has no calibration\.npz; repeat its train command"):
        load_calibration(tmp_path)
    saved = replace(fit_calibration(photos(20, 5, RNG)), threshold=0.7, photos=12)
    saved.save(tmp_path)
    loaded = load_calibration(tmp_path)
    assert (loaded.threshold, loaded.photos) == (0.7, 12)
    np.testing.assert_array_equal(loaded.directions, saved.directions)
    (tmp_path / CALIBRATION).write_bytes((tmp_path / CALIBRATION).read_bytes()[:100])
    with pytest.raises(InputError, match=r"calibration\.npz is truncated"):
        load_calibration(tmp_path)


@pytest.mark.parametrize(("photos", "above"), [(10, 0), (59, 0), (93, 1), (300, 8)])
def test_threshold_is_the_tolerance_limit_of_the_tables(photos, above):
    scores = RNG.permutation(photos).astype(float)
    assert (scores > tolerance_limit(scores)).sum() == above


def test_threshold_is_rarely_exceeded_by_more_than_the_stated_share_of_all_photos():
    rng = np.random.default_rng(1)
    limits = np.array([tolerance_limit(rng.random(120)) for _ in range(400)])  # 1 - limit of all photos exceed it
    assert (1 - limits <= FALSE_ALARMS).mean() > 0.93


def test_threshold_is_that_of_the_photos_it_was_taken_from(tmp_path, monkeypatch):
    names = [f"{number}.png" for number in range(80)]
    for number, name in enumerate(names):
        rng = np.random.default_rng(number)
        pixels = rng.normal(128, 20 + rng.uniform(-5, 5), (40, 48, 3)).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)

    def embed(patches, on_progress):
        angle = patches.std(axis=(1, 2, 3)) / 80
        return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)

    run = SimpleNamespace(seed=0, manifest=pd.DataFrame({"path": names, "split": "validation"}))
    monkeypatch.setattr(calibrate, "open_exif_language", lambda folder: run)
    monkeypatch.setattr(calibrate, "load_uncalibrated_encoder", lambda run: Encoder("", 16, embed))
    scores: list[float] = []

    def score(embeddings, patch_cells):
        scores.append(calibrated_score(embeddings, patch_cells))
        return scores[-1]

    monkeypatch.setattr(calibrate, "calibrated_score", score)
    calibrate.calibrate_run(tmp_path, tmp_path)
    found = load_calibration(tmp_path)
    assert found.photos == len(scores) == 40
    assert found.threshold == max(scores)
    scores.clear()
    calibrate.calibrate_run(tmp_path, tmp_path)  # a calibrated run stays as it is
    assert not scores
