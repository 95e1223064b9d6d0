"""Split training photos into training and validation: by device if possible, or else by day or burst.

A network recognizes a scene or a device more easily than a camera model. A validation photo whose device or scene also
occurs in training makes the score too optimistic. What training and validation share is reported in notes, which the
leaderboard prints.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from competition.manipulation import UNALTERED
from competition.utils.errors import InputError

BURST_GAP = pd.Timedelta(minutes=10)  # photos of one camera taken closer together may show one scene
MIN_PHOTOS = 3  # per camera: one for validation, two for training

SAME_DEVICE = "validation and training share the only device"
UNKNOWN_DEVICE = "validation and training may share a device, because the device of some photos is unknown"
SAME_DAY = "validation and training may share a day, but no burst of photos"
SAME_BURST = "validation and training share a burst of photos, because all were taken without a pause"
UNKNOWN_DATE = "validation and training may share a scene, because the date of some photos is unknown"


def assign_validation(table: pd.DataFrame, seed: int, fraction: float = 0.2) -> tuple[pd.DataFrame, list[str]]:
    """Split the training rows of a manifest into `train` and `validation`.

    About `fraction` of each camera's photos become validation, at least one, and at least two remain for training.
    Photos are kept together in the coarsest groups that a camera's photos allow: devices; days (with make and software)
    if their sizes come near `fraction`; bursts (no pause longer than `BURST_GAP`). If all photos belong to one burst or
    have no date, the latest become validation. Photos with an unknown device or date stay in training if others have
    one. The result depends on `seed` and the set of rows, not on their order.

    Args:
        table: a manifest. Its test rows stay as they are.
        seed: of the random choice of groups.
        fraction: of each camera's photos, between 0 and 1.

    Returns:
        A copy of the manifest with the new column `split`, and notes that name the cameras for which validation shares
        something with training.

    Raises:
        InputError: A camera has fewer than `MIN_PHOTOS` photos, or `fraction` is out of range.
    """
    if not 0 < fraction < 1:
        raise InputError(f"the validation fraction is {fraction}; expected a number between 0 and 1")
    training = table[table["split"] != "test"].sort_values("path")
    sizes = training.groupby("camera").size()
    small = [f"{camera} has {size}" for camera, size in sizes.items() if size < MIN_PHOTOS]
    if small:
        raise InputError(
            f"too few photos to split: {', '.join(small)}; each camera needs at least {MIN_PHOTOS}, so add photos "
            "or remove the camera's folder"
        )
    validation: set[str] = set()
    sharing: dict[str, list[str]] = {}
    for camera, rows in training.groupby("camera"):
        rng = np.random.default_rng([seed, zlib.crc32(str(camera).encode())])
        chosen, shared = _choose(rows, fraction, rng)
        validation.update(chosen)
        for note in shared:
            sharing.setdefault(note, []).append(str(camera))
    split = table["split"].where(table["split"] == "test", "train")
    split = split.mask(table["path"].isin(validation), "validation")
    return table.assign(split=split), describe_shared(sharing, len(sizes))


def describe_shared(sharing: Mapping[str, Sequence[str]], cameras: int) -> list[str]:
    """Return one note for each kind of sharing; `sharing` maps it to the names of some of the `cameras`."""
    return [
        f"{note}: {'every camera' if len(names) == cameras else ', '.join(names)}"
        for note, names in sorted(sharing.items())
    ]


def groups_by_time(rows: pd.DataFrame) -> tuple[list[list[str]], list[list[str]], list[str]]:
    """Group the photos of one camera by time.

    Args:
        rows: of a manifest, sorted by path.

    Returns:
        The paths of each day (with make and software), the paths of each burst, and those without a date. Bursts and
        their photos are in the order of time. A burst across midnight belongs to the day on which it began, so a day
        never splits a burst.
    """
    taken = pd.to_datetime(rows["taken_at"], errors="coerce")
    dated = rows.assign(taken=taken).dropna(subset="taken").sort_values(["taken", "path"])
    undated = rows.loc[taken.isna(), "path"].tolist()
    if dated.empty:
        return [], [], undated
    burst = (dated["taken"].diff() > BURST_GAP).cumsum()
    bursts = [list(paths) for _, paths in dated.groupby(burst)["path"]]
    first = dated.groupby(burst)[["make", "software", "taken"]].transform("first")
    keys = [first["make"].fillna(""), first["software"].fillna(""), first["taken"].dt.date]
    return [list(paths) for _, paths in dated.groupby(keys)["path"]], bursts, undated


def limit_photos(table: pd.DataFrame, split: str, photos: int | None, seed: int) -> pd.DataFrame:
    """Keep at most `photos` photos of a split of the manifest, chosen at random, and all other rows; None keeps all."""
    rows = table.index[table["split"] == split]
    if photos is None or photos >= len(rows):
        return table
    left_out = np.random.default_rng(seed).permutation(rows)[photos:]
    return table.drop(index=left_out)


def validation_images(
    table: pd.DataFrame,
    names: Sequence[str],
    fits: Callable[[int, int, str], bool],
    seed: int,
) -> pd.DataFrame:
    """List the validation images: every validation photo once unaltered and once manipulated.

    The result depends on `seed` and the set of rows, not on their order.

    Args:
        table: a manifest with validation rows.
        names: manipulations, each used about equally often for each camera.
        fits: `fits(height, width, name)` returns whether a photo is large enough for a manipulation.
        seed: of the random assignment of manipulations.

    Returns:
        Columns path, camera, manipulation, is_manipulated (bool), sorted by path, the unaltered image first.

    Raises:
        InputError: A photo is too small for every manipulation.
    """
    photos = table[table["split"] == "validation"].sort_values("path")
    rng = np.random.default_rng(seed)
    images = []
    for camera, rows in photos.groupby("camera"):
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
    """Return the validation paths of one camera's rows, sorted by path, and notes about what they share."""
    target = min(max(1, round(fraction * len(rows))), len(rows) - 2)
    devices = rows.dropna(subset="device").groupby("device")["path"].apply(list).tolist()
    all_known = bool(rows["device"].notna().all())
    if len(devices) > 1:
        return _choose_groups(devices, target, rng), [] if all_known else [UNKNOWN_DEVICE]
    shared = [SAME_DEVICE if all_known else UNKNOWN_DEVICE]

    days, bursts, undated = groups_by_time(rows)
    if undated:
        shared.append(UNKNOWN_DATE)
    if len(bursts) > 1:
        chosen = _choose_groups(days, target, rng) if len(days) > 1 else []
        if target / 2 <= len(chosen) <= 2 * target:
            return chosen, shared
        return _choose_groups(bursts, target, rng), [*shared, SAME_DAY]
    if len(bursts) == 1:
        shared.append(SAME_BURST)
    return [*undated, *(path for burst in bursts for path in burst)][-target:], shared


def _choose_groups(groups: list[list[str]], target: int, rng: np.random.Generator) -> list[str]:
    """Choose random groups with about `target` paths in total: at least one group, never all."""
    chosen: list[str] = []
    rest = []
    for index in rng.permutation(len(groups)):
        if len(chosen) + len(groups[index]) <= target:
            chosen += groups[index]
        else:
            rest.append(groups[index])
    extra = min(rest, key=len, default=[])
    excess = len(chosen) + len(extra) - target
    if not chosen or (excess < target - len(chosen) and len(rest) > 1):
        chosen += extra
    return chosen
