"""Unpack a download of the competition: one archive, or the archives `train.zip` and `test.zip` in a folder."""

from pathlib import Path

from competition.layout import TEST, TRAIN
from competition.utils.zip_files import unpack_zip

ZIP = ".zip"


def unpack_download(path: Path) -> tuple[Path, list[str]]:
    """Return the data folder of a download, and one message for each archive: what was done with it.

    `X.zip` is unpacked to the folder `X` beside it, `train.zip` and `test.zip` in a folder to `train` and `test` in
    the same folder. An archive whose folder exists is not read again. Archives are never changed or removed.

    Raises InputError for an archive that cannot be unpacked safely, see `competition.utils.zip_files.unpack_zip`.
    """
    messages: list[str] = []
    folder = _unpack(path, messages) if path.suffix.lower() == ZIP and path.is_file() else path
    for name in (TRAIN, TEST):
        archive = folder / f"{name}{ZIP}"
        if archive.is_file():
            _unpack(archive, messages)
    return folder, messages


def _unpack(archive: Path, messages: list[str]) -> Path:
    target = archive.with_suffix("")
    if target.is_dir():
        messages.append(f"{archive}: using {target}, which was unpacked earlier")
    else:
        count = unpack_zip(archive, target)
        messages.append(f"{archive}: unpacked {count} files to {target}")
    return target
