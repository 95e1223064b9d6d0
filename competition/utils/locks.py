"""Locks: only one process at a time writes an output.

The lock of a folder is its file `.lock`; the lock of a file is `.<name>.lock` beside it. The owner holds `flock` on the
lock file, and its content names the owner. The kernel releases `flock` when a process ends, however it ends, so the
lock of a killed process never blocks, and no process number has to be compared.

Several hosts that share a file system see each other's `flock` on NFS (version 4, or 3 with its lock service), CephFS,
GPFS, and Lustre that is mounted with `flock`. On Lustre with `localflock` and NFS with `local_lock` they do not. A lock
file that names another host is therefore respected even if it is not locked, and the message says how to remove it.
"""

import errno
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from competition.utils.atomic_files import PARTIAL
from competition.utils.errors import InputError

LOCK = ".lock"
NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
MAX_BYTES = 4096  # of a lock file that are read


@contextmanager
def lock_folder(folder: Path | str) -> Iterator[None]:
    """Hold the lock of an output folder within the block. A missing folder is made, and removed if it stays empty.

    If a killed process held the lock before, the temporary files that it left in the folder are removed.

    Raises:
        InputError: another process holds the lock, or the file system has no locks.
        OSError: the folder cannot be written.
    """
    folder = Path(folder)
    with _lock(folder, folder / LOCK) as was_killed:
        if was_killed:
            for file in folder.rglob(f"{PARTIAL}*"):
                file.unlink()
        yield


@contextmanager
def lock_file(path: Path | str) -> Iterator[None]:
    """Hold the lock of an output file within the block. A missing folder is made, and removed if it stays empty.

    If a killed process held the lock before, the temporary files of this file that it left are removed.

    Raises:
        InputError: `path` is a folder, another process holds the lock, or the file system has no locks.
        OSError: the folder of the file cannot be written.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder, expected the name of a file to write; add a file name")
    with _lock(path, path.with_name(f".{path.name}{LOCK}")) as was_killed:
        if was_killed:
            for file in path.parent.glob(f"{PARTIAL}*"):
                if file.name.endswith(f".{path.name}"):
                    file.unlink()
        yield


@contextmanager
def _lock(output: Path, file: Path) -> Iterator[bool]:
    """Hold a lock within the block. Yields whether a killed process held it before."""
    missing = [folder for folder in file.parents if not folder.exists()]
    descriptor = _acquire(output, file)
    try:
        was_killed = _take_over(descriptor, output, file)
    except BaseException:
        os.close(descriptor)
        raise
    try:
        yield was_killed
    finally:
        file.unlink(missing_ok=True)
        os.close(descriptor)
        with suppress(OSError):  # the first folder that is not empty
            for folder in missing:
                folder.rmdir()


def _acquire(output: Path, file: Path) -> int:
    """Lock the lock file; returns its open descriptor."""
    while True:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        except FileNotFoundError:  # another process has just removed the folder that it had made
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), file.stat()):
                return descriptor
        except FileNotFoundError:  # the owner has just removed it
            pass
        except BlockingIOError:
            owner = _describe(_read_owner(descriptor))
            os.close(descriptor)
            raise InputError(
                f"{output} is in use by {owner}; wait until it has finished, or choose another output"
            ) from None
        except OSError as error:
            os.close(descriptor)
            if error.errno not in NO_LOCKS:
                raise
            raise InputError(
                f"the file system of {output} has no locks ({error.strerror}); choose an output on another file system"
            ) from None
        os.close(descriptor)


def _take_over(descriptor: int, output: Path, file: Path) -> bool:
    """Write this process into a lock file that it has locked; returns whether another owner left it.

    Raises:
        InputError: the owner that left it is on another host.
    """
    before, host = _read_owner(descriptor), socket.gethostname()
    if before is not None and before["host"] != host:
        raise InputError(
            f"{output} is locked by {_describe(before)}, another host; if that process no longer runs, delete {file}"
        )
    owner = {"host": host, "process": os.getpid(), "since": datetime.now().isoformat(sep=" ", timespec="seconds")}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(owner).encode(), 0)
    return before is not None


def _read_owner(descriptor: int) -> dict[str, object] | None:
    """Return the content of a lock file; None if it names no owner, because one was killed while it wrote its name."""
    try:
        owner = json.loads(os.pread(descriptor, MAX_BYTES, 0))
    except (ValueError, RecursionError):
        return None
    return owner if isinstance(owner, dict) and isinstance(owner.get("host"), str) else None


def _describe(owner: dict[str, object] | None) -> str:
    if owner is None:
        return "another process"
    return f"process {owner.get('process', '?')} on {owner['host']} (since {owner.get('since', '?')})"
