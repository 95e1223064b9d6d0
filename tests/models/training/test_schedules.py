from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import optimizers

from models.training.schedules import Cycle, head_weights, plateau_rate

losses = st.lists(st.floats(0, 10), min_size=1, max_size=40)


def rates(peak, steps):
    cycle = Cycle(peak, steps)
    return np.array([float(cycle(step)) for step in range(steps + 2)])


def test_cycle_rises_to_its_peak_and_falls_to_zero():
    found = rates(0.01, 100)
    assert 0 < found[0] < 0.002
    assert found.argmax() == 10
    assert found[10] == pytest.approx(0.01)
    assert (np.diff(found[:11]) > 0).all()
    assert (np.diff(found[10:101]) < 0).all()
    assert found[100:] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("steps", [1, 2, 9])
def test_short_cycle_stays_within_its_bounds(steps):
    found = rates(1.0, steps)
    assert found[0] > 0
    assert ((found >= 0) & (found <= 1)).all()


def test_deserialized_cycle_is_equal():
    schedules = optimizers.schedules
    restored = schedules.deserialize(schedules.serialize(Cycle(0.5, 20)))
    assert (restored.peak, restored.steps) == (0.5, 20)


SETTINGS = ("aperture", "iso", "exposure_time")


@pytest.mark.parametrize("tau", [2, 5, 0.5])
@pytest.mark.parametrize(
    ("epoch", "expected"),
    [  # in multiples of tau
        (0, [1, 0, 0]),
        (0.5, [1, 0, 0]),
        (1, [1, 0, 0]),
        (1.5, [1, 0.5, 0]),
        (2, [1, 1, 0]),  # the second weight is undefined from here on as printed
        (2.5, [1, 1, 0.5]),
        (3, [1, 1, 1]),
        (4, [1, 1, 1]),
        (100, [1, 1, 1]),
    ],
)
def test_heads_join_the_loss_one_after_the_other(tau, epoch, expected):
    assert list(head_weights(epoch * tau, SETTINGS, tau).values()) == pytest.approx(expected)


@pytest.mark.parametrize("epoch", [0, 1, 50])
def test_without_a_schedule_all_heads_count_from_the_start(epoch):
    assert head_weights(epoch, SETTINGS, 0) == dict.fromkeys(SETTINGS, 1)


def test_heads_join_in_the_given_order():
    order = ("exposure_time", "aperture", "iso")
    found = head_weights(3, order, 2)
    assert list(found) == list(order)
    assert found == {"exposure_time": 1, "aperture": 0.5, "iso": 0}


@pytest.mark.parametrize("tau", [0, 3])
def test_single_head_always_counts_and_no_heads_have_no_weights(tau):
    assert head_weights(0, ["iso"], tau) == {"iso": 1}
    assert head_weights(0, [], tau) == {}


@given(losses)
def test_plateau_rate_is_halved_and_never_raised(values):
    rates = [plateau_rate(1.0, values[:n]) for n in range(len(values) + 1)]
    assert rates[0] == 1
    assert all(after in (before, before / 2) for before, after in pairwise(rates))
    assert rates[-1] >= 0.5 ** (len(values) // 5)


@given(losses, st.floats(1e-5, 1))
def test_new_lowest_loss_keeps_the_plateau_rate(values, start):
    assert plateau_rate(start, [*values, -1.0]) == plateau_rate(start, values)


@pytest.mark.parametrize(
    ("values", "rate"),
    [
        ([], 1),
        ([3, 2, 1], 1),
        ([1] + [1] * 4, 1),
        ([1] + [1] * 5, 1 / 2),
        ([1] + [1] * 9, 1 / 2),
        ([1] + [1] * 10, 1 / 4),
        ([2] + [2] * 4 + [1] + [1] * 4, 1),
    ],
)
def test_plateau_rate_is_halved_after_five_epochs_without_a_better_loss(values, rate):
    assert plateau_rate(1.0, values) == rate
