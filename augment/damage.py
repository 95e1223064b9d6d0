"""Photos that cannot be decoded. A header can be complete although the data behind it are damaged: only decoding shows
that."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from augment.decode import read_pixels
from competition.utils.errors import InputError
from competition.utils.parallel import parallel_map
from competition.utils.tables import read_text_table

MAX_DAMAGED = 0.05  # share of the photos: with more, something is wrong with the folder or the file system
COLUMNS = ["path", "size", "changed", "reason"]
PHOTOS_PER_TASK = 4


def decode_photos(folder: Path, paths: Sequence[str], jobs: int, cache: Path) -> pd.DataFrame:
    """Decode photos in parallel, except for those that have not changed since they were decoded for the table `cache`.

    Args:
        folder: of the photos.
        paths: relative to it.
        jobs: number of processes, -1 for one per core.
        cache: CSV file with a table that this function returned earlier; it need not exist.

    Returns:
        One row per path, all columns as text: path; size, bytes; changed, the time of the last change, nanoseconds; and
        reason, why the photo cannot be decoded, or "".

    Raises:
        InputError: `cache` is not such a table.
    """
    states = [(path, *_state(folder / path)) for path in paths]
    known = _read_cache(cache) if cache.exists() else {}
    changed = [state for state in states if state not in known]
    files = [folder / path for path, _, _ in changed]
    known |= zip(changed, parallel_map(_reason, files, jobs, "decoding", PHOTOS_PER_TASK), strict=True)
    return pd.DataFrame([(*state, known[state]) for state in states], columns=COLUMNS)


def check_damaged(damaged: Mapping[str, str], photos: int) -> None:
    """Raise `InputError` if more than `MAX_DAMAGED` of the photos are damaged, path → reason."""
    if len(damaged) > MAX_DAMAGED * photos:
        path, reason = next(iter(damaged.items()))
        raise InputError(
            f"{len(damaged)} of {photos} photos cannot be decoded, more than {MAX_DAMAGED:.0%}, such as {path} "
            f"({reason}); restore or remove them"
        )


def _state(path: Path) -> tuple[str, str]:
    """Size and time of the last change of a file, as text; empty if it cannot be examined."""
    try:
        state = path.stat()
    except OSError:  # decoding gives the reason
        return "", ""
    return str(state.st_size), str(state.st_mtime_ns)


def _read_cache(cache: Path) -> dict[tuple[str, str, str], str]:
    table = read_text_table(cache, COLUMNS, "delete it")
    rows = table[COLUMNS].itertuples(index=False, name=None)
    return {(path, size, changed): reason for path, size, changed, reason in rows if size}


def _reason(path: Path) -> str:
    try:
        read_pixels(path)
    except InputError as error:
        return str(error)
    return ""
