"""The photos that a command uses: those of `--data`, or simulated ones. The default preset depends on them."""

from pathlib import Path

from commands.framework import load_framework
from commands.program import PROGRAM
from competition.utils.errors import InputError


def check_folder(data: Path | None) -> None:
    """Raise `InputError` if the folder of `--data` does not exist."""
    if data is not None and not data.is_dir():
        raise InputError(
            f"the folder {data} does not exist; expected train/<camera>/*.jpg in it (see {PROGRAM} train --help)"
        )


def default_preset(data: Path | None, on_gpu: str) -> str:
    """Return the preset `on_gpu` for the user's photos on a GPU, otherwise `quick`."""
    if data is None:
        return "quick"
    load_framework()
    from models.training.backend import has_gpu

    return on_gpu if has_gpu() else "quick"


def virtual_folder(size: str, jobs: int) -> Path:
    """Return the folder of the virtual competition of this size, below `data/`. Simulates what is missing of it."""
    from augment.manipulations import cut_test_patch, source_size
    from competition.virtual.make_competition import find_size, make_competition

    folder = Path("data") / f"virtual-{size}"
    print(f"no --data given: using the virtual competition in {folder}, simulated photos by ten virtual cameras")
    make_competition(folder, find_size(size), 0, cut_test_patch, source_size, jobs)
    return folder
