"""Which photographs a command works on: those of `--data`, else the virtual competition in the preset's size."""

from pathlib import Path

from competition.utils.errors import InputError


def check_folder(data: Path | None) -> None:
    """Refuse a `--data` that does not exist before anything slow begins."""
    if data is not None and not data.is_dir():
        raise InputError(
            f"the folder {data} does not exist; expected train/<camera>/*.jpg in it (see ./run.sh train --help)"
        )


def virtual_folder(size: str, jobs: int) -> Path:
    """The virtual competition's folder, made where it is not there yet: of settings where those are asked for."""
    from augment.manipulations import cut_test_patch, source_size
    from competition.virtual.make_competition import find_size, make_competition

    folder = Path("data") / f"virtual-{size}"
    print(f"no --data: the virtual competition in {folder}, simulated photographs by ten virtual cameras")
    make_competition(folder, find_size(size), 0, cut_test_patch, source_size, jobs)
    return folder
