"""Types of options for paths: folders of runs, names of new runs, and outputs. They are checked before any work begins.

Everywhere, RUN is the path of a run's folder, or its name in `runs/`. Tested by tests/commands/test_paths.py.
"""

import argparse
import os
from pathlib import Path

from commands.program import PROGRAM
from competition.utils.errors import InputError

RUNS = Path("runs")
WHAT_TO_TRAIN = (
    f"train one on photos of your cameras with '{PROGRAM} train ensemble --data DIR' (about 20 minutes for 250 photos "
    f"on two CPU cores) or '{PROGRAM} train dctnet --data DIR' (about 3 minutes)"
)


def run_folder(text: str) -> Path:
    """Convert RUN to the folder of a run: the path of a folder, or the name of a folder in `runs/`."""
    path = Path(text)
    return path if path.is_dir() or len(path.parts) != 1 else RUNS / path


def newest_camera_run() -> Path:
    """Return the run in `runs/` that predicts cameras and was scored last.

    Raises InputError, which says what to train, if there is none.
    """
    leaderboards = sorted(RUNS.glob("*/leaderboard.csv"), key=lambda path: path.stat().st_mtime)
    if not leaderboards:
        raise InputError(f"{RUNS} has no trained run that predicts cameras; {WHAT_TO_TRAIN}")
    return leaderboards[-1].parent


def new_run(text: str) -> str:
    """Convert NAME or `runs/NAME` to the name of a new run. Rejects a name whose folder would not be in `runs/`."""
    path = Path(text)
    name = path.relative_to(RUNS) if path.is_relative_to(RUNS) else path
    if len(name.parts) != 1 or name.is_absolute() or name.name.startswith("."):
        raise argparse.ArgumentTypeError(
            f"received {text!r}, expected a name without slashes, such as {path.name.lstrip('.') or 'my-run'!r}: "
            f"runs are written to {RUNS}/NAME"
        )
    return name.name


def output_file(text: str) -> Path:
    """Convert to the path of a file that can be written."""
    return _output(Path(text), is_folder=False)


def output_folder(text: str) -> Path:
    """Convert to the path of a folder that can be written into."""
    return _output(Path(text), is_folder=True)


def check_output_folder(path: Path) -> None:
    """Raise `InputError` if a folder that the user did not name cannot be written into."""
    if problem := _problem(path, is_folder=True):
        raise InputError(f"{problem}; move it away, or correct its permissions")


def _output(path: Path, is_folder: bool) -> Path:
    if problem := _problem(path, is_folder):
        raise argparse.ArgumentTypeError(f"{problem}; give another path, or correct the permissions")
    return path


def _problem(path: Path, is_folder: bool) -> str | None:
    """Why a file or a folder cannot be written; None if it can."""
    if path.is_dir() and not is_folder:
        return f"{path} is a folder, expected a file"
    existing = path if is_folder else path.parent
    while not existing.exists():  # the folders below the first one that exists are made when they are needed
        existing = existing.parent
    if not existing.is_dir():
        return f"{path} cannot be written, because {existing} is a file"
    if not os.access(existing, os.W_OK | os.X_OK):
        return f"{path} cannot be written: no permission for {existing}"
    return None
