"""The perceptual hash is stable under resizing and compression, and differs between scenes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from competition.doctor.duplicates import MAX_DISTANCE, near_duplicates, perceptual_hash


def scene(seed: int) -> Image.Image:
    """A random image with the 1/f spectrum of photos."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(192), np.fft.fftfreq(128)))
    spectrum = np.fft.fft2(rng.normal(size=(128, 192))) / np.maximum(frequency, 1 / 192)
    gray = np.fft.ifft2(spectrum).real
    gray = (gray - gray.min()) / np.ptp(gray) * 255
    return Image.fromarray(gray.astype(np.uint8)).convert("RGB")


def hash_of(image: Image.Image, path, **options) -> int:
    image.save(path, **options)
    found, error = perceptual_hash(path)
    assert found is not None and error is None
    return found


@pytest.mark.parametrize("seed", range(5))
def test_the_same_scene_stays_within_the_distance(seed, tmp_path):
    image = scene(seed)
    original = hash_of(image, tmp_path / "a.png")
    compressed = hash_of(image, tmp_path / "b.jpg", quality=40)
    smaller = hash_of(image.resize((96, 64)), tmp_path / "c.jpg", quality=90)
    brighter = hash_of(image.point(lambda gray: min(255, gray + 20)), tmp_path / "d.png")
    assert max((original ^ other).bit_count() for other in (compressed, smaller, brighter)) <= MAX_DISTANCE


def test_other_scenes_differ_in_about_half_of_the_bits(tmp_path):
    hashes = [hash_of(scene(seed), tmp_path / "a.png") for seed in range(20)]
    distances = [(first ^ second).bit_count() for i, first in enumerate(hashes) for second in hashes[:i]]
    assert min(distances) > MAX_DISTANCE
    assert 24 <= np.mean(distances) <= 40


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
def test_a_truncated_file_does_not_decode(name, tmp_path):
    scene(0).save(tmp_path / name)
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) // 2])
    found, error = perceptual_hash(tmp_path / name)
    assert found is None
    assert error is not None and "does not decode completely" in error


hashes = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 255), max_size=20)


@given(hashes, hashes)
def test_near_duplicates_equal_those_of_a_plain_search(queries, references):
    expected = {}
    for index, query in enumerate(queries):
        distances = [(query ^ reference).bit_count() for reference in references]
        if distances and min(distances) <= MAX_DISTANCE:
            expected[index] = distances.index(min(distances))
    assert near_duplicates(queries, references) == expected
