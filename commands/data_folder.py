"""The photos that a command uses: those of `--data`, or simulated ones. The default preset depends on them."""

from pathlib import Path

from commands.framework import load_framework
from commands.program import PROGRAM
from competition.utils.errors import InputError


def check_folder(data: Path | None) -> None:
    """Raise `InputError` if `--data` does not exist."""
    if data is not None and not data.exists():
        raise InputError(
            f"the folder {data} does not exist; expected train/<camera>/*.jpg in it (see {PROGRAM} train --help)"
        )


def open_folder(data: Path) -> Path:
    """Return the folder of the user's photos, and print what it contains. Archives are unpacked beside themselves.

    Raises InputError for a layout that is not known, see `competition.layout.find_layout`.
    """
    from competition.archives import unpack_download
    from competition.layout import describe_layout, find_layout

    folder, messages = unpack_download(data)
    for message in messages:
        print(message)
    print(describe_layout(find_layout(folder)))
    return folder


def default_preset(data: Path | None, on_gpu: str) -> str:
    """Return the preset `on_gpu` for the user's photos on a GPU, otherwise `quick`."""
    if data is None:
        return "quick"
    load_framework()
    from models.training.backend import has_gpu

    return on_gpu if has_gpu() else "quick"


def virtual_path(size: str) -> Path:
    """Return the path of the virtual competition of this size, below `data/`."""
    return Path("data") / f"virtual-{size}"


def virtual_folder(size: str, jobs: int) -> Path:
    """Return the folder of the virtual competition of this size. Simulates what is missing of it."""
    from augment.manipulations import cut_test_patch, source_size
    from competition.virtual.make_competition import find_size, make_competition

    folder = virtual_path(size)
    print(f"no --data given: using the virtual competition in {folder}, simulated photos by ten virtual cameras")
    make_competition(folder, find_size(size), 0, cut_test_patch, source_size, jobs)
    return folder
