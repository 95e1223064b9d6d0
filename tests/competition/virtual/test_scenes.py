import numpy as np

from competition.virtual.scenes import make_scene


def scene(seed, height=96, width=128):
    return make_scene(np.random.default_rng(seed), height, width, 0.2)


def test_the_same_seed_is_the_same_scene_and_another_is_not():
    first, again, other = scene(1), scene(1), scene(2)
    assert all(np.array_equal(a.radiance, b.radiance) for a, b in zip(first.layers, again.layers, strict=True))
    assert not np.array_equal(first.layers[0].radiance, other.layers[0].radiance)


def test_light_is_positive_and_layers_come_from_back_to_front():
    for seed in range(5):
        made = scene(seed)
        depths = [layer.depth for layer in made.layers]
        assert depths == sorted(depths, reverse=True)
        assert made.layers[0].alpha.all()  # nothing shows behind the background
        for layer in made.layers:
            assert layer.radiance.shape == (96, 128, 3)
            assert layer.radiance.dtype == layer.alpha.dtype == np.float32
            assert np.isfinite(layer.radiance).all() and layer.radiance.min() > 0


def test_amplitudes_fall_about_as_one_over_frequency():
    slopes = []
    for seed in range(8):
        log_light = np.log(scene(seed, 128, 128).layers[0].radiance[..., 1])
        window = np.outer(np.hanning(128), np.hanning(128))
        amplitude = np.abs(np.fft.fft2((log_light - log_light.mean()) * window))
        frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(128), np.fft.fftfreq(128)))
        bands = [(0.02, 0.04), (0.04, 0.08), (0.08, 0.16), (0.16, 0.32)]
        level = [np.log2(amplitude[(frequency >= low) & (frequency < high)].mean()) for low, high in bands]
        slopes.append(np.polyfit(range(4), level, 1)[0])
    assert -1.6 < np.mean(slopes) < -0.6


def test_illuminants_vary_far_more_than_models_do():
    colors = np.array([scene(seed, 32, 32).illuminant for seed in range(40)])
    assert np.log(colors[:, 0] / colors[:, 2]).std() > 0.25
