"""Training of a joint embedding by contrast, epoch by epoch, resumable after whole epochs.

A folder holds `history.csv` (the whole epochs), `epoch-<n>.weights.h5` with weights and optimizer of the last and the
best of them, and, once the training is over, `text.keras` and `image.keras` alone with the best weights.
"""

import math
import time
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from keras import ops
from tqdm import tqdm

from augment.prefetch import prefetch
from competition.utils.atomic_files import atomic_write
from competition.utils.errors import InputError
from models.exif_language.dual_encoder import Joint, gradients_of
from models.exif_language.loss import RANKS, contrastive_loss, recall, recall_by_chance
from models.exif_language.pairs import TrainingPairs, ValidationPairs
from models.exif_language.recipe import DualEncoderRecipe
from models.saved import load_weights
from models.training import checkpoints as past
from models.training.backend import compiled

IMAGE, TEXT, HISTORY = "image.keras", "text.keras", "history.csv"
LAST_RATE = 1e-7
WEIGHT_DECAY = 1e-4


def optimizer(joint: Joint, recipe: DualEncoderRecipe, steps: int) -> keras.optimizers.Optimizer:
    """Adam whose rate rises in a line for the share `recipe.warm_up` of the steps, then falls in a cosine to 1e-7.

    The weight decay of 1e-4 is decoupled (times the rate) and spares the logit scale.
    """
    warm = max(1, round(recipe.warm_up * steps))
    peak = recipe.learning_rate
    rate = keras.optimizers.schedules.CosineDecay(
        peak / (warm + 1), max(1, steps - warm), alpha=LAST_RATE / peak, warmup_target=peak, warmup_steps=warm
    )
    made = keras.optimizers.Adam(rate, beta_1=0.9, beta_2=0.98, epsilon=1e-6, weight_decay=WEIGHT_DECAY)
    made.exclude_from_weight_decay(var_list=[joint.log_scale])
    made.build(joint.trainable_variables)
    return made


def train_joint(
    joint: Joint, recipe: DualEncoderRecipe, training: TrainingPairs, validation: ValidationPairs, folder: Path
) -> pd.DataFrame:
    """Train, or go on where the last call stopped; return the history, see `measured` for its columns.

    `image.keras` and `text.keras` get the weights of the epoch with the lowest validation loss; where they are there,
    nothing is done. Raises `InputError` where the loss is no longer a number, a photograph cannot be decoded, or what
    the folder holds is damaged.
    """
    history = past.read_history(folder / HISTORY)
    if (folder / IMAGE).exists():
        return history
    folder.mkdir(parents=True, exist_ok=True)
    steps = len(training)
    joint.compile(optimizer(joint, recipe, recipe.epochs * steps))
    if len(history):
        load_weights(joint, _weights(folder, len(history) - 1))
    step = gradients_of(joint, recipe.micro_batch)
    update = compiled(lambda gradients: joint.optimizer.apply(gradients, joint.trainable_variables))
    with tqdm(total=recipe.epochs * steps, initial=len(history) * steps, desc=folder.name, unit="step") as bar:
        for epoch in range(len(history), recipe.epochs):
            began, losses = time.monotonic(), list[float]()
            for batch in prefetch(partial(training.batch, epoch), steps):
                loss, gradients = step(*batch)
                if not math.isfinite(loss):
                    raise _no_number(loss, epoch, len(losses), folder)
                update(gradients)
                joint.limit_scale()
                losses.append(loss)
                bar.update()
            row = {"epoch": epoch, "loss": float(np.mean(losses)), **measured(joint, validation)}
            if math.isnan(row["val_loss"]):
                raise _no_number(row["val_loss"], epoch, steps, folder)
            row["scale"] = float(joint.scale)
            row["learning_rate"] = float(ops.convert_to_numpy(joint.optimizer.learning_rate))
            row["seconds"] = time.monotonic() - began
            history = _keep(joint, history, row, folder)
            bar.set_postfix(loss=f"{row['loss']:.3f}", recall=f"{row['image_to_text_1']:.3f}")
    load_weights(joint, _weights(folder, past.best_epoch(list(history.val_loss))))
    for name, encoder in ((TEXT, joint.text), (IMAGE, joint.image)):  # with the second the training is over
        with atomic_write(folder / name) as unfinished:
            encoder.save(unfinished)
    for left in folder.glob("epoch-*.weights.h5"):
        left.unlink()
    return history


def measured(joint: Joint, validation: ValidationPairs) -> dict[str, float]:
    """`val_loss`, and for k = 1, 5, 10 the recall `image_to_text_k`, `text_to_image_k` and by `chance_k`.

    The loss is that of one contrast of all validation photographs; it takes some 20 bytes for each pair of them.
    """
    pieces = [
        (joint.image.predict_on_batch(patches), joint.text.predict_on_batch(tokens))
        for patches, tokens in validation.batches()
    ]
    image, text = (np.concatenate(part) for part in zip(*pieces, strict=True))
    kinds = validation.kinds
    told = {"val_loss": float(contrastive_loss(image, text, np.arange(len(image)), joint.scale))}
    for name, shares in (
        ("image_to_text", recall(image, text, kinds)),
        ("text_to_image", recall(text, image, kinds)),
        ("chance", recall_by_chance(kinds)),
    ):
        told |= {f"{name}_{rank}": share for rank, share in zip(RANKS, shares, strict=True)}
    return told


def _keep(joint: Joint, history: pd.DataFrame, row: dict[str, float], folder: Path) -> pd.DataFrame:
    """Write the weights of an epoch, then its row, with which it counts; drop the weights that no one needs."""
    epoch = int(row["epoch"])
    with atomic_write(_weights(folder, epoch)) as unfinished:
        joint.save_weights(unfinished)
    history = past.append(history, row, folder / HISTORY)
    needed = {_weights(folder, each) for each in (epoch, past.best_epoch(list(history.val_loss)))}
    for old in set(folder.glob("epoch-*.weights.h5")) - needed:
        old.unlink()
    return history


def _weights(folder: Path, epoch: int) -> Path:
    return folder / f"epoch-{epoch}.weights.h5"


def _no_number(value: float, epoch: int, step: int, folder: Path) -> InputError:
    return InputError(
        f"the loss became {value} in epoch {epoch}, step {step}; the epochs before it are kept in {folder}: "
        "train with a lower --learning-rate, and another --run NAME"
    )
