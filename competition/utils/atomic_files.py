"""Atomic writes: a file is written under a temporary name beside its target, then renamed."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from competition.utils.errors import InputError

if TYPE_CHECKING:  # worker processes that never use a table start in half the time
    import pandas as pd

PARTIAL = ".partial."  # begins the names of temporary files


@contextmanager
def atomic_write(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path that is renamed to `path` if the block ends without an error.

    The temporary file is hidden, lies in the same folder and has the same suffixes. A missing folder is made. After
    an error the temporary file is removed and an existing `path` is unchanged.

    The time of a write does not depend on the number of files in the folder. The temporary name contains the host and
    the process, so several of them may write one file at the same time: the last one wins. What a killed process leaves
    behind is removed by the next one that locks the output, see `competition.utils.locks`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{PARTIAL}{socket.gethostname()}.{os.getpid()}.{path.name}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_bytes(data: bytes, path: Path | str) -> None:
    """Write `data` to `path` atomically."""
    with atomic_write(path) as partial:
        partial.write_bytes(data)


def write_json(data: Any, path: Path | str) -> None:
    """Write `data` as indented JSON atomically. Raises ValueError for NaN, which JSON cannot represent."""
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    write_bytes((text + "\n").encode(), path)


def read_json(path: Path | str) -> Any:
    """Read a JSON file. Raises InputError for a missing or damaged file."""
    try:
        return json.loads(Path(path).read_text())
    except FileNotFoundError:
        raise InputError(f"{path} does not exist") from None
    except (ValueError, RecursionError) as error:  # damaged, too long numbers, or nested too deeply
        raise InputError(f"{path} is not valid JSON ({error}); delete it or restore it") from None


def write_csv(table: "pd.DataFrame", path: Path | str) -> None:
    """Write a table as CSV without its index, atomically."""
    with atomic_write(path) as partial:
        table.to_csv(partial, index=False)
