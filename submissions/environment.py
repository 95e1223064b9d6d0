"""The environment of a run: versions, devices and resources, for bug reports."""

import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

from competition import __version__

ROOT = Path(__file__).resolve().parents[1]  # the folder of the packages: a clone, or site-packages
PACKAGES = (
    "keras",
    "tensorflow",
    "jax",
    "torch",
    "numpy",
    "pandas",
    "opencv-python-headless",
    "pillow",
    "albumentations",
)


def environment() -> dict[str, Any]:
    """Describe the version, backend, devices, packages, git commit, processors, free memory and disk (GiB).

    Imports the framework.
    """
    import keras
    import psutil

    from models.training.backend import devices

    return {
        "version": __version__,
        "backend": keras.backend.backend(),
        "devices": devices(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "git_commit": git_commit(),
        "processors": psutil.cpu_count(),
        "free_memory_gib": round(psutil.virtual_memory().available / 2**30, 1),
        "free_disk_gib": round(shutil.disk_usage(".").free / 2**30, 1),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except ModuleNotFoundError:
        return None


def git_commit(root: Path = ROOT) -> str | None:
    """Return the git commit of the code in `root`, with `+` if it was changed since.

    None if `root` is not the top folder of a git checkout. The package may be installed below one, in a virtual
    environment; its commit is not the one of this code.
    """
    if not (root / ".git").exists():
        return None
    try:
        git = ["git", "-C", str(root), "describe", "--always", "--abbrev=12", "--dirty=+"]
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None  # git is not installed, or refuses a checkout of another user
