import numpy as np
import pytest
from keras import optimizers

from models.schedule import Cycle


def rates(peak, steps):
    cycle = Cycle(peak, steps)
    return np.array([float(cycle(step)) for step in range(steps + 2)])


def test_a_cycle_climbs_to_its_peak_and_descends_to_zero():
    found = rates(0.01, 100)
    assert 0 < found[0] < 0.002
    assert found.argmax() == 10
    assert found[10] == pytest.approx(0.01)
    assert (np.diff(found[:11]) > 0).all()
    assert (np.diff(found[10:101]) < 0).all()
    assert found[100:] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("steps", [1, 2, 9])
def test_a_short_cycle_stays_within_its_bounds(steps):
    found = rates(1.0, steps)
    assert found[0] > 0
    assert ((found >= 0) & (found <= 1)).all()


def test_a_cycle_survives_being_written_down():
    schedule = optimizers.schedules
    again = schedule.deserialize(schedule.serialize(Cycle(0.5, 20)))
    assert (again.peak, again.steps) == (0.5, 20)
