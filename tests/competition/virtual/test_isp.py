from dataclasses import replace

import numpy as np
import pytest

from competition.virtual.cameras import CAMERAS, WHITE_LEVEL, Denoising, Sharpening
from competition.virtual.isp import color_matrix, develop, sensor_from_rgb, sharpen, tone

every_camera = pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS)


def raw_of(camera, share):
    return np.full((32, 32), camera.black_level + share * (WHITE_LEVEL - camera.black_level), np.float32)


@every_camera
def test_gray_stays_gray_with_about_equal_brightness(camera):
    image = develop(raw_of(camera, 0.18), camera, np.ones(3, np.float32), 400)
    assert image.dtype == np.uint8 and image.shape == (32, 32, 3)
    assert int(image.max()) - int(image.min()) <= 1
    assert image.mean() == pytest.approx(116, abs=2)


@every_camera
def test_black_and_white_are_kept(camera):
    assert develop(raw_of(camera, 0.0), camera, np.ones(3, np.float32), 100).max() == 0
    assert develop(raw_of(camera, 1.0), camera, np.ones(3, np.float32), 100).min() >= 254


def test_color_matrix_inverts_sensor_colors_and_keeps_gray():
    assert np.allclose(color_matrix(1.0) @ sensor_from_rgb(), np.eye(3), atol=1e-5)
    assert np.allclose(color_matrix(1.3).sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("contrast", sorted({camera.contrast for camera in CAMERAS.values()}))
def test_tone_curve_rises_from_black_to_white(contrast):
    values = tone(np.linspace(0, 1, 200, dtype=np.float32)[None], contrast)[0]
    assert values[0] == 0 and values[-1] == pytest.approx(1)
    assert (np.diff(values) > 0).all()


def test_sharpening_enhances_edges_and_keeps_flat_areas():
    step = np.where(np.arange(32) < 16, 0.3, 0.6).astype(np.float32) * np.ones((32, 1), np.float32)
    sharp = sharpen(step, Sharpening(1.0, 1.0))
    assert sharp.max() > 0.65 and sharp.min() < 0.25
    assert np.allclose(sharp[:, :8], 0.3, atol=1e-3)
    assert np.array_equal(sharpen(step, Sharpening(1.0, 0.0)), step)


@pytest.mark.parametrize("kind", ["gaussian", "bilateral", "median", "guided"])
def test_denoising_removes_noise_of_flat_areas(kind):
    camera = CAMERAS["Virtual-Alder-A1"]
    rng = np.random.default_rng(0)
    raw = raw_of(camera, 0.18) + rng.normal(0, 20, size=(32, 32)).astype(np.float32)
    noisy, quiet = (
        develop(raw, replace(camera, denoising=Denoising(luma, "none", 1.0)), np.ones(3, np.float32), 400)
        for luma in ("none", kind)
    )
    assert quiet.mean(axis=2).std() < 0.9 * noisy.mean(axis=2).std()
