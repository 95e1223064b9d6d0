"""config.json of a run folder: a run only continues with the configuration that it was started with.

Tested by tests/submissions/test_run.py.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from competition.utils.atomic_files import read_json
from competition.utils.errors import InputError, unknown_name

FORMAT_VERSION = 2  # runs of other versions cannot be opened
DIFFERENCES_NAMED = 4
LONGEST_VALUE = 60  # characters of a value in a message


def read_config(folder: Path) -> Any:
    """Read the config.json of the run in `folder`.

    Raises:
        InputError: there is no run, and the message names those beside it; or the file is damaged or of another format.
    """
    if not (folder / "config.json").is_file():
        raise unknown_name("run", str(folder), sorted(p.parent.as_posix() for p in folder.parent.glob("*/config.json")))
    config = read_json(folder / "config.json")
    version = config.get("format_version") if isinstance(config, dict) else None
    if version != FORMAT_VERSION:
        raise InputError(
            f"the run {folder} has the format {'1 or none' if version is None else version}, expected "
            f"{FORMAT_VERSION}: another version of this program made it; train it again with another --run NAME"
        )
    return config


def check_same_config(folder: Path, existing: Mapping[str, Any], requested: Mapping[str, Any]) -> None:
    """Raise `InputError`, naming the first differences, if the run in `folder` has another configuration."""
    different = [
        f"{key} {_shorten(existing.get(key))} (now {_shorten(requested.get(key))})"
        for key in sorted({*existing, *requested})
        if existing.get(key) != requested.get(key)
    ]
    if different:
        raise InputError(
            f"the run {folder} was made with other settings: {', '.join(different[:DIFFERENCES_NAMED])}"
            f"{' …' if len(different) > DIFFERENCES_NAMED else ''}; choose another --run NAME, or delete that folder"
        )


def _shorten(value: Any) -> str:
    """A value in a message: a pipeline of --augment has thousands of characters."""
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def as_json(config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration as it is read from a JSON file: with lists instead of tuples."""
    return json.loads(json.dumps(config))


def flatten(tree: Any, name: str = "") -> dict[str, Any]:
    """Return the values of nested dictionaries by their path, such as `recipes.mobilenet.epochs`."""
    if not isinstance(tree, dict):
        return {name: tree}
    return {k: v for key, branch in tree.items() for k, v in flatten(branch, f"{name}.{key}" if name else key).items()}
