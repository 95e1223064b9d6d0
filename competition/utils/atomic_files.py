"""Files are written whole or not at all: a temporary name beside the target, then a rename."""

import glob
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from competition.utils.errors import InputError

if TYPE_CHECKING:  # worker processes that never see a table start in half the time
    import pandas as pd


@contextmanager
def atomic_write(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path (same folder and endings) that becomes `path` only if the block ends without an error.

    The folder is made where it is missing. After an error nothing is left behind and an older `path` is unharmed.
    What a killed run left behind of the same file is removed, so a file must have one writer at a time.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f".*.partial.{glob.escape(path.name)}"):
        left.unlink(missing_ok=True)
    partial = path.with_name(f".{os.getpid()}.partial.{path.name}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_bytes(data: bytes, path: Path | str) -> None:
    """Write `data` to `path`, whole or not at all."""
    with atomic_write(path) as partial:
        partial.write_bytes(data)


def write_json(data: Any, path: Path | str) -> None:
    """Write `data` as indented JSON, whole or not at all. NaN is refused: it is not JSON."""
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    write_bytes((text + "\n").encode(), path)


def read_json(path: Path | str) -> Any:
    """Read JSON; a missing or damaged file is an `InputError` that names it."""
    try:
        return json.loads(Path(path).read_text())
    except FileNotFoundError:
        raise InputError(f"{path} does not exist") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid JSON ({error}); delete it or restore it") from None


def write_csv(table: "pd.DataFrame", path: Path | str) -> None:
    """Write a table as CSV without its index, whole or not at all."""
    with atomic_write(path) as partial:
        table.to_csv(partial, index=False)
