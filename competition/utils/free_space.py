"""Free disk space and memory, compared with what a command needs before its slow work begins."""

import shutil
from pathlib import Path

import psutil

from competition.utils.errors import InputError

GIB = 2**30


def check_disk(folder: Path, needed: float, work: str) -> None:
    """Raise `InputError` if `work` needs more bytes than the disk of a folder has. The folder need not exist yet."""
    existing = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if needed > free:
        raise InputError(
            f"{work} needs about {_size(needed)} on the disk of {folder}, which has {_size(free)} free; "
            "free some space, or choose another disk"
        )


def check_memory(needed: float, work: str) -> None:
    """Raise `InputError` if `work` needs more bytes of memory than this machine has available."""
    free = psutil.virtual_memory().available
    if needed > free:
        raise InputError(
            f"{work} needs about {_size(needed)} of memory, of which {_size(free)} are available; "
            "end other programs, use a larger machine, or limit the photos with --photos N"
        )


def _size(count: float) -> str:
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / 2**20:.2f} MiB"
