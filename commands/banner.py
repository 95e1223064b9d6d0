"""What `train` prints before it starts: the device, the members, the patches, and how long it takes.

Tested by tests/commands/test_banner.py.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from submissions.run import Run


def banner(run: "Run", preset: str, processes: int) -> str:
    """Describe the training that begins or continues, in lines for the terminal.

    Args:
        run: a run that was started.
        preset: name of its preset, or where its recipes come from.
        processes: number of members that train at the same time.
    """
    import keras

    from models.training.backend import devices

    counts = run.manifest["split"].value_counts()
    splits = ", ".join(f"{counts[split]} {split}" for split in ("train", "validation", "test") if split in counts)
    sizes = sorted({recipe.patches.size for recipe in run.recipes.values()})
    patches = f"patches of {' and '.join(map(str, sizes))} pixels"
    return "\n".join(
        [
            f"run {run.folder}: {len(run.cameras)} cameras, {splits} images",
            f"preset   {preset}: {', '.join(run.recipes)}; {patches}",
            f"device   {', '.join(devices())} ({keras.backend.backend()}), {processes} at a time",
            f"time     {expected_time(run, processes)}",
        ]
    )


def expected_time(run: "Run", processes: int) -> str:
    """Say how long the training takes, from measured times if they were measured with these members and this device."""
    import keras

    from competition.utils.progress import format_duration
    from models.training.backend import has_gpu
    from submissions.progress.work import is_measured, total_duration

    if has_gpu() or keras.backend.backend() != "tensorflow" or not is_measured(run):
        return "not measured for this device and these members; the time left is shown once it is known"
    return (
        f"about {format_duration(total_duration(run, processes))} on cores as in docs/command-line.md; "
        "the time left is corrected by the speed of this machine"
    )
