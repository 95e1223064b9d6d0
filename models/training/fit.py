"""Train a classifier, resumable after every epoch, or within it.

The folder of a training holds the files of `models.training.checkpoints`. When the training is finished, it holds
`history.csv` and `model.keras` with the weights of the best epoch.
"""

import math
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from augment.loaders import EvaluationPatches, TrainingPatches, reraise_input_errors
from augment.patches import color_statistics
from competition.utils.atomic_files import atomic_write
from competition.utils.progress import Progress, progress_bar
from competition.utils.threads import one_thread
from models.classifier import UNKNOWN_COLORS, ColorStatistics, build, copy_weights, freeze_front_end
from models.recipe import Recipe
from models.saved import MODEL, load_model
from models.training.backend import jit_compile
from models.training.checkpoints import Checkpoints, has_stalled
from models.training.devices import (
    all_devices,
    device_count,
    divide_batches,
    keep_batches,
    start_together,
    synchronized_batch_norm,
)
from models.training.features import FeatureBatches, fixed_layer, split_network
from models.training.losses import SmoothedCrossentropy
from models.training.options import NO_OPTIONS, TrainingOptions
from models.training.schedules import Cycle, plateau_rate
from models.training.tracking import tracking

MOMENTUM = 0.9

Training = TrainingPatches | FeatureBatches
Validation = EvaluationPatches | FeatureBatches


def train(
    member: str,
    recipe: Recipe,
    training: Training,
    validation: Validation,
    heads: Mapping[str, int],
    folder: Path,
    seed: int,
    front_end: Path | None = None,
    options: TrainingOptions = NO_OPTIONS,
) -> pd.DataFrame:
    """Train a member, or resume its training; returns its history.

    Args:
        member: one of `models.members.MEMBERS`.
        recipe: how to train it.
        training: batches `({"patch", "is_manipulated"}, {head: int32 (batch,)}, {head: float32 weights (batch,)})`,
            which depend on (seed, epoch, index) alone. For a front end alone that begins with fixed layers, batches of
            their features, see `models.training.features`.
        validation: the same without randomness, with the weight 1 for every known label. The best epoch, the learning
            rate and the end of training depend on this loss, which no schedule of head weights changes.
        heads: number of classes by the name of the head.
        folder: of the training. If it holds `model.keras`, the training is finished.
        seed: of the initial weights and of dropout.
        front_end: file of the trained front end alone, whose weights the network starts with and does not change. If no
            epoch is better, the result is the front end with a backbone that adds nothing.
        options: what the training writes beside its result.

    Raises:
        InputError: the loss is not a number, a photo cannot be decoded, or a file in the folder is damaged.
    """
    checkpoints = Checkpoints(folder)
    if (folder / MODEL).exists():
        return checkpoints.history
    folder.mkdir(parents=True, exist_ok=True)
    colors = measure_colors(training) if recipe.normalize == "training" else UNKNOWN_COLORS
    scope: AbstractContextManager[object] = (
        nullcontext()
    )  # features are trained on one device: their layers are too small for several
    if isinstance(training, TrainingPatches) and isinstance(validation, EvaluationPatches):
        divide_batches(training, validation)
        scope = all_devices()
    with scope:
        keras.utils.set_random_seed(seed)  # entering the scope of several devices draws random numbers
        model = build(member, recipe, heads, colors)
        if front_end is not None:
            freeze_front_end(model)
        fixed = fixed_layer(member, recipe)
        # Another network, because Keras does not save one whose layers were split off from it.
        trained = model if fixed is None else split_network(build(member, recipe, heads, colors), fixed)[1]
        compile_classifier(trained, recipe, heads, steps=recipe.epochs * len(training))
        keep_batches(trained)
        begins = front_end is not None and not len(checkpoints.history)
        if front_end is not None and begins:
            copy_weights(model, load_model(front_end))
        checkpoints.load_last(trained)
        position = f"epoch {checkpoints.epochs}, step {checkpoints.steps} of {len(training)}"
        start_together(trained, f"{position} of {member}")
        if begins:
            with reraise_input_errors(validation):
                start = model.evaluate(validation, verbose=0, return_dict=True)
            checkpoints.save_start(model, {f"val_{name}": value for name, value in start.items()})
        fit(trained, recipe, training, validation, checkpoints, seed, options)
        checkpoints.load_best(trained)
        if keras.ops.convert_to_numpy(trained.optimizer.iterations):  # the average begins with the first step
            trained.optimizer.finalize_variable_values(trained.trainable_variables)
        if trained is not model:
            copy_weights(model, trained)
        with atomic_write(folder / MODEL) as partial:
            model.save(partial, include_optimizer=False)
    checkpoints.delete_weights()
    return checkpoints.history


def measure_colors(training: TrainingPatches) -> ColorStatistics:
    """Return the means and standard deviations of the colors of the patches of the first epoch."""
    return color_statistics(training.batch(0, index)[0]["patch"] for index in range(len(training)))


def compile_classifier(model: keras.Model, recipe: Recipe, heads: Mapping[str, int], steps: int) -> None:
    """Compile a model with the optimizer and the learning rate of a recipe. `steps` is their number in the training."""
    rate = Cycle(recipe.learning_rate, steps) if recipe.schedule == "cycle" else recipe.learning_rate
    loss = SmoothedCrossentropy(recipe.label_smoothing) if recipe.label_smoothing else "sparse_categorical_crossentropy"
    options: dict[str, object] = {} if recipe.accumulate == 1 else {"gradient_accumulation_steps": recipe.accumulate}
    if recipe.average_epochs:
        window = max(1.0, recipe.average_epochs * steps / recipe.epochs)  # in steps
        options |= {"use_ema": True, "ema_momentum": 1 - 1 / window}
    if recipe.optimizer == "sgd":
        # The momentum multiplies the gradient of an L2 penalty, but not the weight decay of Keras.
        decay = recipe.weight_decay / (1 - MOMENTUM)
        optimizer = keras.optimizers.SGD(rate, momentum=MOMENTUM, nesterov=True, weight_decay=decay or None, **options)
    else:
        optimizer = keras.optimizers.Adam(rate, weight_decay=recipe.weight_decay or None, **options)
    model.compile(
        optimizer,
        loss=dict.fromkeys(heads, loss),
        weighted_metrics={head: ["accuracy"] for head in heads},
        jit_compile=jit_compile(),
    )
    model.optimizer.build(model.trainable_variables)
    build_metrics(model, heads)


def build_metrics(model: keras.Model, heads: Mapping[str, int]) -> None:
    """Create the variables of the losses and the metrics of a compiled model.

    Otherwise, Keras takes the first batch of the data set for it with JAX and PyTorch. That counts as an epoch, and the
    batches that were made in advance are left over for the next one.
    """
    targets = {head: np.zeros(1, np.int32) for head in heads}
    predictions = {head: np.full((1, classes), 1 / classes, np.float32) for head, classes in heads.items()}
    weights = {head: np.ones(1, np.float32) for head in heads}
    model.compute_loss(y=targets, y_pred=predictions, sample_weight=weights)
    model.compute_metrics(None, targets, predictions, weights)
    model.reset_metrics()


def fit(
    model: keras.Model,
    recipe: Recipe,
    training: Training,
    validation: Validation,
    checkpoints: Checkpoints,
    seed: int,
    options: TrainingOptions = NO_OPTIONS,
) -> None:
    """Fit a compiled model for the remaining epochs, or until the validation loss stalls."""
    first, steps, skip = checkpoints.epochs, len(training), checkpoints.steps
    if first >= recipe.epochs or has_stalled(checkpoints.losses, recipe.patience):
        return
    # Validation uses the averaged weights. A checkpoint holds the weights themselves, and the average as a part of the
    # optimizer, so that a resumed training continues from both.
    averaging = [keras.callbacks.SwapEMAWeights()] if recipe.average_epochs else []
    title = f"{checkpoints.folder.parent.name}/{checkpoints.folder.name}"
    with (
        one_thread(),
        synchronized_batch_norm(model),
        progress_bar(title, recipe.epochs * steps, "step", done=first * steps + skip) as bar,
        reraise_input_errors(training, validation),
        tracking(options.tracker, checkpoints.folder) as trackers,
    ):
        # Keras needs the number of batches of all epochs to be the same, so the rest of an epoch is fitted alone. On
        # several devices, an iterator of the next epoch would take batches before it begins.
        alone = skip or device_count() > 1
        for end in range(first + 1, recipe.epochs + 1) if alone else [recipe.epochs]:
            if has_stalled(checkpoints.losses, recipe.patience):
                break
            training.epoch, training.skip = checkpoints.epochs, skip
            model.fit(
                training,
                validation_data=validation,
                shuffle=False,  # the order is already random, and reproducible
                initial_epoch=checkpoints.epochs,
                epochs=end,
                callbacks=[
                    EpochCallback(recipe, checkpoints, seed, bar, steps, options.save_every),
                    *averaging,
                    *trackers,
                ],
                verbose=0,
            )
            checkpoints.load_last(model)  # `fit` replaces the weights by their average at its end
            skip = 0


class EpochCallback(keras.callbacks.Callback):
    """Set the learning rate, show the progress, save every epoch, and stop if the loss stalls or is not a number.

    With `save_every`, the state is also saved after so many of the `steps` of an epoch.
    """

    def __init__(
        self,
        recipe: Recipe,
        checkpoints: Checkpoints,
        seed: int,
        bar: Progress,
        steps: int,
        save_every: int | None = None,
    ) -> None:
        super().__init__()
        self.recipe, self.checkpoints, self.seed, self.bar = recipe, checkpoints, seed, bar
        self.steps, self.save_every, self.step = steps, save_every, 0

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        self.start = time.monotonic()
        recipe, losses = self.recipe, self.checkpoints.losses
        if recipe.schedule == "plateau":
            rate = plateau_rate(recipe.learning_rate, losses, recipe.plateau_epochs, recipe.plateau_factor)
            self.model.optimizer.learning_rate = rate
        _reseed_dropout(self.model, self.seed, epoch)
        self.step = self.checkpoints.steps
        self.checkpoints.load_step(self.model)

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float]) -> None:
        if not math.isfinite(logs["loss"]):
            raise self.checkpoints.diverged(f"loss of {self.model.name}", logs["loss"], self.step)
        self.bar.update()
        self.step += 1
        if self.save_every is not None and self.step % self.save_every == 0 and self.step < self.steps:
            self.checkpoints.save_step(self.model, self.step)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float]) -> None:
        if math.isnan(logs["val_loss"]):
            raise self.checkpoints.diverged(f"validation loss of {self.model.name}", logs["val_loss"])
        seconds = time.monotonic() - self.start
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        measured = {name: float(value) for name, value in logs.items()}
        self.checkpoints.save(self.model, {**measured, "seconds": seconds, "learning_rate": rate})
        accuracies = [v for k, v in logs.items() if k.startswith("val_") and k.endswith("accuracy")]
        self.bar.show(loss=f"{logs['loss']:.3f}", validation=" ".join(f"{a:.3f}" for a in accuracies))
        if has_stalled(self.checkpoints.losses, self.recipe.patience):
            self.model.stop_training = True


def _reseed_dropout(model: keras.Model, seed: int, epoch: int) -> None:
    """Make the noise of dropout a function of (seed, epoch), so that a resumed epoch draws the same numbers."""
    for i, layer in enumerate(model.layers):
        if isinstance(layer, keras.layers.Dropout) and layer.rate:  # with a rate of 0 there is no generator
            state = np.random.SeedSequence((seed, epoch, i)).generate_state(2)
            layer.seed_generator.state.assign(state.astype(layer.seed_generator.state.dtype))
