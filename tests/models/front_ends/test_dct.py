import io

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.fft import dctn

from augment.dihedral import N_TRANSFORMS, dihedral_transform
from models.classifier import build
from models.front_ends.dct import (
    BLOCK,
    EDGES,
    RAMP,
    BlockDct,
    CoefficientHistograms,
    LogMagnitude,
    Transposition,
    dct_matrix,
)
from models.presets import classifier_recipe


def photo(seed: int, side: int = 32) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def magnitudes(pixels: np.ndarray, block: int = BLOCK) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(BlockDct(block)(pixels[None])))[0]


def test_the_matrix_is_orthonormal():
    matrix = dct_matrix(8)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(8), atol=1e-12)


@pytest.mark.parametrize("block", [4, 8, 16])
def test_coefficients_equal_those_of_scipy(block):
    pixels = photo(0)
    luminance = pixels @ np.array([0.299, 0.587, 0.114]) - 128
    expected = np.abs(dctn(luminance[block : 2 * block, :block], norm="ortho"))
    found = magnitudes(pixels, block)[1, 0, : block**2].reshape(block, block)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_gray_pixels_have_no_chroma():
    gray = np.repeat(photo(1)[..., :1], 3, axis=-1)
    np.testing.assert_allclose(magnitudes(gray)[..., BLOCK**2 :], 0, atol=1e-2)


@given(st.integers(0, 1000), st.sampled_from([1, 2]))
def test_a_flip_leaves_the_magnitudes_as_they_are(seed, axis):
    pixels = photo(seed)
    flipped = magnitudes(np.flip(pixels, axis - 1))
    np.testing.assert_allclose(np.flip(flipped, axis - 1), magnitudes(pixels), atol=2e-3)


@given(st.integers(0, 1000))
def test_a_transposition_swaps_the_two_frequencies(seed):
    pixels = photo(seed)
    found = magnitudes(pixels.transpose(1, 0, 2)).reshape(4, 4, 3, BLOCK, BLOCK)
    expected = magnitudes(pixels).reshape(4, 4, 3, BLOCK, BLOCK).transpose(1, 0, 2, 4, 3)
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_a_gain_shifts_the_logarithm_of_large_coefficients():
    pixels = (photo(2) // 2).astype(np.uint8)
    log = LogMagnitude()
    low, high = (np.asarray(log(magnitudes(each))) for each in (pixels, pixels * 2))
    large = (magnitudes(pixels) > 50) & (np.arange(3 * BLOCK**2) % BLOCK**2 > 0)  # the gain moves the mean differently
    assert large.sum() > 100
    np.testing.assert_allclose((high - low)[large], np.log(2), atol=0.02)


def test_half_precision_keeps_the_last_gray_level():
    one = np.full((1, 8, 8, 3), 128, np.uint8)
    one[0, 0, 0] += 1
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        found = BlockDct()(one)
    finally:
        keras.config.set_dtype_policy(policy)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    np.testing.assert_allclose(np.asarray(found)[0, 0, 0, 0], 1 / 8, rtol=1e-4)


def test_histograms_are_the_shares_of_blocks_in_each_bin():
    middles = np.add([*EDGES, 100], [0, *EDGES]) / 2  # of the bins, and above the last edge
    values = np.random.default_rng(3).choice(middles, (2, 5, 6, 4)).astype(np.float32)
    found = np.asarray(CoefficientHistograms()(values)).reshape(2, len(EDGES), 4)
    for image in range(2):
        for channel in range(4):
            counts, _ = np.histogram(values[image, ..., channel], [0, *EDGES])
            np.testing.assert_allclose(found[image, :, channel] ** 2, counts / 30, atol=1e-6)


def test_a_magnitude_at_an_edge_is_divided_so_that_rounding_hardly_matters():
    values = np.full((3, 1, 1, 1), 8, np.float32)
    values[1:] += [[[[1e-5]]], [[[RAMP]]]]
    at, near, above = np.asarray(CoefficientHistograms()(values)) ** 2
    edge = EDGES.index(8)
    np.testing.assert_allclose(at[edge : edge + 2], 0.5, atol=1e-6)
    np.testing.assert_allclose(near, at, atol=1e-4)
    np.testing.assert_allclose(above[edge : edge + 2], [0, 1], atol=1e-6)


@pytest.mark.parametrize("element", range(N_TRANSFORMS))
def test_histograms_of_dihedral_views_differ_by_the_two_frequencies_at_most(element):
    pixels = photo(4, 64)
    histograms = CoefficientHistograms()
    views = np.stack([pixels, dihedral_transform(pixels, element)])
    first, view = np.asarray(histograms(BlockDct()(views))).reshape(2, len(EDGES), 3, BLOCK, BLOCK)
    transposed = view.transpose(0, 1, 3, 2)
    assert min(np.abs(first - view).max(), np.abs(first - transposed).max()) < 0.2  # a magnitude may lie on an edge
    assert min(np.abs(first - view).mean(), np.abs(first - transposed).mean()) < 1e-3


def test_a_transposition_of_the_histograms_gives_those_of_the_transposed_patch():
    pixels = photo(6, 64)
    histograms = CoefficientHistograms()(BlockDct()(np.stack([pixels, pixels.transpose(1, 0, 2)])))
    found = np.asarray(Transposition()(histograms))
    # A sum in another order may move a magnitude within the ramp of an edge.
    np.testing.assert_allclose(found, np.asarray(histograms)[::-1], atol=0.02)


def test_the_network_gives_all_eight_views_of_a_patch_the_same_probabilities():
    keras.utils.set_random_seed(7)
    network = build("dctnet", classifier_recipe("smoke", "dctnet"), {"camera": 5})
    views = np.stack([dihedral_transform(photo(8, 64), element) for element in range(N_TRANSFORMS)])
    flags = np.zeros((N_TRANSFORMS, 1), np.float32)
    found = np.asarray(network({"patch": views, "is_manipulated": flags})["camera"])
    assert found[0].max() - found[0].min() > 0.01
    np.testing.assert_allclose(found, np.tile(found[0], (N_TRANSFORMS, 1)), atol=1e-3)


def test_histograms_show_the_quantization_step_of_a_jpeg():
    smooth = np.asarray(Image.fromarray(photo(5, 16)).resize((256, 256), Image.Resampling.BICUBIC))
    shares = []
    for quality in (70, 95):
        stream = io.BytesIO()
        Image.fromarray(smooth).save(stream, "JPEG", quality=quality, subsampling=0)
        found = np.asarray(CoefficientHistograms()(magnitudes(np.asarray(Image.open(stream)))[None]))
        shares.append(
            found.reshape(len(EDGES), -1)[4:7, 1].sum()
        )  # 2 to 5 gray levels of the first luminance frequency
    coarse, fine = shares
    assert coarse < fine / 2  # with a step of 7, no coefficient is near 3
