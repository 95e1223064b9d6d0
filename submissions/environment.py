"""The environment of a run: versions, devices and resources, for bug reports.

Tested by tests/commands/test_main_job.py.
"""

import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = (
    "keras",
    "tensorflow",
    "jax",
    "torch",
    "numpy",
    "pandas",
    "opencv-python",
    "pillow",
    "albumentations",
)


def environment() -> dict[str, Any]:
    """Describe the backend, devices, versions, git commit, processors, free memory and disk (GiB).

    Imports the framework.
    """
    import keras
    import psutil

    from models.training.backend import devices

    return {
        "backend": keras.backend.backend(),
        "devices": devices(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "git_commit": _commit(),
        "processors": psutil.cpu_count(),
        "free_memory_gib": round(psutil.virtual_memory().available / 2**30, 1),
        "free_disk_gib": round(shutil.disk_usage(".").free / 2**30, 1),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except ModuleNotFoundError:
        return None


def _commit() -> str | None:
    """The git commit of this code, with `+` if it was changed since; None outside a clone."""
    here = Path(__file__).parent
    try:
        git = ["git", "-C", str(here), "describe", "--always", "--abbrev=12", "--dirty=+"]
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
