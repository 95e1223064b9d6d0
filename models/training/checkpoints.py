"""The epochs of a training on disk, for every kind of training.

A folder holds `history.csv`, one row for each finished epoch, and `epoch-<n>.weights.h5`, the weights and the optimizer
of the last and the best epoch. An epoch is finished when its row is in `history.csv`. Its weights are written before
that, so a training that is killed at any time can be resumed after its last finished epoch. If an epoch takes long,
`step.npz` holds the state within it, from which the training continues with the next batch.

The best epoch, the learning rate and the decision to stop are functions of the history alone. So they need no files,
and a resumed training decides as an uninterrupted one.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from zipfile import BadZipFile

import keras
import numpy as np
import pandas as pd

from competition.utils.atomic_files import atomic_write, write_csv
from competition.utils.errors import InputError
from models.saved import load_weights

HISTORY, STEP = "history.csv", "step.npz"
START = -1  # the epoch of the row of a network that has not been trained yet


class Checkpoints:
    """The finished epochs of a training.

    Args:
        folder: of the training; it need not exist.

    Attributes:
        history: one row for each finished epoch: `epoch` from 0, `val_loss`, and what else the training measured. A
            training that starts from a trained network has a row before them, with the epoch -1.

    Raises:
        InputError: the history is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.history = read_history(folder / HISTORY)

    @property
    def epochs(self) -> int:
        """The number of finished epochs."""
        return int(self.history["epoch"].max()) + 1 if len(self.history) else 0

    @property
    def losses(self) -> list[float]:
        """The validation loss of each row of the history."""
        return self.history["val_loss"].tolist()

    def save_start(self, model: keras.Model, row: Mapping[str, float]) -> None:
        """Save a compiled model before its first epoch, so that a training cannot end worse than it starts."""
        self._save(model, START, row)

    def save(self, model: keras.Model, row: Mapping[str, float]) -> None:
        """Finish an epoch: write the weights of a compiled model, then the row, and delete weights that are not needed.

        `row` is the row of the history without the column `epoch`.
        """
        self._save(model, self.epochs, row)

    def _save(self, model: keras.Model, epoch: int, row: Mapping[str, float]) -> None:
        with atomic_write(self._weights(epoch)) as partial:
            model.save_weights(partial)
        rows = pd.DataFrame([{"epoch": epoch, **row}])
        self.history = pd.concat([self.history, rows], ignore_index=True) if len(self.history) else rows
        write_csv(self.history, self.folder / HISTORY)
        needed = {self._weights(int(self.history["epoch"].iloc[row])) for row in (-1, best_row(self.losses))}
        for path in set(self.folder.glob("epoch-*.weights.h5")) - needed:
            path.unlink()
        self._delete_step()

    def save_step(self, model: keras.Model, steps: int) -> None:
        """Save the state of a compiled model, with its optimizer, metrics and random numbers, within an epoch.

        `steps` is the number of finished steps of the current epoch.
        """
        arrays = [keras.ops.convert_to_numpy(variable) for variable in _state(model)]
        with atomic_write(self.folder / STEP) as partial, partial.open("wb") as file:
            np.savez(file, *arrays, position=np.array([self.epochs, steps]))

    @property
    def steps(self) -> int:
        """The number of steps of the current epoch that need not be repeated."""
        if not (self.folder / STEP).exists():
            return 0
        with self._open_step() as file:
            epoch, steps = map(int, file["position"])
        return steps if epoch == self.epochs else 0  # an epoch was finished, but the file could not be deleted

    def load_step(self, model: keras.Model) -> None:
        """Load the state within an epoch, if there is one, into the compiled model."""
        if not self.steps:
            return
        variables = _state(model)
        with self._open_step() as file:
            arrays = [file[name] for number in range(len(variables)) if (name := f"arr_{number}") in file.files]
            count = len(file.files)
        if count != len(variables) + 1 or [a.shape for a in arrays] != [tuple(v.shape) for v in variables]:
            raise InputError(f"{self.folder / STEP} belongs to another network; delete it")
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)

    @contextmanager
    def _open_step(self) -> Iterator[np.lib.npyio.NpzFile]:
        """Open the state within an epoch; its arrays are read when they are asked for."""
        try:
            with (self.folder / STEP).open("rb") as stream, np.load(stream) as file:
                yield file
        except (OSError, ValueError, KeyError, TypeError, OverflowError, EOFError, BadZipFile) as error:
            raise InputError(f"{self.folder / STEP} is damaged ({error}); delete it to repeat the epoch") from None

    def _delete_step(self) -> None:
        (self.folder / STEP).unlink(missing_ok=True)

    def load_last(self, model: keras.Model) -> None:
        """Load the weights and the optimizer of the last row of the history, if there is one, into a compiled model."""
        if len(self.history):
            load_weights(model, self._weights(self.epochs - 1))

    def load_best(self, model: keras.Model) -> None:
        """Load the weights of the row with the lowest validation loss."""
        load_weights(model, self._weights(int(self.history["epoch"].iloc[best_row(self.losses)])))

    def delete_weights(self) -> None:
        """Delete the weights of all epochs; the history stays."""
        self._delete_step()
        for path in self.folder.glob("epoch-*.weights.h5"):
            path.unlink()

    def diverged(self, name: str, value: float, step: int | None = None) -> InputError:
        """Return the error for a loss called `name` that is not a number in a step of the current epoch."""
        where = f"epoch {self.epochs}" if step is None else f"epoch {self.epochs}, step {step}"
        return InputError(
            f"the {name} became {value} in {where}; the epochs before it are kept in {self.folder}: "
            "train with a lower --learning-rate, and another --run NAME"
        )

    def _weights(self, epoch: int) -> Path:
        return self.folder / f"epoch-{epoch}.weights.h5"


def _state(model: keras.Model) -> list[keras.Variable]:
    """All variables that a step of a compiled model changes, each once."""
    variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    return list({id(variable): variable for variable in variables}.values())


def read_history(path: Path) -> pd.DataFrame:
    """Read a history; it is empty if the file does not exist. Raises `InputError` for a damaged file."""
    if not path.exists():
        return pd.DataFrame({"epoch": [], "val_loss": []})
    try:
        history = pd.read_csv(path, dtype="float64", index_col=False)
        epochs = history["epoch"].tolist()
        first = START if START in epochs else 0
        complete = history["val_loss"].notna().all() and epochs == list(range(first, first + len(history)))
    except (ValueError, KeyError):
        complete = False
    if not complete:
        raise InputError(f"{path} is damaged; delete {path.parent} and train this member again")
    return history.astype({"epoch": "int64"})


def best_row(losses: list[float]) -> int:
    """Return the index of the first row with the lowest validation loss."""
    return min(range(len(losses)), key=losses.__getitem__)


def has_stalled(losses: list[float], patience: int) -> bool:
    """Return whether none of the last `patience` epochs has a lower validation loss than all epochs before them."""
    return bool(losses) and len(losses) - 1 - best_row(losses) >= patience
