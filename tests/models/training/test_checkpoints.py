from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from competition.utils.errors import InputError
from models.training.checkpoints import append, best_epoch, has_stalled, plateau_rate, read_history

losses = st.lists(st.floats(0, 10), min_size=1, max_size=40)


@given(losses)
def test_the_best_epoch_is_the_first_of_the_lowest_losses(values):
    best = best_epoch(values)
    assert values[best] == min(values)
    assert min(values[:best], default=np.inf) > values[best]


@given(losses, st.integers(1, 10))
def test_a_stall_is_patience_epochs_behind_the_best(values, patience):
    stalled = has_stalled(values, patience)
    assert stalled == (len(values) > patience and min(values[:-patience]) <= min(values[-patience:]))


def test_nothing_has_stalled_before_it_began():
    assert not has_stalled([], 1)


@given(losses)
def test_the_rate_is_halved_and_never_raised(values):
    rates = [plateau_rate(1.0, values[:n]) for n in range(len(values) + 1)]
    assert rates[0] == 1
    assert all(after in (before, before / 2) for before, after in pairwise(rates))
    assert rates[-1] >= 0.5 ** (len(values) // 5)


@given(losses, st.floats(1e-5, 1))
def test_a_new_best_loss_keeps_the_rate(values, start):
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
def test_the_rate_is_halved_after_five_epochs_without_a_better_loss(values, rate):
    assert plateau_rate(1.0, values) == rate


@given(losses)
def test_a_history_is_read_digit_by_digit_as_it_was_written(values):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "history.csv"
        history = read_history(path)
        assert len(history) == 0
        for epoch, loss in enumerate(values):
            history = append(history, {"epoch": epoch, "val_loss": loss}, path)
        assert read_history(path).to_dict("list") == {"epoch": [*range(len(values))], "val_loss": values}


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "epoch,val_loss\n0,bad\n", "epoch,val_loss\n0\n", "epoch,val_loss\n1,2\n"]
)
def test_a_damaged_history_is_named(text, tmp_path):
    path = tmp_path / "history.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=r"history\.csv .*delete"):
        read_history(path)
