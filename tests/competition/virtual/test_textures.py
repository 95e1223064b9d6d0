import numpy as np
import pytest

from competition.virtual.textures import grain, make_textures, pink_noise
from competition.virtual.window import Window

FRAME = Window(0, 0, 192, 256)
PART = Window(33, 50, 70, 91)


def make(seed=0):
    return make_textures(np.random.default_rng(seed), FRAME.height, FRAME.width)


def test_canvas_of_a_window_is_part_of_the_whole_canvas():
    whole, part = make().canvas(FRAME, 1), make().canvas(PART, 1)
    rows, columns = PART.place_in(FRAME)
    for all_of_it, some in zip(whole.textures, part.textures, strict=True):
        assert np.allclose(all_of_it[rows, columns], some, atol=1e-5)
    assert np.array_equal(whole.light_rows[rows], part.light_rows)
    assert np.array_equal(whole.light_columns[:, columns], part.light_columns)
    assert np.array_equal(whole.x[columns], part.x) and np.array_equal(whole.y[rows], part.y)


def test_light_changes_slowly():
    canvas = make().canvas(FRAME, 1)
    log_light = canvas.light_rows @ canvas.light_columns
    assert 0.05 < log_light.std() < 1.5
    assert np.abs(np.diff(log_light, axis=0)).max() < 0.05 and np.abs(np.diff(log_light, axis=1)).max() < 0.05


def test_each_octave_of_pink_noise_has_the_same_energy():
    variances = [pink_noise(3, Window(0, 0, 400, 400), octaves).var() for octaves in (1, 2, 3)]
    assert variances[0] == pytest.approx(1, rel=0.02)
    assert np.diff(variances) == pytest.approx([0.8, 0.8], abs=0.25)


@pytest.mark.parametrize("sigma", [(0.6, 0.6), (1.5, 3.5)])
def test_grain_has_unit_deviation_and_coarse_grain_that_of_means(sigma):
    window = Window(0, 0, 512, 512)
    fine, coarse = grain(1, window, sigma, 1), grain(2, window, sigma, 2)
    assert fine.std() == pytest.approx(1, rel=0.03)
    means = fine.reshape(256, 2, 256, 2).mean(axis=(1, 3))
    assert coarse.std() == pytest.approx(means.std(), rel=0.15)
