import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from competition.utils.errors import InputError
from models.training.checkpoints import Checkpoints, best_row, has_stalled, read_history

losses = st.lists(st.floats(0, 10), min_size=1, max_size=40)


def tiny_model(weight=0.0):
    """A compiled model with a single weight, and an optimizer with state."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.Adam(1e-3), loss="mse")
    model.optimizer.build(model.trainable_variables)
    model.set_weights([np.array([[weight]])])
    return model


def weight_of(model):
    return float(model.get_weights()[0][0, 0])


def train_epochs(folder, values):
    """Save an epoch for each validation loss; the weight of the model is the number of the epoch."""
    checkpoints = Checkpoints(folder)
    for loss in values:
        checkpoints.save(tiny_model(checkpoints.epochs), {"loss": 2 * loss, "val_loss": loss})
    return checkpoints


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@given(losses)
def test_best_row_is_the_first_with_the_lowest_loss(values):
    best = best_row(values)
    assert values[best] == min(values)
    assert min(values[:best], default=np.inf) > values[best]


@given(losses, st.integers(1, 10))
def test_training_stalls_after_patience_epochs_without_a_better_loss(values, patience):
    stalled = has_stalled(values, patience)
    assert stalled == (len(values) > patience and min(values[:-patience]) <= min(values[-patience:]))


def test_training_without_epochs_has_not_stalled():
    assert not has_stalled([], 1)


def test_only_the_weights_of_the_last_and_the_best_epoch_are_kept(tmp_path):
    checkpoints = train_epochs(tmp_path, [3.0, 1.0, 2.0, 2.5])
    assert names(tmp_path) == ["epoch-1.weights.h5", "epoch-3.weights.h5", "history.csv"]
    model = tiny_model(9)
    checkpoints.load_best(model)
    assert weight_of(model) == 1
    checkpoints.load_last(model)
    assert weight_of(model) == 3
    checkpoints.delete_weights()
    assert names(tmp_path) == ["history.csv"]


def test_reopened_checkpoints_continue_the_history(tmp_path):
    train_epochs(tmp_path, [3.0, 1.0])
    checkpoints = train_epochs(tmp_path, [0.1 + 0.2])
    assert checkpoints.losses == [3.0, 1.0, 0.1 + 0.2]
    expected = {"epoch": [0, 1, 2], "loss": [6.0, 2.0, 2 * (0.1 + 0.2)], "val_loss": [3.0, 1.0, 0.1 + 0.2]}
    assert read_history(tmp_path / "history.csv").to_dict("list") == expected


def test_optimizer_continues_from_the_last_epoch(tmp_path):
    model = tiny_model()
    model.train_on_batch(np.ones((4, 1)), np.ones((4, 1)))
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(model, {"val_loss": 1.0})
    resumed = tiny_model()
    Checkpoints(tmp_path).load_last(resumed)
    for restored, saved in zip(resumed.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(restored), np.asarray(saved))


def test_new_training_has_no_epochs_and_loads_nothing(tmp_path):
    checkpoints = Checkpoints(tmp_path / "absent")
    model = tiny_model(7)
    checkpoints.load_last(model)
    assert (checkpoints.epochs, checkpoints.losses, weight_of(model)) == (0, [], 7)


def test_epoch_that_was_killed_before_its_row_is_trained_again(tmp_path):
    checkpoints = train_epochs(tmp_path, [3.0])
    tiny_model(5).save_weights(tmp_path / "epoch-1.weights.h5")
    assert Checkpoints(tmp_path).epochs == 1
    checkpoints.save(tiny_model(1), {"val_loss": 2.0})
    model = tiny_model()
    checkpoints.load_last(model)
    assert weight_of(model) == 1


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "epoch,val_loss\n0,bad\n", "epoch,val_loss\n0\n", "epoch,val_loss\n1,2\n"]
)
def test_damaged_history_raises_an_error_that_names_the_file(text, tmp_path):
    (tmp_path / "history.csv").write_text(text)
    with pytest.raises(InputError, match=r"history\.csv .*delete"):
        Checkpoints(tmp_path)


def test_error_of_a_diverged_training_names_epoch_step_and_folder(tmp_path):
    checkpoints = train_epochs(tmp_path, [3.0])
    message = str(checkpoints.diverged("loss of mobilenet", float("nan"), 7))
    assert message.startswith(
        f"the loss of mobilenet became nan in epoch 1, step 7; the epochs before it are kept in {tmp_path}"
    )
    assert "in epoch 1;" in str(checkpoints.diverged("validation loss", float("nan")))


def test_state_within_an_epoch_is_loaded_with_its_optimizer(tmp_path):
    model = tiny_model(2)
    model.fit(np.ones((4, 1)), np.ones((4, 1)), batch_size=2, verbose=0)
    Checkpoints(tmp_path).save_step(model, 2)
    reopened, loaded = Checkpoints(tmp_path), tiny_model()
    assert reopened.steps == 2
    reopened.load_step(loaded)
    assert weight_of(loaded) == weight_of(model)
    assert int(loaded.optimizer.iterations) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        "cut short",
        {"arr_0": np.zeros(3)},
        {"position": np.array([0])},
        {"position": np.array("a")},
        {"position": np.array([np.inf, 0])},
    ],
    ids=["empty", "text", "cut short", "no position", "half a position", "text as position", "infinite"],
)
def test_damaged_state_within_an_epoch_raises_an_error_that_names_the_file(content, tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save_step(tiny_model(), 2)
    path = tmp_path / "step.npz"
    if isinstance(content, dict):
        np.savez(path, **content)
    else:
        path.write_bytes(path.read_bytes()[:-100] if content == "cut short" else content)
    with pytest.raises(InputError, match=r"step\.npz is damaged .* delete it to repeat the epoch"):
        checkpoints.load_step(tiny_model())


def test_state_of_another_network_raises(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    other = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    other.compile("sgd", loss="mse")
    checkpoints.save_step(other, 2)
    with pytest.raises(InputError, match="belongs to another network"):
        checkpoints.load_step(tiny_model())
