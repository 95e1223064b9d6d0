"""Contributions sum to the log-odds, lie where the evidence is, and depend on what the network has learned."""

import keras
import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression

from models.classifier import build
from models.evidence_maps import HISTOGRAMS, dct_evidence, grad_cam, has_backbone, has_dct_evidence
from models.presets import classifier_recipe
from models.recipe import change

SIDE, BLOCKS = 64, 64 // 8
CLASSES = 3
DIFFERENT = 0.5  # largest rank correlation of the maps of a network and of a randomized one
SAME = 0.8  # smallest rank correlation of the maps of two trainings


def noise(camera: int, seed: int, height: int = SIDE, width: int = SIDE) -> np.ndarray:
    """Noise whose horizontal roughness identifies the camera."""
    coarse = np.random.default_rng((camera, seed)).integers(64, 192, (height, width, 3), dtype=np.uint8)
    return np.repeat(coarse, camera + 1, axis=1)[:, :width]


def halves(left: int, right: int, seed: int, side: int = SIDE) -> np.ndarray:
    """An image whose halves are by two cameras."""
    return np.concatenate([noise(camera, seed, side, side // 2) for camera in (left, right)], axis=1)


def log_odds(network: keras.Model, pixels: np.ndarray, target: int) -> float:
    inputs = {"patch": pixels[None], "is_manipulated": np.zeros((1, 1), np.float32)}
    probabilities = np.asarray(network(inputs)["camera"], np.float64)[0]
    return float(np.log(probabilities[target] / np.delete(probabilities, target).sum()))


def untrained(member: str = "dctnet") -> keras.Model:
    keras.utils.set_random_seed(0)
    return build(
        member, change(classifier_recipe("smoke", member), patch=SIDE, front_end_recipe=None), {"camera": CLASSES}
    )


def train(seed: int) -> keras.Model:
    """A front end alone whose last layer is trained on patches of the three cameras, behind random layers."""
    network = untrained()
    truth = np.arange(60) % CLASSES
    patches = np.stack([noise(camera, number + 1000 * seed) for number, camera in enumerate(truth.tolist())])
    histograms = np.asarray(network.get_layer(HISTOGRAMS)(network.get_layer("dct")(patches)))
    scale, shift, *_ = network.get_layer("front_end_bn").get_weights()
    statistics = [histograms.mean(axis=0), histograms.var(axis=0) + 1e-3]
    network.get_layer("front_end_bn").set_weights([scale, shift, *statistics])
    hidden = keras.Model(network.input, network.get_layer("front_end_camera").input)
    features = np.asarray(hidden({"patch": patches, "is_manipulated": np.zeros((60, 1), np.float32)}))
    last = LogisticRegression().fit(features, truth)
    network.get_layer("front_end_camera").set_weights([last.coef_.T, last.intercept_])
    return network


@pytest.fixture(scope="module")
def trained() -> keras.Model:
    return train(seed=1)


def randomize(network: keras.Model, layers: tuple[str, ...]) -> keras.Model:
    """A copy of a network whose `layers` have their weights in random order (Adebayo et al. 2018, section 3)."""
    copy, rng = keras.models.clone_model(network), np.random.default_rng(3)
    copy.set_weights(network.get_weights())
    for name in layers:
        layer = copy.get_layer(name)
        layer.set_weights([rng.permutation(weight.ravel()).reshape(weight.shape) for weight in layer.get_weights()])
    return copy


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    return float(spearmanr(first.ravel(), second.ravel()).statistic)


@pytest.mark.parametrize("target", range(CLASSES))
def test_contributions_sum_to_the_difference_of_the_log_odds(trained, target):
    first, second = noise(0, 5), halves(1, 2, 6)
    maps = [dct_evidence(trained, pixels, False, target) for pixels in (first, second)]
    for each in maps:
        assert each.blocks.shape == (BLOCKS, BLOCKS)
        assert each.frequencies.shape == (3, 8, 8)
        np.testing.assert_allclose(each.blocks.sum(), each.frequencies.sum(), rtol=1e-4, atol=1e-4)
    difference = log_odds(trained, first, target) - log_odds(trained, second, target)
    np.testing.assert_allclose(maps[0].blocks.sum() - maps[1].blocks.sum(), difference, rtol=0.02, atol=0.05)


@pytest.mark.parametrize(("camera", "other"), [(0, 1), (1, 2), (2, 0)])
def test_evidence_lies_in_the_half_by_the_camera(trained, camera, other):
    maps = dct_evidence(trained, halves(camera, other, 7, side=256), False, camera).blocks
    left, right = maps[:, :16], maps[:, 16:]
    error = np.sqrt((left.var() + right.var()) / left.size)
    assert left.mean() - right.mean() > 4 * error


def test_an_image_may_have_any_shape(trained):
    maps = dct_evidence(trained, noise(1, 9, height=40, width=112), True, 0)
    assert maps.blocks.shape == (5, 14)
    assert np.isfinite(maps.blocks).all()


@pytest.mark.parametrize(
    "layers", [("front_end_camera",), ("front_end_dense_0", "front_end_dense_1", "front_end_camera")]
)
def test_maps_of_a_randomized_network_differ(trained, layers):
    pixels = halves(0, 2, 10)
    maps, others = (
        [dct_evidence(network, pixels, False, target) for target in range(CLASSES)]
        for network in (trained, randomize(trained, layers))
    )
    for name in ("blocks", "frequencies"):
        found = [correlation(getattr(a, name), getattr(b, name)) for a, b in zip(maps, others, strict=True)]
        assert np.abs(np.mean(found)) < DIFFERENT


def test_maps_of_another_training_on_other_patches_agree(trained):
    other, pixels = train(seed=2), halves(0, 2, 10)
    for target in (0, 2):
        assert correlation(*(dct_evidence(each, pixels, False, target).blocks for each in (trained, other))) > SAME


def test_grad_cam_finds_the_place_that_speaks_for_the_class(tiny_mobilenet):
    """The logit of class 1 is the mean of one feature, which is large where the image is bright."""
    network = untrained("mobilenet")
    assert has_backbone(network)
    assert has_dct_evidence(network)
    assert grad_cam(network, noise(0, 11), False, 1).max() == 0  # the backbone's logits start at zero
    patch = keras.Input((None, None, 3), dtype="uint8", name="patch")
    flag = keras.Input((1,), name="is_manipulated")
    maps = keras.layers.AveragePooling2D(8)(keras.layers.Rescaling(1 / 255)(patch))
    pooled = keras.layers.GlobalAveragePooling2D(name="features")(maps)
    kernel = keras.initializers.Constant(np.array([[0, 1, 0]] * 3))
    logits = keras.layers.Dense(CLASSES, kernel_initializer=kernel)(pooled)
    bright = keras.Model(
        {"patch": patch, "is_manipulated": flag}, {"camera": keras.layers.Softmax(name="camera")(logits)}
    )
    assert not has_dct_evidence(bright)
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
    pixels[:8, 16:24] = 200
    expected = np.zeros((BLOCKS, BLOCKS))
    expected[0, 2] = 1
    np.testing.assert_allclose(grad_cam(bright, pixels, False, 1), expected, atol=1e-6)
    assert grad_cam(bright, pixels, False, 0).max() == 0
