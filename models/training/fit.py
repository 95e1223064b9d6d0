"""Training of one member: `fit`, made resumable.

A member's folder holds `history.csv` (the whole epochs), `epoch-<n>.weights.h5` with weights and optimizer of the last
and the best of them, and, once the training is over, `model.keras` alone with the best weights. An epoch counts from
the moment its row stands in `history.csv`; its weights are written before that, so a kill at any time leaves a state
to go on from.
"""

import math
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from tqdm import tqdm

from augment.loaders import EvaluationPatches, TrainingPatches, reraise_input_errors
from augment.patches import color_statistics
from competition.utils.atomic_files import atomic_write
from competition.utils.errors import InputError
from models.classifier import UNKNOWN_COLORS, build, copy_front_end, freeze_front_end
from models.recipe import Recipe
from models.saved import MODEL, load_model, load_weights
from models.training import checkpoints as past
from models.training.backend import all_gpus, has_gpu
from models.training.schedules import Cycle

MOMENTUM = 0.9


def train(
    member: str,
    recipe: Recipe,
    training: TrainingPatches,
    validation: EvaluationPatches,
    heads: dict[str, int],
    folder: Path,
    seed: int,
    front_end: Path | None = None,
) -> pd.DataFrame:
    """Train a member, or go on where its last run stopped; return its history.

    Args:
        member: one of `models.members.MEMBERS`.
        recipe: how to train it.
        training: batches `({"patch", "is_manipulated"}, {head: int32 (batch,)}, {head: float32 weights (batch,)})`,
            pure in (seed, epoch, index).
        validation: the same without randomness, every known label with the weight 1: the best epoch, the rate and the
            end of training follow from a loss that no schedule of weights changes.
        heads: number of classes by head.
        folder: the member's folder; `model.keras` in it means that there is nothing left to do.
        seed: of the first weights and of dropout.
        front_end: file of the trained front end alone, whose weights the network starts with and does not change.

    Raises:
        InputError: the loss is no longer a number, a photograph cannot be decoded, or what the folder holds is damaged.
    """
    log = folder / "history.csv"
    history = past.read_history(log)
    if (folder / MODEL).exists():
        return history
    folder.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(seed)
    colors = _colors(training) if recipe.normalize == "training" else UNKNOWN_COLORS
    with all_gpus():
        model = build(member, recipe, heads, colors)
        if front_end is not None:
            freeze_front_end(model)
        _compile(model, recipe, steps=recipe.epochs * len(training), heads=heads)
    if len(history):
        load_weights(model, _weights(folder, len(history) - 1))
    elif front_end is not None:
        copy_front_end(model, load_model(front_end))
    steps = len(training)
    name = f"{folder.parent.name}/{folder.name}"
    with tqdm(total=recipe.epochs * steps, initial=len(history) * steps, desc=name, unit="step") as bar:
        keeper = _Keeper(member, recipe, folder, history, seed, bar)
        if len(history) < recipe.epochs and not past.has_stalled(list(history.val_loss), recipe.patience):
            training.epoch = len(history)
            with reraise_input_errors(training, validation):
                model.fit(
                    training,
                    validation_data=validation,
                    shuffle=False,  # the order is random already, and pure
                    initial_epoch=len(history),
                    epochs=recipe.epochs,
                    callbacks=[keeper],
                    verbose=0,
                )
    load_weights(model, _weights(folder, past.best_epoch(list(keeper.history.val_loss))))
    with atomic_write(folder / MODEL) as partial:
        model.save(partial, include_optimizer=False)
    for left in folder.glob("epoch-*.weights.h5"):
        left.unlink()
    return keeper.history


def _compile(model: keras.Model, recipe: Recipe, steps: int, heads: dict[str, int]) -> None:
    rate = Cycle(recipe.learning_rate, steps) if recipe.schedule == "cycle" else recipe.learning_rate
    if recipe.optimizer == "sgd":
        # Keras keeps the decay apart from the momentum, by which an L2 penalty would be multiplied.
        decay = recipe.weight_decay / (1 - MOMENTUM)
        optimizer = keras.optimizers.SGD(rate, momentum=MOMENTUM, nesterov=True, weight_decay=decay or None)
    else:
        optimizer = keras.optimizers.Adam(rate, weight_decay=recipe.weight_decay or None)
    model.compile(
        optimizer,
        loss=dict.fromkeys(heads, "sparse_categorical_crossentropy"),
        weighted_metrics={head: ["accuracy"] for head in heads},
        jit_compile="auto" if has_gpu() else False,  # compiling with XLA costs more than it gains on a CPU
    )
    model.optimizer.build(model.trainable_variables)


def _colors(training: TrainingPatches) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the color statistics of the patches of the first epoch."""
    return color_statistics(training.batch(0, index)[0]["patch"] for index in range(len(training)))


def _weights(folder: Path, epoch: int) -> Path:
    return folder / f"epoch-{epoch}.weights.h5"


class _Keeper(keras.callbacks.Callback):
    """Shows progress, keeps every whole epoch on disk, sets the rate, stops on a stall or a loss that is no number."""

    def __init__(self, member: str, recipe: Recipe, folder: Path, history: pd.DataFrame, seed: int, bar: tqdm) -> None:
        super().__init__()
        self.member, self.recipe, self.folder, self.seed = member, recipe, folder, seed
        self.history, self.bar = history, bar

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.began = time.monotonic()
        if self.recipe.schedule == "plateau":
            losses = list(self.history.val_loss)
            rate = past.plateau_rate(
                self.recipe.learning_rate, losses, self.recipe.plateau_epochs, self.recipe.plateau_factor
            )
            self.model.optimizer.learning_rate = rate
        _reseed(self.model, self.seed, epoch)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if not math.isfinite(logs["loss"]):
            raise self._no_number("loss", logs["loss"], f"epoch {len(self.history)}, step {batch}")
        self.bar.update()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if math.isnan(logs["val_loss"]):
            raise self._no_number("validation loss", logs["val_loss"], f"epoch {epoch}")
        row = {
            "epoch": epoch,
            **{k: float(v) for k, v in logs.items()},
            "seconds": time.monotonic() - self.began,
        }
        row["learning_rate"] = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        with atomic_write(_weights(self.folder, epoch)) as partial:
            self.model.save_weights(partial)
        self.history = past.append(self.history, row, self.folder / "history.csv")
        losses = list(self.history.val_loss)
        keep = {_weights(self.folder, e) for e in (epoch, past.best_epoch(losses))}
        for old in set(self.folder.glob("epoch-*.weights.h5")) - keep:
            old.unlink()
        accuracies = [v for k, v in logs.items() if k.startswith("val_") and k.endswith("accuracy")]
        self.bar.set_postfix(loss=f"{logs['loss']:.3f}", validation=" ".join(f"{a:.3f}" for a in accuracies))
        if past.has_stalled(losses, self.recipe.patience):
            self.model.stop_training = True

    def _no_number(self, what: str, value: float, where: str) -> InputError:
        return InputError(
            f"the {what} of {self.member} became {value} in {where}; the epochs before it are kept in {self.folder}: "
            "train with a lower --learning-rate, and another --run NAME"
        )


def _reseed(model: keras.Model, seed: int, epoch: int) -> None:
    """Make dropout's noise a function of (seed, epoch), so that a resumed epoch draws what it would have drawn."""
    for i, layer in enumerate(model.layers):
        if isinstance(layer, keras.layers.Dropout) and layer.rate:  # one that drops nothing has no generator
            state = np.random.SeedSequence((seed, epoch, i)).generate_state(2)
            layer.seed_generator.state.assign(state.astype(layer.seed_generator.state.dtype))
