"""The work of training and predicting a member, weighed by measured times.

Epochs, members and predictions have very different costs: predicting eight views of a test set may take longer than an
epoch, and a large backbone many times as long as a small one. So progress is not counted in epochs, but in the seconds
that each stage takes on one core according to `TIMES`. Another machine takes more or less time for all of them;
`slowdown` measures how much.
"""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from competition.utils.progress import State
from models.front_ends import FRONT_ENDS
from models.members import FRONT_END_MEMBERS, front_end_member
from models.recipe import Recipe
from submissions.run import FRONT_END, Run

START = "start"  # title of the stage before the first step
FEATURES = "features of patches"


@dataclass(frozen=True)
class Times:
    """Measured times of a member on one core.

    Attributes:
        start: seconds until the first step: imports, building, and the scores before the first epoch.
        train: seconds per megapixel of training patches, with tracing and validation.
        predict: seconds per megapixel of predicted patches; for a front end, also of the patches whose features it
            computes before it is trained on them.
    """

    start: float
    train: float
    predict: float


# Printed by `python -m benchmarks.member_times` for the default job, see docs/command-line.md.
TIMES = {
    "resnet50": Times(34, 0.85, 0.16),
    "densenet201": Times(71, 1.2, 0.15),
    "inceptionresnetv2": Times(81, 1.4, 0.18),
    "mobilenet": Times(24, 0.43, 0.13),
    "dctnet": Times(0, 0.0055, 0.066),
}
MEASURED_FRONT_END = "dct"  # of the backbones in `TIMES`
PRIOR = 60.0  # seconds of work for which `slowdown` believes in `TIMES`, before this machine has shown its own speed


@dataclass(frozen=True)
class Stage:
    """A part of the work of a member: the title of its progress, words for the user, and seconds on one core."""

    title: str
    label: str
    seconds: float


def is_measured(run: Run) -> bool:
    """Return whether `TIMES` has all members of a run, with the front end that they were measured with."""
    return all(
        member in TIMES and (member in FRONT_END_MEMBERS or recipe.front_end == MEASURED_FRONT_END)
        for member, recipe in run.recipes.items()
    )


def stages_left(run: Run, name: str) -> tuple[Stage, ...]:
    """Return what is left of the training and prediction of a member, in the order in which it happens.

    Args:
        run: a run or one of its parts, see `submissions.run.Run.parts`.
        name: of a member, or `FRONT_END` for the front end that the members share.
    """
    shared = run.shared_front_end
    recipe = shared if name == FRONT_END and shared is not None else run.recipes[name]
    network = front_end_member(recipe) if name == FRONT_END else name
    folder = run.front_end_folder if name == FRONT_END else run.member_folder(name)
    stages, alone = list[Stage](), recipe.front_end_recipe
    if alone is not None:
        stages += _training(run, front_end_member(alone), alone, folder / FRONT_END, alone != shared)
    stages += _training(run, network, recipe, folder, name == FRONT_END or recipe != shared)
    views = 1 if name == FRONT_END else recipe.views
    stages += _predictions(run, network, recipe, name, views)
    return (Stage(START, "starting", _times(network).start), *stages) if stages else ()


def seconds(stages: Iterable[Stage]) -> float:
    """Return the seconds of all stages on one core."""
    return sum(stage.seconds for stage in stages)


def finished_seconds(stages: Sequence[Stage], state: State | None) -> float:
    """Return the seconds of the stages that are finished according to the last state of the process."""
    titles = [stage.title for stage in stages]
    if state is None or state.title not in titles:
        return 0.0
    index = titles.index(state.title)
    if index <= 1 and not state.done:  # the first step, with tracing, is a part of the start
        return 0.0
    return seconds(stages[:index]) + stages[index].seconds * state.done / max(state.total, 1)


def slowdown(spent: float, finished: float) -> float:
    """Return how much longer this machine takes than `TIMES` says, from the seconds spent on finished seconds of work.

    In the first minute, it is nearly 1.
    """
    return (spent + PRIOR) / (finished + PRIOR)


def total_duration(run: Run, processes: int) -> float:
    """Return the seconds until a run is finished, on as many cores as `processes`, according to `TIMES`."""
    parts = run.parts
    front_ends = [seconds(stages_left(part, FRONT_END)) for part in parts if run.shared_front_end is not None]
    members = sorted((seconds(stages_left(part, name)) for part in parts for name in part.members), reverse=True)
    return duration((), front_ends, processes) + duration((), members, processes)


def duration(running: Iterable[float], waiting: Iterable[float], processes: int) -> float:
    """Return the seconds until all members are finished, from those that each needs.

    Those that run come first. Those that wait follow in their order, each when a process is free.
    """
    free = list(running)
    free += [0.0] * (processes - len(free))
    heapq.heapify(free)
    for needed in waiting:
        heapq.heappush(free, heapq.heappop(free) + needed)
    return max(free, default=0.0)


def _times(member: str) -> Times:
    """The times of a member; the mean of all for a member that has not been measured."""
    if member in TIMES:
        return TIMES[member]
    known = TIMES.values()
    return Times(*(mean(getattr(times, name) for times in known) for name in ("start", "train", "predict")))


def _training(run: Run, network: str, recipe: Recipe, folder: Path, own_features: bool) -> list[Stage]:
    """The stages of one training: the features of the front end's fixed layers if it computes them, and the epochs."""
    # Imported here, because a member process loads the framework after it has redirected its output.
    from models.saved import MODEL
    from models.training.checkpoints import Checkpoints

    if (folder / MODEL).exists():
        return []
    times, photos = _times(network), int((run.manifest["split"] == "train").sum())
    trained = photos * recipe.patches_for(photos).patches_per_photo * _megapixels(recipe.patches.size)
    has_features = network in FRONT_END_MEMBERS and FRONT_ENDS[recipe.front_end].fixed is not None
    stages = []
    if has_features and own_features and run.fold is None:  # the parts of a run share features
        patches = trained + len(run.validation) * _megapixels(recipe.test_patch)
        stages.append(Stage(FEATURES, "features", patches * times.predict))
    label = "front end" if folder.name == FRONT_END else "training"
    epochs = recipe.epochs - Checkpoints(folder).epochs
    stages.append(Stage(f"{folder.parent.name}/{folder.name}", label, epochs * trained * times.train))
    return stages


def _predictions(run: Run, network: str, recipe: Recipe, name: str, views: int) -> list[Stage]:
    """The predictions that are missing. Those of the first head stand for those of all heads."""
    head, pixels = next(iter(run.targets.all_heads)), _megapixels(recipe.test_patch)
    return [
        Stage(f"{name}, {split}", f"predicting {split}", len(images) * views * pixels * _times(network).predict)
        for split, images in run.images.items()
        if not run.predictions_file(name, split, head).exists()
    ]


def _megapixels(side: int) -> float:
    return side * side / 1e6
