"""Samples have the labels of the manifest or of the data set, and crop the patches of every photo."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from competition.manifest import COLUMNS, DTYPES
from competition.utils.errors import InputError
from submissions.probes.targets import photo_sample, splice_sample

SIDE = 24


def manifest(count: int = 12, **columns) -> pd.DataFrame:
    """A manifest of `count` photos; every third is in validation."""
    table = pd.DataFrame({name: [None] * count for name in COLUMNS})
    table = table.assign(path=[f"{number:02}.jpg" for number in range(count)], width=60, height=50, **columns)
    table["split"] = np.where(np.arange(count) % 3 == 2, "validation", "train")
    return table.astype(DTYPES)


def test_photos_without_a_label_are_left_out_and_counted():
    sample = photo_sample("iso", manifest(iso=[100.0, 900.0, 100.0, None] * 3), Path(), SIDE, 1, 0)
    assert sample.classes == ("below ISO 215.4", "from ISO 464.2")
    assert sample.names.tolist()[:4] == ["00.jpg", "01.jpg", "02.jpg", "04.jpg"] and len(sample.names) == 9
    assert sample.labels.tolist() == [0, 1, 0] * 3 and sample.notes == ("3 of 12 photos have no known iso",)
    assert sample.is_validation.sum() == 3


def test_groups_are_devices_in_classes_with_several_devices():
    device = ["x", "y", "v"] * 2 + ["z"] * 6
    sample = photo_sample("camera", manifest(camera=["ant"] * 6 + ["bee"] * 6, device=device), Path(), SIDE, 1, 0)
    assert sample.groups.tolist() == [*device[:6], *sample.names[6:]]


def test_patches_are_the_center_and_random_positions():
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    sample = photo_sample(
        "camera",
        manifest(camera=["ant", "bee", "cat"] * 4).iloc[[0, 1, 3, 4, 6, 2]].assign(camera=["ant", "bee"] * 3),
        Path(),
        SIDE,
        3,
        0,
    )
    patches = sample.crop(pixels, 1)
    np.testing.assert_array_equal(patches[0], pixels[18:42, 28:52])
    assert patches.shape == (3, SIDE, SIDE, 3) and (patches != sample.crop(pixels, 2)).any()
    np.testing.assert_array_equal(patches, sample.crop(pixels, 1))


def test_distortion_coefficients_are_equally_frequent():
    sample = photo_sample("radial-distortion", manifest(60), Path(), SIDE, 2, 0)
    assert sample.classes == ("-0.2", "-0.1", "+0", "+0.1", "+0.2")
    assert np.bincount(sample.labels[sample.is_validation]).tolist() == [4] * 5
    pixels = np.random.default_rng(0).integers(0, 256, (100, 120, 3), dtype=np.uint8)
    undistorted, distorted = (sample.crop(pixels, int(np.argmax(sample.labels == label))) for label in (2, 4))
    np.testing.assert_array_equal(undistorted[0], pixels[10:34, 12:36])
    assert (undistorted != distorted).any(axis=(1, 2, 3)).all()


@pytest.mark.parametrize(
    "target, columns, message",
    [
        (
            "lens",
            {},
            "unknown target 'lens'; known: camera, make, aperture, iso, exposure_time, radial-distortion, auth",
        ),
        ("make", {"make": "ACME"}, r"needs at least 2 classes, but the photos have 1 class\(es\) of make \(ACME\)"),
        ("make", {}, r"0 class\(es\) of make \(none\)"),
        ("camera", {"camera": ["a"] * 11 + ["b"]}, r"'b' has 0 training photo\(s\), expected at least 2"),
        ("iso", {"iso": [100.0, 900.0, None] * 4}, "no validation photo has a known iso"),
        ("radial-distortion", {}, "--patches of at most 4"),
    ],
)
def test_unusable_targets_raise(target, columns, message):
    with pytest.raises(InputError, match=message):
        photo_sample(target, manifest(**columns), Path(), SIDE, 5, 0)


def test_splices_are_split_by_class(casia1):
    sample = splice_sample("casia1", casia1, SIDE, 1, 0)
    assert sample.classes == ("authentic", "tampered")
    assert np.bincount(sample.labels[sample.is_validation]).tolist() == [3, 3]
    assert np.bincount(sample.labels[~sample.is_validation]).tolist() == [7, 7]
