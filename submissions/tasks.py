"""What a run asks of a photograph: the heads of its networks, their classes, and the labels that teach them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from competition.settings import SETTINGS, UNKNOWN, bin_edges, bin_names, cells, labels, quantile_edges, sensible
from competition.utils.errors import InputError, unknown_name

CAMERA = "camera"
JOINT = "settings"  # the one head of the correlated output
TASKS = ("camera", "settings", "camera,settings")
EDGES = ("paper", "quantile")
OUTPUTS = ("independent", "correlated")
LABELED_SPLITS = ("train", "validation")  # splits whose labels are used
# How training makes up for uneven settings: it draws evenly from the occupied cells (the paper's way: rare combinations
# come as often as common ones), or weighs the loss by the inverse of a bin's frequency (each setting by itself, so that
# what the settings tell of each other remains), or does nothing.
LABEL_BALANCES = ("cells", "bins", "none")


@dataclass(frozen=True)
class Task:
    """What is asked.

    name: one of `TASKS`. bins: of every setting. edges: `paper`, those of Laurence & Murphy's table 1, or `quantile`,
    of equal population in training. output: `independent`, a softmax for each setting, or `correlated`, one over all
    bins³ cells. order: in which settings join the loss. balance: see `LABEL_BALANCES`.
    """

    name: str = "camera"
    bins: int = 3
    edges: str = "paper"
    output: str = "independent"
    order: tuple[str, ...] = tuple(SETTINGS)
    label_balance: str = "bins"

    def __post_init__(self) -> None:
        for what, value, known in (
            ("task", self.name, TASKS),
            ("kind of edges", self.edges, EDGES),
            ("output", self.output, OUTPUTS),
            ("label_balance", self.label_balance, LABEL_BALANCES),
        ):
            if value not in known:
                raise unknown_name(what, value, known)
        if sorted(self.order) != sorted(SETTINGS):
            raise InputError(f"received the order {','.join(self.order)}; expected each of {', '.join(SETTINGS)} once")

    @property
    def camera(self) -> bool:
        return "camera" in self.name

    @property
    def settings(self) -> bool:
        return "settings" in self.name


@dataclass(frozen=True, eq=False)
class Targets:
    """A task beside the manifest that gives its classes. `manifest` has the columns of `competition.manifest`."""

    task: Task
    manifest: pd.DataFrame

    @cached_property
    def cameras(self) -> tuple[str, ...]:
        return tuple(sorted(self.manifest["camera"].dropna().unique()))

    @cached_property
    def learnable(self) -> tuple[str, ...]:
        """The settings that some photographs of training and of validation tell; nothing is asked about others."""
        parts = [self.manifest[self.manifest["split"] == split] for split in LABELED_SPLITS]
        return tuple(
            name
            for name, known in SETTINGS.items()
            if all(np.isfinite(sensible(name, rows[known.column])).any() for rows in parts)
        )

    @cached_property
    def edges(self) -> dict[str, NDArray[np.float64]]:
        """Inner edges of the bins by setting, in the order of `SETTINGS`."""
        if self.task.edges == "paper":
            return {name: bin_edges(name, self.task.bins) for name in self.learnable}
        training = self.manifest[self.manifest["split"] == "train"]
        return {name: quantile_edges(name, training[SETTINGS[name].column], self.task.bins) for name in self.learnable}

    @cached_property
    def answers(self) -> dict[str, tuple[str, ...]]:
        """What is answered in the end: question → its classes, the camera's first."""
        camera = {CAMERA: self.cameras} if self.task.camera else {}
        if not self.task.settings:
            return camera
        return camera | {name: bin_names(name, inner.tolist()) for name, inner in self.edges.items()}

    @cached_property
    def heads(self) -> dict[str, tuple[str, ...]]:
        """The networks' heads → their classes; settings in the order in which they join the loss."""
        if not self.task.settings:
            return self.answers
        settings = {name: self.answers[name] for name in self.task.order if name in self.learnable}
        if self.task.output == "correlated":
            settings = {JOINT: tuple(" / ".join(cell) for cell in product(*(self.answers[name] for name in SETTINGS)))}
        return ({CAMERA: self.cameras} if self.task.camera else {}) | settings

    def labels(self, table: pd.DataFrame) -> dict[str, NDArray[np.int32]]:
        """The class of every row of `table` for every answer and head, -1 where it is unknown, each int32 (rows,).

        `table` has the columns camera and path; settings are those of the manifest's photograph of that path.
        """
        found: dict[str, NDArray[np.int32]] = {}
        if self.task.camera:
            found[CAMERA] = pd.Index(self.cameras).get_indexer(pd.Index(table["camera"])).astype(np.int32)
        if self.task.settings:
            photographs = self.manifest.set_index("path").reindex(table["path"])
            found |= labels(photographs, self.edges)
            found[JOINT] = self.cells({name: found[name] for name in self.learnable})
        return found

    def cells(self, bins: Mapping[str, NDArray[np.int32]]) -> NDArray[np.int32]:
        """The cell of the space of these settings, -1 where one is unknown: int32 (rows,)."""
        return cells(bins, [self.task.bins] * len(bins))

    def with_marginals(self, predicted: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        """What the heads said, (…, classes) each, and for a correlated output also what follows for every setting."""
        whole = dict(predicted)
        if JOINT in whole:
            whole |= marginals(whole[JOINT], self.task.bins)
        return whole


def marginals(joint: NDArray[np.float32], bins: int) -> dict[str, NDArray[np.float32]]:
    """The probabilities of every setting from those of the cells: (…, bins³) → setting → (…, bins)."""
    cube = joint.reshape(*joint.shape[:-1], *[bins] * len(SETTINGS))
    axes = tuple(range(-len(SETTINGS), 0))
    return {
        name: cube.sum(axis=tuple(other for other in axes if other != axis))
        for name, axis in zip(SETTINGS, axes, strict=True)
    }


def told(targets: Targets) -> list[str]:
    """What a user should know before a training on settings, lines that begin with `warning: ` or `note: `: labels that
    are unknown, settings that have none and therefore no head, and how many cells are occupied.

    Raises `InputError` where nothing can be learnt or scored: no setting that photographs of both training and
    validation tell, or nothing to tell apart. A correlated output needs all settings, and of the same photographs.
    """
    if not targets.task.settings:
        return []
    correlated, predicted = targets.task.output == "correlated", []
    for (name, known), split in product(SETTINGS.items(), LABELED_SPLITS):
        rows = targets.manifest[targets.manifest["split"] == split]
        missing = int(np.isnan(sensible(name, rows[known.column])).sum())
        if missing == len(rows):
            why = f"none of {len(rows)} {split} photographs tells its {name} (EXIF {known.column})"
            if not targets.learnable:
                raise InputError(f"{why}; settings are learnt from photographs with EXIF")
            if correlated:
                raise InputError(f"{why}, and --output correlated asks for all settings; choose --output independent")
            predicted.append(f"warning: {why}: no head for it")
        elif missing:
            predicted.append(
                f"warning: {missing} of {len(rows)} {split} photographs do not tell their {name}: no label there"
            )
    found = targets.labels(targets.manifest[targets.manifest["split"] == "train"])
    bins = {head: np.unique(label[label != UNKNOWN]) for head, label in found.items()}
    occupied = f"{len(bins[JOINT])} of {targets.task.bins ** len(targets.learnable)} cells of settings"
    if correlated and not len(bins[JOINT]):
        raise InputError(
            "no training photograph tells all of its settings, of which --output correlated learns;"
            " choose --output independent"
        )
    if all(len(bins[head]) < 2 for head in targets.heads if head != CAMERA):
        raise InputError(
            f"all training photographs lie in {occupied}: there is"
            " nothing to tell apart; add photographs with other settings, or choose --edges quantile"
        )
    return [*predicted, f"note: {occupied} are occupied"]
