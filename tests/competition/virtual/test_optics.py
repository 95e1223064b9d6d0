from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from competition.virtual.cameras import CAMERAS
from competition.virtual.exposure import Settings
from competition.virtual.optics import (
    Blur,
    blur_kernel,
    defocus_radius,
    form_image,
    layer_blurs,
    layer_views,
    vignetting,
)
from competition.virtual.scenes import Layer, LayerImage, View, make_scene
from competition.virtual.window import Window

CAMERA = CAMERAS["Virtual-Alder-A1"]
LEAVES = make_scene(np.random.default_rng(0), 32, 32, 0.1).layers[0].leaves


def spread(kernel):
    """Variance of a kernel along x and y."""
    axis = np.arange(len(kernel)) - len(kernel) // 2
    return (kernel.sum(0) * axis**2).sum(), (kernel.sum(1) * axis**2).sum()


@given(st.floats(0, 8), st.floats(-8, 8), st.floats(-8, 8), st.floats(0.4, 1.2))
def test_kernel_keeps_total_light(radius, x, y, sigma):
    kernel = blur_kernel(radius, (x, y), sigma)
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    assert kernel.min() >= 0
    assert np.allclose(kernel, kernel[::-1, ::-1], atol=1e-6)


def test_motion_blur_has_the_direction_of_motion():
    along, across = spread(blur_kernel(0, (9, 0), 0.5))
    assert along == pytest.approx(9**2 / 12 + across, rel=0.2)


def test_defocus_grows_with_distance_from_focus_and_aperture():
    assert defocus_radius(CAMERA, 35, 2.0, 2.0, 2.0, 640) == 0
    near, far = (defocus_radius(CAMERA, 35, 2.0, 2.0, depth, 640) for depth in (3.0, 9.0))
    assert 0 < near < far
    assert defocus_radius(CAMERA, 35, 4.0, 2.0, 9.0, 640) == pytest.approx(far / 2)


WINDOW = Window(0, 0, 64, 64)


def detail(f_number, time, depth=2.0, velocity=(0.0, 0.0)):
    """Standard deviation of the image of white noise in the center."""
    layer = Layer(LEAVES, True, depth, velocity)
    settings = Settings(f_number, 100, time, 2, 0.0)
    (blur,) = layer_blurs([layer], settings, CAMERA, 35, 2.0, (0.0, 0.0), 1.0)
    noise = np.random.default_rng(0).uniform(0.1, 1, size=(64, 64)).astype(np.float32)
    samples = noise.reshape(64 // blur.step, blur.step, 64 // blur.step, blur.step).mean(axis=(1, 3))
    view = View(WINDOW.coarse(blur.step), blur.step)
    image = form_image([LayerImage(np.stack([samples] * 3), None)], [view], [blur], WINDOW, "RGGB")
    return image[16:48, 16:48].std()


def test_aperture_blurs_by_depth_and_exposure_time_blurs_motion():
    short, long = Fraction(1, 1000), Fraction(1, 4)
    assert detail(1.8, short, depth=0.5) < 0.7 * detail(8.0, short, depth=0.5)
    assert detail(4.0, long, velocity=(40.0, 0.0)) < 0.6 * detail(4.0, short, velocity=(40.0, 0.0))
    assert detail(4.0, long) == pytest.approx(detail(4.0, short))


def test_blur_is_the_same_at_reduced_resolution():
    y, x = np.mgrid[:128, :128].astype(np.float32)
    image = (np.hypot(x - 60, y - 66) < 30).astype(np.float32)
    for radius, step in ((4.0, 2), (8.0, 4)):
        blur = Blur(radius, (0.0, 0.0), 0.7)
        assert blur.step == step
        samples = image.reshape(128 // step, step, 128 // step, step).mean(axis=(1, 3))
        (reduced,) = blur.apply([samples])
        expected = cv2.filter2D(image, -1, blur_kernel(radius, (0.0, 0.0), 0.7))
        assert np.abs(reduced - expected).max() < 0.06


def test_near_layer_hides_what_is_behind_it():
    sharp = Blur(0.0, (0.0, 0.0), 0.4)
    alpha = np.zeros((64, 64), np.float32)
    alpha[20:41, 11:33] = 1
    behind = LayerImage(np.full((3, 64, 64), 0.2, np.float32), None)
    near = LayerImage(np.stack([0.8 * alpha] * 3), alpha)
    image = form_image([behind, near], [View(WINDOW, 1)] * 2, [sharp] * 2, WINDOW, "GRBG")
    assert image[23:38, 14:30] == pytest.approx(0.8) and image[45:] == pytest.approx(0.2)
    assert image.min() > 0.19 and image.max() < 0.81


def test_layers_are_drawn_as_far_as_blur_reaches():
    window = Window(32, 48, 20, 30)
    blurs = [Blur(2.0, (0.0, 0.0), 0.7), Blur(0.0, (0.0, 0.0), 0.7), Blur(10.0, (3.0, 0.0), 0.7)]
    views = layer_views(window, blurs)
    assert [view.step for view in views] == [1, 1, 4] and views[0] == views[1]
    for view, blur in zip(views, blurs, strict=True):
        assert window.grown(blur.reach()).clipped(view.window.fine(view.step)) == window.grown(blur.reach())


def test_wide_aperture_darkens_corners_more():
    frame = Window(0, 0, 40, 60)
    wide, closed = vignetting(frame, frame, 1.8), vignetting(frame, frame, 8.0)
    part = Window(5, 8, 10, 12)
    assert np.array_equal(vignetting(part, frame, 1.8), wide[5:15, 8:20])
    assert wide[0, 0] < closed[0, 0] < 1
    assert wide[20, 30] == pytest.approx(1, abs=0.01)
