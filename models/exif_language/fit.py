"""Train a dual encoder by contrast, resumable after every epoch.

The folder of a training holds the files of `models.training.checkpoints`. When the training is finished, it holds
`history.csv`, and `text.keras` and `image.keras` with the weights of the best epoch.
"""

import math
import time
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from keras import ops

from augment.prefetch import prefetch
from competition.utils.atomic_files import atomic_write
from competition.utils.progress import progress_bar
from models.exif_language.dual_encoder import DualEncoder, make_gradient_function
from models.exif_language.loss import RANKS, chance_recall, recall, validation_loss
from models.exif_language.pairs import TrainingPairs, ValidationPairs
from models.exif_language.recipe import DualEncoderRecipe
from models.training.backend import compile_function
from models.training.checkpoints import Checkpoints

IMAGE, TEXT = "image.keras", "text.keras"
LAST_RATE = 1e-7
WEIGHT_DECAY = 1e-4


def train_dual_encoder(
    model: DualEncoder, recipe: DualEncoderRecipe, training: TrainingPairs, validation: ValidationPairs, folder: Path
) -> pd.DataFrame:
    """Train a dual encoder, or resume its training; returns its history.

    Args:
        model: with its initial weights.
        recipe: how to train it.
        training: pairs for training.
        validation: pairs for validation.
        folder: of the training. If it holds `image.keras`, the training is finished.

    Returns:
        One row for each epoch: `epoch`, `loss`, the measures of `evaluate`, `scale`, `learning_rate` and `seconds`.

    Raises:
        InputError: the loss is not a number, a photo cannot be decoded, a file in the folder is damaged, or the backend
            is not TensorFlow.
    """
    checkpoints = Checkpoints(folder)
    if (folder / IMAGE).exists():
        return checkpoints.history
    folder.mkdir(parents=True, exist_ok=True)
    steps = len(training)
    model.compile(make_optimizer(model, recipe, recipe.epochs * steps))
    checkpoints.load_last(model)
    gradient_function = make_gradient_function(model, recipe.embedded_at_once)
    update = compile_function(lambda gradients: model.optimizer.apply(gradients, model.trainable_variables))
    first = checkpoints.epochs
    with progress_bar(folder.name, recipe.epochs * steps, "step", done=first * steps) as bar:
        for epoch in range(first, recipe.epochs):
            start, losses = time.monotonic(), list[float]()
            for batch in prefetch(partial(training.batch, epoch), steps):
                loss, gradients = gradient_function(*batch)
                if not math.isfinite(loss):
                    raise checkpoints.diverged("loss", loss, len(losses))
                update(gradients)
                model.clip_scale()
                losses.append(loss)
                bar.update()
            row = {"loss": float(np.mean(losses)), **evaluate(model, validation)}
            if math.isnan(row["val_loss"]):
                raise checkpoints.diverged("validation loss", row["val_loss"])
            row["scale"] = float(model.scale)
            row["learning_rate"] = float(ops.convert_to_numpy(model.optimizer.learning_rate))
            row["seconds"] = time.monotonic() - start
            checkpoints.save(model, row)
            bar.show(loss=f"{row['loss']:.3f}", recall=f"{row['image_to_text_1']:.3f}")
    checkpoints.load_best(model)
    for name, encoder in ((TEXT, model.text), (IMAGE, model.image)):  # the second file marks the end of the training
        with atomic_write(folder / name) as unfinished:
            encoder.save(unfinished)
    checkpoints.delete_weights()
    return checkpoints.history


def make_optimizer(model: DualEncoder, recipe: DualEncoderRecipe, steps: int) -> keras.optimizers.Optimizer:
    """Return Adam for a training of `steps` steps.

    The learning rate rises linearly over the share `recipe.warm_up` of the steps, then falls to 1e-7 in a cosine. The
    weight decay of 1e-4 is decoupled (multiplied by the learning rate) and does not apply to the logit scale.
    """
    warm = max(1, round(recipe.warm_up * steps))
    peak = recipe.learning_rate
    rate = keras.optimizers.schedules.CosineDecay(
        peak / (warm + 1), max(1, steps - warm), alpha=LAST_RATE / peak, warmup_target=peak, warmup_steps=warm
    )
    optimizer = keras.optimizers.Adam(rate, beta_1=0.9, beta_2=0.98, epsilon=1e-6, weight_decay=WEIGHT_DECAY)
    optimizer.exclude_from_weight_decay(var_list=[model.log_scale])
    optimizer.build(model.trainable_variables)
    return optimizer


def evaluate(model: DualEncoder, validation: ValidationPairs) -> dict[str, float]:
    """Return `val_loss`, and for k = 1, 5, 10 the recalls `image_to_text_k`, `text_to_image_k` and `chance_k`.

    The loss is that of one batch of all validation photos. The time grows with the square of their number.
    """
    batches = [
        (model.image.predict_on_batch(patches), model.text.predict_on_batch(tokens))
        for patches, tokens in validation.batches()
    ]
    image, text = (np.concatenate(part) for part in zip(*batches, strict=True))
    ids = validation.text_ids
    measures = {"val_loss": validation_loss(image, text, float(model.scale))}
    for name, shares in (
        ("image_to_text", recall(image, text, ids)),
        ("text_to_image", recall(text, image, ids)),
        ("chance", chance_recall(ids)),
    ):
        measures |= {f"{name}_{rank}": share for rank, share in zip(RANKS, shares, strict=True)}
    return measures
