"""Which training photographs validate: whole devices where several are known, else whole days or bursts.

A network recognises a scene or a device more easily than a model of camera, so a validation photograph whose
device or scene was trained on flatters the score. What cannot be kept apart is told in notes, which the
leaderboard prints.
"""

import zlib
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from competition.manifest import UNALTERED
from competition.utils.errors import InputError

BURST_GAP = pd.Timedelta(minutes=10)  # photographs of one camera taken closer together may show one scene
FEWEST = 3  # photographs per camera: one validates, two train

SAME_DEVICE = "validation and training share the only device"
UNKNOWN_DEVICE = "validation and training may share a device, as not every photograph names its own"
SAME_DAY = "validation and training may share a day, but no burst of photographs"
SAME_BURST = "validation and training share a burst of photographs, as all were taken without a pause"
UNKNOWN_DATE = "validation and training may share a scene, as not every photograph is dated"


def assign_validation(table: pd.DataFrame, seed: int, fraction: float = 0.2) -> tuple[pd.DataFrame, list[str]]:
    """A copy of the manifest with its training rows split into `train` and `validation`, and what both share.

    Of each camera about `fraction` of the photographs validate, at least one, and at least two train. They
    are kept together by the coarsest of these that a camera's photographs allow: device; source (make and
    software) and day, where that comes near `fraction`; burst (no pause longer than `BURST_GAP`). Where all
    are one burst, or undated, the latest validate. Photographs without the device or date that others have
    never validate.

    The notes name the cameras for which validation shares something with training. Test rows stay as they
    are. The result depends on `seed` and the set of rows, not on their order. Raises `InputError` for a
    camera with fewer than `FEWEST` photographs.
    """
    if not 0 < fraction < 1:
        raise InputError(f"the validation fraction is {fraction}; expected a number between 0 and 1")
    training = table[table["split"] != "test"].sort_values("path")
    sizes = training.groupby("camera").size()
    few = [f"{camera} has {size}" for camera, size in sizes.items() if size < FEWEST]
    if few:
        raise InputError(
            f"too few photographs to split: {', '.join(few)}; each camera needs at least {FEWEST}, so add "
            "photographs or remove the camera's folder"
        )
    validation: set[str] = set()
    sharing: dict[str, list[str]] = {}
    for camera, rows in training.groupby("camera"):
        rng = np.random.default_rng([seed, zlib.crc32(str(camera).encode())])
        chosen, shared = _choose(rows, fraction, rng)
        validation.update(chosen)
        for what in shared:
            sharing.setdefault(what, []).append(str(camera))
    split = table["split"].where(table["split"] == "test", "train")
    split = split.mask(table["path"].isin(validation), "validation")
    notes = [
        f"{what}: {'every camera' if len(cameras) == len(sizes) else ', '.join(cameras)}"
        for what, cameras in sorted(sharing.items())
    ]
    return table.assign(split=split), notes


def validation_images(
    table: pd.DataFrame,
    names: Sequence[str],
    fits: Callable[[int, int, str], bool],
    seed: int,
) -> pd.DataFrame:
    """What is evaluated: every validation photograph once unaltered and once manipulated.

    The manipulation is one of `names`, of which each camera gets about equally many; `fits(height, width,
    name)` says whether a photograph is large enough for it. Returns columns path, camera, manipulation,
    is_manipulated (bool), sorted by path, the unaltered first. Depends on `seed` and the set of rows. Raises
    `InputError` for a photograph that none of `names` fits.
    """
    photographs = table[table["split"] == "validation"].sort_values("path")
    rng = np.random.default_rng(seed)
    images = []
    for camera, rows in photographs.groupby("camera"):
        used = dict.fromkeys(rng.permutation(list(names)).tolist(), 0)
        for row in rows.iloc[rng.permutation(len(rows))].itertuples():
            possible = [name for name in used if fits(row.height, row.width, name)]
            if not possible:
                size = f"{row.width}x{row.height}"
                raise InputError(f"{row.path} ({size}) is too small for every manipulation; remove it")
            name = min(possible, key=lambda name: used[name])
            used[name] += 1
            images += [(row.path, camera, UNALTERED, False), (row.path, camera, name, True)]
    found = pd.DataFrame(images, columns=["path", "camera", "manipulation", "is_manipulated"])
    return found.sort_values(["path", "is_manipulated"], ignore_index=True)


def _choose(rows: pd.DataFrame, fraction: float, rng: np.random.Generator) -> tuple[list[str], list[str]]:
    """The paths that validate, of one camera's rows sorted by path, and what they share with training."""
    target = min(max(1, round(fraction * len(rows))), len(rows) - 2)
    devices = rows.dropna(subset="device").groupby("device")["path"].apply(list).tolist()
    all_named = bool(rows["device"].notna().all())
    if len(devices) > 1:
        return _whole_groups(devices, target, rng), [] if all_named else [UNKNOWN_DEVICE]
    shared = [SAME_DEVICE if all_named else UNKNOWN_DEVICE]

    taken = pd.to_datetime(rows["taken_at"], errors="coerce")
    dated = rows.assign(taken=taken).dropna(subset="taken").sort_values(["taken", "path"])
    if len(dated) < len(rows):
        shared.append(UNKNOWN_DATE)
    burst = (dated["taken"].diff() > BURST_GAP).cumsum()
    bursts = [list(paths) for _, paths in dated.groupby(burst)["path"]]
    if len(bursts) > 1:
        # A burst across midnight belongs to the day on which it began, so days are whole bursts.
        first = dated.groupby(burst)[["make", "software", "taken"]].transform("first")
        keys = [first["make"].fillna(""), first["software"].fillna(""), first["taken"].dt.date]
        days = [list(paths) for _, paths in dated.groupby(keys)["path"]]
        chosen = _whole_groups(days, target, rng) if len(days) > 1 else []
        if target / 2 <= len(chosen) <= 2 * target:
            return chosen, shared
        return _whole_groups(bursts, target, rng), [*shared, SAME_DAY]
    if len(bursts) == 1:
        shared.append(SAME_BURST)
    undated = rows[~rows["path"].isin(dated["path"])]
    return [*undated["path"], *dated["path"]][-target:], shared


def _whole_groups(groups: list[list[str]], target: int, rng: np.random.Generator) -> list[str]:
    """Whole groups, drawn at random, of about `target` paths together: at least one group, never all."""
    chosen: list[str] = []
    left = []
    for index in rng.permutation(len(groups)):
        if len(chosen) + len(groups[index]) <= target:
            chosen += groups[index]
        else:
            left.append(groups[index])
    extra = min(left, key=len, default=[])
    over = len(chosen) + len(extra) - target
    if not chosen or (over < target - len(chosen) and len(left) > 1):
        chosen += extra
    return chosen
