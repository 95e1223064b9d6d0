import numpy as np
import pytest
from keras import optimizers

from models.training.schedules import Cycle, head_weights


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


SETTINGS = ("aperture", "iso", "exposure_time")


@pytest.mark.parametrize("tau", [2, 5, 0.5])
@pytest.mark.parametrize(
    ("epoch", "expected"),
    [  # in multiples of tau
        (0, [1, 0, 0]),
        (0.5, [1, 0, 0]),
        (1, [1, 0, 0]),
        (1.5, [1, 0.5, 0]),
        (2, [1, 1, 0]),  # the printed second weight is undefined from here on
        (2.5, [1, 1, 0.5]),
        (3, [1, 1, 1]),
        (4, [1, 1, 1]),
        (100, [1, 1, 1]),
    ],
)
def test_settings_join_the_loss_one_after_the_other(tau, epoch, expected):
    assert list(head_weights(epoch * tau, SETTINGS, tau).values()) == pytest.approx(expected)


@pytest.mark.parametrize("epoch", [0, 1, 50])
def test_without_a_schedule_all_count_from_the_beginning(epoch):
    assert head_weights(epoch, SETTINGS, 0) == dict.fromkeys(SETTINGS, 1)


def test_settings_join_in_the_given_order():
    order = ("exposure_time", "aperture", "iso")
    found = head_weights(3, order, 2)
    assert list(found) == list(order)
    assert found == {"exposure_time": 1, "aperture": 0.5, "iso": 0}


@pytest.mark.parametrize("tau", [0, 3])
def test_one_head_always_counts_and_none_is_nothing(tau):
    assert head_weights(0, ["iso"], tau) == {"iso": 1}
    assert head_weights(0, [], tau) == {}
