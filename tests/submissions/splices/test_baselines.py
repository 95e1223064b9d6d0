"""The energy map is bright in rough parts; a random map depends on the name of the image alone."""

import numpy as np

from submissions.splices.baselines import energy_map, random_map
from submissions.splices.consistency import make_grid

GRID = make_grid(60, 90, 16, 12)


def test_energy_is_high_in_rough_parts_and_zero_in_flat_ones(make_picture):
    pixels, mask = make_picture(0, True)
    found = energy_map(pixels, GRID)
    assert found.heat.max() == 1 and found.heat.min() == 0
    assert found.upsampled_heat()[mask].mean() > 0.7 and found.upsampled_heat()[:, 60:].mean() < 0.2
    assert found.score > energy_map(make_picture(0, False)[0], GRID).score
    flat = energy_map(np.zeros((60, 90, 3), np.uint8), GRID)
    assert not flat.heat.any() and flat.score < 1e-9


def test_random_map_depends_on_name_alone():
    first, again, other = (random_map(name, GRID) for name in ("a", "a", "b"))
    assert (first.heat == again.heat).all() and first.score == again.score
    assert (first.heat != other.heat).all() and first.score != other.score
