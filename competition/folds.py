"""Folds for cross-validation: every training photo is in one fold, and a fold shares no device, day or burst with the
others if possible, as in `competition.splits`."""

import zlib
from itertools import pairwise

import numpy as np
import pandas as pd

from competition.splits import (
    SAME_BURST,
    SAME_DAY,
    SAME_DEVICE,
    UNKNOWN_DATE,
    UNKNOWN_DEVICE,
    describe_shared,
    groups_by_time,
)
from competition.utils.errors import InputError

FEW_DEVICES = "validation and training may share a device, because there are fewer devices than folds"
LARGEST = 2  # times the mean: if a fold of whole days is larger, folds keep bursts together instead


def assign_folds(table: pd.DataFrame, folds: int, seed: int) -> tuple[pd.Series, list[str]]:
    """Assign each training photo to one of `folds` folds.

    The photos of a camera are kept together in the coarsest groups of which it has enough: devices; days (with make and
    software), unless one fold would be more than `LARGEST` times as large as the mean; bursts. If all photos belong to
    one burst or have no date, each fold is a part of them in the order of time. Photos with an unknown device or date
    are groups of their own. Folds have about equally many photos of each camera. The result depends on `seed` and the
    set of rows, not on their order.

    Args:
        table: a manifest. Its test rows are ignored.
        folds: their number, at least 2.
        seed: of the random assignment of groups.

    Returns:
        The fold of each training photo, int64 from 0, by path; and notes that name the cameras for which a fold shares
        something with the others.

    Raises:
        InputError: `folds` is below 2, or larger than the number of groups of a camera.
    """
    if folds < 2:
        raise InputError(f"received {folds} folds; expected at least 2")
    training = table[table["split"] != "test"].sort_values("path")
    totals = np.zeros(folds, dtype=np.int64)
    found: dict[str, int] = {}
    sharing: dict[str, list[str]] = {}
    for camera, rows in training.groupby("camera"):
        rng = np.random.default_rng([seed, zlib.crc32(str(camera).encode())])
        groups, shared = _groups(rows, folds, rng)
        if len(groups) < folds:
            raise InputError(
                f"{folds} folds need {folds} groups of photos (devices, days or bursts) of each camera, but {camera} "
                f"has {len(groups)}; choose fewer folds, or add photos of other days"
            )
        chosen = _distribute(groups, folds, rng, totals)
        totals += np.bincount(list(chosen.values()), minlength=folds)
        found |= chosen
        for note in shared:
            sharing.setdefault(note, []).append(str(camera))
    return pd.Series(found, dtype="int64").sort_index(), describe_shared(sharing, training["camera"].nunique())


def _groups(rows: pd.DataFrame, folds: int, rng: np.random.Generator) -> tuple[list[list[str]], list[str]]:
    """The groups of one camera's photos that stay together, and notes about what they share."""
    devices = rows.dropna(subset="device").groupby("device")["path"].apply(list).tolist()
    unknown = rows.loc[rows["device"].isna(), "path"].tolist()
    if len(devices) >= folds:
        return [*devices, *_alone(unknown)], [UNKNOWN_DEVICE] if unknown else []
    shared = [UNKNOWN_DEVICE if unknown else SAME_DEVICE if len(devices) == 1 else FEW_DEVICES]

    days, bursts, undated = groups_by_time(rows)
    if undated:
        shared.append(UNKNOWN_DATE)
    if len(bursts) > 1:
        groups = [*days, *_alone(undated)]
        if len(groups) >= folds:
            sizes = np.bincount(list(_distribute(groups, folds, rng, np.zeros(folds)).values()))
            if sizes.max() <= LARGEST * len(rows) / folds:
                return groups, shared
        return [*bursts, *_alone(undated)], [*shared, SAME_DAY]
    if bursts:
        shared.append(SAME_BURST)
    in_time = [*undated, *(path for burst in bursts for path in burst)]
    bounds = np.linspace(0, len(in_time), folds + 1).round().astype(int)
    parts = [in_time[start:end] for start, end in pairwise(bounds)]
    return [part for part in parts if part], shared


def _alone(paths: list[str]) -> list[list[str]]:
    return [[path] for path in paths]


def _distribute(groups: list[list[str]], folds: int, rng: np.random.Generator, totals: np.ndarray) -> dict[str, int]:
    """Give each group, the largest first, to the fold with the fewest photos of the camera, then of all `totals`."""
    sizes = np.zeros(folds, dtype=np.int64)
    chosen: dict[str, int] = {}
    for index in sorted(rng.permutation(len(groups)).tolist(), key=lambda index: -len(groups[index])):
        fold = min(range(folds), key=lambda fold: (sizes[fold], totals[fold], fold))
        sizes[fold] += len(groups[index])
        chosen |= dict.fromkeys(groups[index], fold)
    return chosen
