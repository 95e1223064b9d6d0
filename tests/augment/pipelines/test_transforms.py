import numpy as np
import pytest

from augment.manipulations import jpeg
from augment.pipelines.transforms import A, Jpeg
from competition.utils.errors import InputError

IMAGE = np.random.default_rng(0).integers(0, 256, (48, 40, 3), np.uint8)


def test_image_is_compressed_as_by_the_plain_function_with_every_quality_of_the_range():
    transform = Jpeg((60, 62), p=1)
    transform.set_random_seed(0)
    seen = {transform(image=IMAGE)["image"].tobytes() for _ in range(50)}
    assert seen == {jpeg(IMAGE, quality).tobytes() for quality in (60, 61, 62)}


def test_albumentations_swaps_red_and_blue_which_this_transform_is_there_for():
    found = A.ImageCompression("jpeg", (60, 60), p=1)(image=IMAGE)["image"]
    swapped = jpeg(np.ascontiguousarray(IMAGE[..., ::-1]), 60)[..., ::-1]
    difference = [np.abs(found.astype(int) - other).mean() for other in (swapped, jpeg(IMAGE, 60))]
    assert difference[0] < 0.5 < difference[1]


@pytest.mark.parametrize("qualities", [(0, 50), (60, 50), (90, 101)])
def test_impossible_qualities_are_rejected(qualities):
    with pytest.raises(InputError, match="two rising qualities"):
        Jpeg(qualities)
