"""Exactly the ten cameras of the competition are known, by all names of their variants."""

import pytest

from competition.cameras import CAMERAS, find_camera

LABELS = [
    *("HTC-1-M7", "LG-Nexus-5x", "Motorola-Droid-Maxx", "Motorola-Nexus-6", "Motorola-X"),
    *("Samsung-Galaxy-Note3", "Samsung-Galaxy-S4", "Sony-NEX-7", "iPhone-4s", "iPhone-6"),
]


def test_labels_are_those_of_the_competition():
    assert list(CAMERAS) == LABELS


def test_every_alias_identifies_its_camera_in_any_case():
    for label, camera in CAMERAS.items():
        for model in camera.models:
            assert find_camera(camera.make.upper(), model.lower()) == label
            assert find_camera(None, model) == label


def test_sizes_have_the_longer_side_first():
    assert all(long > short for camera in CAMERAS.values() for long, short in camera.native_sizes)


@pytest.mark.parametrize(
    ("make", "model"),
    [
        ("Apple", "iPhone 6 Plus"),
        ("Apple", "iPhone 6s"),
        ("Apple", "iPhone 4"),
        ("Huawei", "Nexus 6P"),
        ("LGE", "Nexus 5"),
        ("HTC", "HTC One_M8"),
        ("motorola", "XT1058"),  # the Moto X of 2013
        ("motorola", "XT1030"),  # the Droid Mini
        ("SAMSUNG", "GT-I9195"),  # the S4 mini
        ("SONY", "NEX-7N"),
        ("Canon", "Nexus 6"),
        ("Apple", None),
        (None, None),
    ],
)
def test_similar_and_unknown_cameras_are_not_identified(make, model):
    assert find_camera(make, model) is None
