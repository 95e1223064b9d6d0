"""Folders of simulated data, with a JSON record of what they contain."""

from collections.abc import Mapping
from pathlib import Path

from competition.utils.atomic_files import read_json, write_json
from competition.utils.errors import InputError


def claim_folder(folder: Path, record_name: str, record: Mapping[str, object]) -> None:
    """Write `record` to a new or empty folder, or check that the folder was made from the same record.

    The record gets `"complete": false`; the caller overwrites it when everything is written.

    Raises:
        InputError: The folder contains other files, or data of another size, seed or version.
    """
    path = folder / record_name
    if path.exists():
        found = read_json(path)
        if any(found.get(key) != value for key, value in record.items()):
            raise InputError(
                f"{folder} contains simulated data of another size, seed or version; choose another folder or delete it"
            )
    elif folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder} contains other files and no {record_name}; choose an empty or new folder")
    else:
        write_json({**record, "complete": False}, path)
