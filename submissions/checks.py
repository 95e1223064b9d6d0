"""What every kind of run refuses before it begins."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from competition.utils.errors import InputError


def check_photo_sizes(table: pd.DataFrame, size: int) -> None:
    """Raise `InputError` where a photograph of the manifest `table` is smaller than a patch of `size` pixels."""
    small = table.loc[table[["width", "height"]].min(axis=1) < size, ["path", "width", "height"]]
    if len(small):
        first = small.iloc[0]
        raise InputError(
            f"{len(small)} photograph(s) are smaller than a patch of {size} pixels, the first is {first.path} "
            f"({first.width}x{first.height}); remove them, or give a smaller --patch"
        )


def check_same_settings(folder: Path, was: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise `InputError`, naming the first four, where the settings of the run in `folder` differ from those `now`."""
    keys = sorted({*was, *now})
    other = [f"{key} {was.get(key)} (now {now.get(key)})" for key in keys if was.get(key) != now.get(key)]
    if other:
        raise InputError(
            f"the run {folder} was made with other settings: {', '.join(other[:4])}"
            f"{' …' if len(other) > 4 else ''}; choose another --run NAME, or delete that folder"
        )
