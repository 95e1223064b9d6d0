import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from competition.virtual.window import Window, white_noise

sides = st.integers(1, 60)
places = st.integers(-300, 600)


@given(places, places, sides, sides)
def test_noise_of_overlapping_windows_agrees(top, left, height, width):
    whole = Window(top - 7, left - 5, height + 15, width + 11)
    part = Window(top, left, height, width)
    assert np.array_equal(white_noise(1, whole)[part.place_in(whole)], white_noise(1, part))


def test_noise_is_normal_and_white():
    noise = white_noise(5, Window(-100, 37, 600, 700))
    assert noise.dtype == np.float32
    assert noise.mean() == pytest.approx(0, abs=0.01) and noise.std() == pytest.approx(1, abs=0.01)
    assert (np.abs(noise) < 1.96).mean() == pytest.approx(0.95, abs=0.002)
    spectrum = np.abs(np.fft.fft2(noise)[1:, 1:]) ** 2 / noise.size
    assert [quarter.mean() for quarter in np.array_split(spectrum.ravel(), 4)] == pytest.approx([1] * 4, abs=0.02)
    assert spectrum.max() < 25  # no periodic part


def test_seeds_give_independent_noise():
    window = Window(0, 0, 300, 300)
    assert abs(np.corrcoef(white_noise(1, window).ravel(), white_noise(2, window).ravel())[0, 1]) < 0.01


@given(places, places, sides, sides, st.sampled_from([1, 2, 4, 8]))
def test_coarse_window_covers_the_window_tightly(top, left, height, width, step):
    window = Window(top, left, height, width)
    cover = window.coarse(step).fine(step)
    assert window.clipped(cover) == window
    assert 0 <= window.top - cover.top < step and 0 <= cover.bottom - window.bottom < step
    assert 0 <= window.left - cover.left < step and 0 <= cover.right - window.right < step


def test_growing_clipping_and_placing():
    frame, window = Window(0, 0, 20, 30), Window(2, 25, 4, 5)
    assert window.grown(3) == Window(-1, 22, 10, 11)
    assert window.grown(3).clipped(frame) == Window(0, 22, 9, 8)
    assert window.place_in(window.grown(3)) == (slice(3, 7), slice(3, 8))
