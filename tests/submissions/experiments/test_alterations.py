import numpy as np
import pytest

from augment.crops import center_offset
from augment.manipulations import jpeg
from submissions.experiments.alterations import ALTERATIONS

IMAGE = np.random.default_rng(0).integers(60, 200, (80, 96, 3), np.uint8)


def altered(name, level, pixels=IMAGE, seed=0):
    return ALTERATIONS[name].apply(pixels, level, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("name", "level"), [(name, level) for name, kind in ALTERATIONS.items() for level in kind.levels]
)
def test_every_level_changes_the_image_reproducibly_and_returns_rgb(name, level):
    found = altered(name, level)
    assert found.dtype == np.uint8 and found.ndim == 3 and found.shape[2] == 3
    np.testing.assert_array_equal(altered(name, level), found)
    assert found.shape != IMAGE.shape or (found != IMAGE).any() or name == "crop"


@pytest.mark.parametrize("name", ["jpeg", "noise", "blur"])
def test_later_levels_are_stronger(name):
    errors = [np.abs(altered(name, level).astype(int) - IMAGE).mean() for level in ALTERATIONS[name].levels]
    assert errors == sorted(errors) and errors[0] < errors[-1]


def test_alterations_are_what_their_levels_say():
    np.testing.assert_array_equal(altered("jpeg", 60), jpeg(IMAGE, 60))
    assert altered("scale", 0.5).shape == (40, 48, 3)
    noise = altered("noise", 4, np.full((200, 200, 3), 128, np.uint8)).astype(float)
    assert noise.std() == pytest.approx(4, rel=0.05) and noise.mean() == pytest.approx(128, abs=0.1)
    assert altered("crop", 64).shape == (64, 64, 3)
    assert altered("crop", 384).shape == (80, 80, 3)  # all that there is


@pytest.mark.parametrize("level", ALTERATIONS["shift"].levels)
@pytest.mark.parametrize("side", [80, 200, 300])
def test_shift_moves_the_phase_of_the_center(level, side):
    rows = np.arange(side, dtype=np.uint16)[:, None, None] % 256
    ramp = np.broadcast_to(rows, (side, side, 3)).astype(np.uint8)
    size = 64
    first = {
        kind: pixels[center_offset(len(pixels), size), 0, 0]
        for kind, pixels in {"before": ramp, "after": altered("shift", level, ramp)}.items()
    }
    assert (int(first["after"]) - int(first["before"])) % 8 == level
