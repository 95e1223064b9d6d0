import numpy as np
import pytest

from competition.virtual.scenes import View, make_scene
from competition.virtual.window import Window

HEIGHT, WIDTH = 96, 128
RGB = np.eye(3)


def scene(seed, height=HEIGHT, width=WIDTH):
    return make_scene(np.random.default_rng(seed), height, width, 0.2)


def render(made, window=None, step=1):
    window = window or Window(0, 0, HEIGHT, WIDTH)
    return list(made.render([View(window, step)] * len(made.layers), RGB))


def test_same_seed_gives_same_scene():
    first, again, other = (render(scene(seed)) for seed in (1, 1, 2))
    assert all(np.array_equal(a.planes, b.planes) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0].planes, other[0].planes)


def test_light_is_positive_and_layers_come_from_back_to_front():
    for seed in range(5):
        made = scene(seed)
        depths = [layer.depth for layer in made.layers]
        assert depths == sorted(depths, reverse=True)
        background, *others = render(made)
        assert background.alpha is None and background.planes.min() > 0
        for layer in others:
            assert layer.planes.shape == (3, HEIGHT, WIDTH) and layer.alpha.shape == (HEIGHT, WIDTH)
            assert layer.planes.dtype == layer.alpha.dtype == np.float32
            assert np.isfinite(layer.planes).all()
            assert ((layer.planes > 0) == (layer.alpha == 1)).all()


def test_window_equals_part_of_whole_scene():
    window = Window(17, 30, 40, 51)
    for seed in range(5):
        made = scene(seed)
        for whole, part in zip(render(made), render(made, window), strict=True):
            # OpenCV rounds outlines that cross the window's border differently.
            assert np.isclose(part.planes, whole.planes[:, 17:57, 30:81], rtol=1e-5).mean() > 0.995


def test_views_may_reach_beyond_the_frame():
    inside = render(scene(1))[0].planes
    beyond = render(scene(1), Window(-20, -10, HEIGHT + 40, WIDTH + 20))[0].planes
    assert np.isfinite(beyond).all() and beyond.min() > 0
    assert np.isclose(beyond[:, 20:-20, 10:-10], inside, rtol=1e-5).mean() > 0.995


def test_coarse_view_shows_the_same_scene():
    for seed in range(5):
        made = make_scene(np.random.default_rng(seed), 192, 256, 1.0)
        whole, coarse = (
            np.log(render(made, Window(0, 0, 192, 256).coarse(step), step)[0].planes[1]) for step in (1, 4)
        )
        means = whole.reshape(48, 4, 64, 4).mean(axis=(1, 3))
        assert np.corrcoef(means.ravel(), coarse.ravel())[0, 1] > 0.8
        assert means.mean() == pytest.approx(coarse.mean(), abs=0.1)
        assert means.std() == pytest.approx(coarse.std(), rel=0.2)


def test_colors_mix_the_planes():
    green = np.array([[0, 1, 0]])
    view = View(Window(0, 0, HEIGHT, WIDTH), 1)
    made = scene(1)
    for layer, single in zip(render(made), made.render([view] * 3, green), strict=True):
        assert single.planes.shape == (1, HEIGHT, WIDTH)
        assert np.allclose(single.planes[0], layer.planes[1], rtol=1e-5)


def test_amplitude_spectrum_falls_about_as_one_over_frequency():
    slopes = []
    for seed in range(8):
        log_light = np.log(render(scene(seed, 128, 128), Window(0, 0, 128, 128))[0].planes[1])
        window = np.outer(np.hanning(128), np.hanning(128))
        amplitude = np.abs(np.fft.fft2((log_light - log_light.mean()) * window))
        frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(128), np.fft.fftfreq(128)))
        bands = [(0.02, 0.04), (0.04, 0.08), (0.08, 0.16), (0.16, 0.32)]
        level = [np.log2(amplitude[(frequency >= low) & (frequency < high)].mean()) for low, high in bands]
        slopes.append(np.polyfit(range(4), level, 1)[0])
    assert -1.6 < np.mean(slopes) < -0.6


def test_illuminants_vary_far_more_than_camera_models():
    colors = np.array([scene(seed, 32, 32).illuminant for seed in range(40)])
    assert np.log(colors[:, 0] / colors[:, 2]).std() > 0.25
