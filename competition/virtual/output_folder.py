"""Folders of simulated data, with a JSON record of what they contain."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from competition.utils.atomic_files import read_json, write_json
from competition.utils.errors import InputError
from competition.utils.locks import LOCK, lock_folder


@contextmanager
def claim_folder(folder: Path, record_name: str, record: Mapping[str, object]) -> Iterator[None]:
    """Fill a new or empty folder within the block, or complete one that was made from the same record.

    The folder is locked. Its record has `"complete": false` until the block ends without an error.

    Raises:
        InputError: The folder contains other files, data of another size, seed or version, or another process fills it.
    """
    path = folder / record_name
    with lock_folder(folder):
        if not path.exists():
            if any(file.name != LOCK for file in folder.iterdir()):
                raise InputError(f"{folder} contains other files and no {record_name}; choose an empty or new folder")
            write_json({**record, "complete": False}, path)
        is_complete(folder, record_name, record)
        yield
        write_json({**record, "complete": True}, path)


def is_complete(folder: Path, record_name: str, record: Mapping[str, object]) -> bool:
    """Return whether a folder was filled from a record.

    Raises:
        InputError: The folder contains data of another size, seed or version.
    """
    if not (folder / record_name).exists():
        return False
    found = read_json(folder / record_name)
    if not isinstance(found, dict) or any(found.get(key) != value for key, value in record.items()):
        raise InputError(
            f"{folder} contains simulated data of another size, seed or version; choose another folder or delete it"
        )
    return found.get("complete") is True
