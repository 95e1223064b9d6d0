"""The albumentations transform applies the plain functions, reproducibly per sample."""

import numpy as np
import pytest

from augment.manipulations import manipulate
from augment.transforms import A, Manipulation
from competition.manipulation import MANIPULATIONS
from competition.utils.errors import InputError

IMAGE = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)


def augmented(seed):
    compose = A.Compose([Manipulation(p=0.5), A.RandomCrop(40, 40), A.HorizontalFlip()], seed=seed)
    return compose(image=IMAGE)["image"].tobytes()


def test_seed_of_a_sample_determines_its_result():
    assert [augmented(seed) for seed in range(12)] == [augmented(seed) for seed in range(12)]
    assert len({augmented(seed) for seed in range(12)}) == 12


def test_every_manipulation_occurs_and_equals_the_plain_function():
    transform = Manipulation(p=1)
    transform.set_random_seed(0)
    seen = {transform(image=IMAGE)["image"].tobytes() for _ in range(200)}
    assert seen == {manipulate(IMAGE, name).tobytes() for name in MANIPULATIONS}


def test_resize_before_and_jpeg_after_the_crop_follow_the_competition():
    compose = A.Compose(
        [Manipulation(("resize0.5",), p=1), A.CenterCrop(32, 32), Manipulation(("jpeg70",), p=1)], seed=0
    )
    expected = manipulate(np.ascontiguousarray(manipulate(IMAGE, "resize0.5")[8:40, 8:40]), "jpeg70")
    assert (compose(image=IMAGE)["image"] == expected).all()


def test_unknown_name_is_rejected():
    with pytest.raises(InputError, match="unknown manipulation 'blur'"):
        Manipulation(("blur",))
