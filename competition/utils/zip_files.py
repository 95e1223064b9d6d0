"""Unpack zip archives from the internet safely: nothing outside the target, no bombs, completely or not at all."""

import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from competition.utils.errors import InputError
from competition.utils.progress import progress_bar

MAX_RATIO = 20  # unpacked bytes per byte of the archive: photos shrink by less than 2, tables of names by about 5
PROGRESS_DELAY = 2  # seconds
LEFT_OUT = "__MACOSX"  # a folder that macOS adds to archives
ENCRYPTED = 0x1  # a flag of a member


def unpack_zip(archive: Path, target: Path) -> int:
    """Unpack `archive` into the new folder `target`, and return the number of files.

    All members are checked before the first is written. A stopped or failed call leaves no `target`.

    Raises:
        InputError: the file is not a zip archive or is damaged; a member would be written outside `target`, is a link,
            is encrypted or is listed twice; the contents are larger than `MAX_RATIO` times the archive, or than the
            free space of the disk.
    """
    partial = target.with_name(f".partial.{target.name}")
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [info for info in opened.infolist() if not info.is_dir() and not _is_left_out(info)]
            _check(archive, members, target)
            shutil.rmtree(partial, ignore_errors=True)  # of a call that was killed
            with progress_bar(f"unpacking {archive.name}", len(members), "file", delay=PROGRESS_DELAY) as progress:
                for info in members:
                    path = partial / info.filename
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with opened.open(info) as source, path.open("wb") as file:  # reads no more than the stated size
                        shutil.copyfileobj(source, file)
                    progress.update()
        partial.rename(target)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise InputError(f"{archive} is not a zip archive or is damaged ({error}); download it again") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return len(members)


def _is_left_out(info: zipfile.ZipInfo) -> bool:
    return PurePosixPath(info.filename).parts[:1] == (LEFT_OUT,)


def _check(archive: Path, members: list[zipfile.ZipInfo], target: Path) -> None:
    names: set[str] = set()
    for info in members:
        if _leaves_target(info.filename):
            raise InputError(f"{archive} would write {info.filename!r}, outside {target}; do not use this archive")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise InputError(f"{archive} contains the link {info.filename!r}; do not use this archive")
        if info.flag_bits & ENCRYPTED:
            raise InputError(f"{archive} is encrypted; unpack it to {target} yourself")
        if info.filename in names:
            raise InputError(f"{archive} lists {info.filename!r} twice; download it again")
        names.add(info.filename)
    if not members:
        raise InputError(f"{archive} is empty; download it again")
    total, size = sum(info.file_size for info in members), archive.stat().st_size
    if total > MAX_RATIO * size:
        raise InputError(
            f"{archive} would unpack to {total / size:.0f} times its size, expected at most {MAX_RATIO} times for "
            "photos; do not use this archive"
        )
    free = shutil.disk_usage(archive.parent).free
    if total > free:
        raise InputError(
            f"{archive} needs {total / 2**30:.1f} GiB, but the disk has {free / 2**30:.1f} GiB free; free some space"
        )


def _leaves_target(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or ":" in path.parts[0]
