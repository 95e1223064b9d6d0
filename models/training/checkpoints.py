"""What a training has been through, epoch by epoch, and what follows from it.

Learning rate, best epoch and the decision to stop are functions of this table alone. So nothing about them needs
saving, and a resumed training decides as the uninterrupted one would have.
"""

import math
from pathlib import Path

import pandas as pd

from competition.utils.atomic_files import write_csv
from competition.utils.errors import InputError


def read_history(path: Path) -> pd.DataFrame:
    """One row per whole epoch (`epoch` from 0, `loss`, `val_loss`, …); empty where training has not begun.

    A damaged file is an `InputError` that names it.
    """
    if not path.exists():
        return pd.DataFrame({"epoch": [], "val_loss": []})
    try:
        history = pd.read_csv(path, dtype="float64", index_col=False)
        whole = history["val_loss"].notna().all() and history["epoch"].tolist() == list(range(len(history)))
    except (ValueError, KeyError):
        whole = False
    if not whole:
        raise InputError(f"{path} is damaged; delete {path.parent} and train this member again")
    return history.astype({"epoch": "int64"})


def append(history: pd.DataFrame, row: dict[str, float], path: Path) -> pd.DataFrame:
    """The history with one more epoch, also written to `path`."""
    history = pd.concat([history, pd.DataFrame([row])], ignore_index=True) if len(history) else pd.DataFrame([row])
    write_csv(history, path)
    return history


def best_epoch(losses: list[float]) -> int:
    """The number, from 0, of the first epoch with the lowest validation loss."""
    return min(range(len(losses)), key=losses.__getitem__)


def has_stalled(losses: list[float], patience: int) -> bool:
    """Whether the last `patience` epochs brought no better validation loss than the ones before."""
    return bool(losses) and len(losses) - 1 - best_epoch(losses) >= patience


def plateau_rate(start: float, losses: list[float], epochs: int = 5, factor: float = 0.5) -> float:
    """The learning rate of the next epoch: `start`, times `factor` for every `epochs` in a row without a new best loss.

    The defaults are those of the blog's recipe.
    """
    rate, best, waited = start, math.inf, 0
    for loss in losses:
        best, waited = (loss, 0) if loss < best else (best, waited + 1)
        if waited == epochs:
            rate, waited = rate * factor, 0
    return rate
