import cv2
import numpy as np
import pytest

from competition.virtual.regions import MAX_SHARE, MIN_SHARE, draw_region


def test_regions_are_connected_and_within_bounds():
    rng = np.random.default_rng(0)
    areas = []
    for _ in range(200):
        region = draw_region(rng, 120, 160, inside=(110, 150), margin=8)
        assert region.shape == (120, 160) and region.dtype == bool
        rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
        assert rows[0] >= 8 and columns[0] >= 8 and rows[-1] < 110 - 8 and columns[-1] < 150 - 8
        assert cv2.connectedComponents(region.astype(np.uint8))[0] == 2
        areas.append(region.mean())
    assert min(areas) >= MIN_SHARE and max(areas) <= MAX_SHARE
    assert min(areas) < 0.03 and max(areas) > 0.25


def test_same_seed_gives_same_region():
    one, other = (draw_region(np.random.default_rng(4), 90, 90, (90, 90), 5) for _ in range(2))
    assert (one == other).all()


def test_part_without_room_raises():
    with pytest.raises(ValueError, match="expected room for a region"):
        draw_region(np.random.default_rng(0), 100, 100, inside=(30, 100), margin=15)
