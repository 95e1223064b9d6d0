"""The fingerprint survives resizing and compression, and tells scenes apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from competition.doctor.duplicates import NEAR, fingerprint, near_pairs


def scene(seed: int) -> Image.Image:
    """A smooth random picture with the 1/f spectrum of photographs."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(192), np.fft.fftfreq(128)))
    spectrum = np.fft.fft2(rng.normal(size=(128, 192))) / np.maximum(frequency, 1 / 192)
    gray = np.fft.ifft2(spectrum).real
    gray = (gray - gray.min()) / np.ptp(gray) * 255
    return Image.fromarray(gray.astype(np.uint8)).convert("RGB")


def mark(image: Image.Image, path, **options) -> int:
    image.save(path, **options)
    found, fault = fingerprint(path)
    assert fault is None
    return found


@pytest.mark.parametrize("seed", range(5))
def test_the_same_scene_stays_near(seed, tmp_path):
    image = scene(seed)
    original = mark(image, tmp_path / "a.png")
    compressed = mark(image, tmp_path / "b.jpg", quality=40)
    smaller = mark(image.resize((96, 64)), tmp_path / "c.jpg", quality=90)
    brighter = mark(image.point(lambda gray: min(255, gray + 20)), tmp_path / "d.png")
    assert max((original ^ other).bit_count() for other in (compressed, smaller, brighter)) <= NEAR


def test_other_scenes_are_far(tmp_path):
    marks = [mark(scene(seed), tmp_path / "a.png") for seed in range(20)]
    distances = [(one ^ other).bit_count() for i, one in enumerate(marks) for other in marks[:i]]
    assert min(distances) > NEAR
    assert 24 <= np.mean(distances) <= 40


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
def test_a_cut_file_does_not_decode(name, tmp_path):
    scene(0).save(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    found, fault = fingerprint(tmp_path / name)
    assert found is None
    assert "decode" in fault


marks = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 255), max_size=20)


@given(marks, marks)
def test_pairs_are_those_of_a_plain_search(ours, others):
    expected = {}
    for index, mine in enumerate(ours):
        distances = [(mine ^ other).bit_count() for other in others]
        if distances and min(distances) <= NEAR:
            expected[index] = distances.index(min(distances))
    assert near_pairs(ours, others) == expected
