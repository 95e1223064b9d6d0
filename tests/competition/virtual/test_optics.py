from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from competition.virtual.cameras import CAMERAS
from competition.virtual.exposure import Settings
from competition.virtual.optics import blur_kernel, defocus_radius, form_image, vignetting
from competition.virtual.scenes import Layer, Scene

CAMERA = CAMERAS["Virtual-Alder-A1"]


def spread(kernel):
    """Variance of a kernel along x and y."""
    axis = np.arange(len(kernel)) - len(kernel) // 2
    return (kernel.sum(0) * axis**2).sum(), (kernel.sum(1) * axis**2).sum()


@given(st.floats(0, 8), st.floats(-8, 8), st.floats(-8, 8), st.floats(0.4, 1.2))
def test_a_kernel_moves_light_but_loses_none(radius, x, y, sigma):
    kernel = blur_kernel(radius, (x, y), sigma)
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    assert kernel.min() >= 0
    assert np.allclose(kernel, kernel[::-1, ::-1], atol=1e-6)


def test_motion_blurs_along_its_direction():
    along, across = spread(blur_kernel(0, (9, 0), 0.5))
    assert along == pytest.approx(9**2 / 12 + across, rel=0.2)


def test_defocus_grows_with_distance_from_focus_and_with_the_aperture():
    assert defocus_radius(CAMERA, 35, 2.0, 2.0, 2.0, 640) == 0
    near, far = (defocus_radius(CAMERA, 35, 2.0, 2.0, depth, 640) for depth in (3.0, 9.0))
    assert 0 < near < far
    assert defocus_radius(CAMERA, 35, 4.0, 2.0, 9.0, 640) == pytest.approx(far / 2)


def detail(f_number, time, depth=2.0, velocity=(0.0, 0.0)):
    noise = np.random.default_rng(0).uniform(0.1, 1, size=(64, 64, 3)).astype(np.float32)
    scene = Scene((Layer(noise, np.ones((64, 64), np.float32), depth, velocity),), 8.0, np.ones(3, np.float32))
    settings = Settings(f_number, 100, time, 2, 0.0)
    return form_image(scene, settings, CAMERA, 35, 2.0, (0.0, 0.0), 1.0)[16:48, 16:48].std()


def test_aperture_blurs_by_depth_and_time_blurs_what_moves():
    short, long = Fraction(1, 1000), Fraction(1, 4)
    assert detail(1.8, short, depth=0.5) < 0.7 * detail(8.0, short, depth=0.5)
    assert detail(4.0, long, velocity=(40.0, 0.0)) < 0.6 * detail(4.0, short, velocity=(40.0, 0.0))
    assert detail(4.0, long) == pytest.approx(detail(4.0, short))


def test_a_wide_open_lens_darkens_the_corners_more():
    wide, closed = vignetting(40, 60, 1.8), vignetting(40, 60, 8.0)
    assert wide[0, 0] < closed[0, 0] < 1
    assert wide[20, 30] == pytest.approx(1, abs=0.01)
