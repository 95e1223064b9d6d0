"""Tasks: what a run predicts for a photo. `Task` holds the user's choices, `Targets` the heads, classes and labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from competition.settings import (
    SETTINGS,
    UNKNOWN,
    bin_edges,
    bin_labels,
    bin_names,
    joint_cells,
    plausible_values,
    quantile_edges,
)
from competition.utils.errors import InputError, unknown_name

CAMERA = "camera"  # the head that predicts the camera
JOINT_HEAD = "settings"  # the single head of a correlated output, over the cells of all settings
TASKS = ("camera", "settings", "camera,settings")
EDGE_KINDS = ("paper", "quantile")
OUTPUTS = ("independent", "correlated")
LABELED_SPLITS = ("train", "validation")  # splits whose labels are used
# How training compensates for an uneven distribution of settings.
# cells: sample the occupied cells uniformly, as the paper does; rare combinations come as often as common ones.
# bins: weight the loss by the inverse frequency of each setting's bin; the correlations between settings remain.
# none: no compensation.
LABEL_BALANCES = ("cells", "bins", "none")


@dataclass(frozen=True)
class Task:
    """The user's choice of what to predict.

    Attributes:
        name: one of `TASKS`.
        bins: number of bins of each setting.
        edges: `paper`, the edges of Laurence & Murphy's table 1, or `quantile`, bins of equal population in training.
        output: `independent`, one softmax per setting, or `correlated`, one softmax over all bins³ cells.
        order: the order in which the settings join the loss.
        label_balance: one of `LABEL_BALANCES`.

    Raises:
        InputError: an unknown value, or an `order` that does not name each setting once.
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
            ("edges", self.edges, EDGE_KINDS),
            ("output", self.output, OUTPUTS),
            ("label balance", self.label_balance, LABEL_BALANCES),
        ):
            if value not in known:
                raise unknown_name(what, value, known)
        if sorted(self.order) != sorted(SETTINGS):
            raise InputError(f"received the order {','.join(self.order)}; expected each of {', '.join(SETTINGS)} once")

    @property
    def camera(self) -> bool:
        """Whether the task includes the camera."""
        return "camera" in self.name

    @property
    def settings(self) -> bool:
        """Whether the task includes the camera settings."""
        return "settings" in self.name


@dataclass(frozen=True, eq=False)
class Targets:
    """A task bound to a manifest, which determines its classes and labels.

    Attributes:
        task: what to predict.
        manifest: table with the columns of `competition.manifest`.
    """

    task: Task
    manifest: pd.DataFrame

    @cached_property
    def cameras(self) -> tuple[str, ...]:
        """The camera classes, sorted: the order of the outputs of every camera head."""
        return tuple(sorted(self.manifest["camera"].dropna().unique()))

    @cached_property
    def labeled_settings(self) -> tuple[str, ...]:
        """The settings that have labels in both training and validation. The others get no head."""
        parts = [self.manifest[self.manifest["split"] == split] for split in LABELED_SPLITS]
        return tuple(
            name
            for name, setting in SETTINGS.items()
            if all(np.isfinite(plausible_values(name, rows[setting.column])).any() for rows in parts)
        )

    @cached_property
    def edges(self) -> dict[str, NDArray[np.float64]]:
        """Inner bin edges of each setting, in the order of `SETTINGS`."""
        names, bins = self.labeled_settings, self.task.bins
        if self.task.edges == "paper":
            return {name: bin_edges(name, bins) for name in names}
        training = self.manifest[self.manifest["split"] == "train"]
        return {name: quantile_edges(name, training[SETTINGS[name].column], bins) for name in names}

    @cached_property
    def classes(self) -> dict[str, tuple[str, ...]]:
        """Class names of the final predictions: of the camera first, then of each setting."""
        camera = {CAMERA: self.cameras} if self.task.camera else {}
        if not self.task.settings:
            return camera
        return camera | {name: bin_names(name, inner.tolist()) for name, inner in self.edges.items()}

    @cached_property
    def heads(self) -> dict[str, tuple[str, ...]]:
        """Class names of each head of the network; settings in the order in which they join the loss."""
        if not self.task.settings:
            return self.classes
        heads = {CAMERA: self.cameras} if self.task.camera else {}
        if self.task.output == "correlated":
            every_cell = product(*(self.classes[name] for name in SETTINGS))
            return heads | {JOINT_HEAD: tuple(" / ".join(cell) for cell in every_cell)}
        return heads | {name: self.classes[name] for name in self.task.order if name in self.labeled_settings}

    @cached_property
    def all_heads(self) -> dict[str, tuple[str, ...]]:
        """`heads`, and the settings that `with_marginals` derives from a joint head."""
        return self.heads | self.classes

    def labels(self, table: pd.DataFrame) -> dict[str, NDArray[np.int32]]:
        """Class indices of every row of `table`, for all of `all_heads` and the joint cell.

        `table` has the columns camera and path. The settings come from the row of the manifest with the same path.
        Returns int32 arrays (rows,), -1 where the label is unknown.
        """
        found: dict[str, NDArray[np.int32]] = {}
        if self.task.camera:
            found[CAMERA] = pd.Index(self.cameras).get_indexer(pd.Index(table["camera"])).astype(np.int32)
        if self.task.settings:
            photos = self.manifest.set_index("path").reindex(table["path"])
            found |= bin_labels(photos, self.edges)
            found[JOINT_HEAD] = self.cells({name: found[name] for name in self.labeled_settings})
        return found

    def cells(self, bins: Mapping[str, NDArray[np.int32]]) -> NDArray[np.int32]:
        """Index of the joint cell of these bins, int32 (rows,), -1 where a bin is unknown."""
        return joint_cells(bins, [self.task.bins] * len(bins))

    def with_marginals(self, predictions: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        """Predictions by head, each (…, classes), with the marginals of a joint head added."""
        complete = dict(predictions)
        if JOINT_HEAD in complete:
            complete |= marginals(complete[JOINT_HEAD], self.task.bins)
        return complete


def marginals(joint: NDArray[np.float32], bins: int) -> dict[str, NDArray[np.float32]]:
    """Sum the probabilities of the cells, (…, bins³), into those of each setting: name → (…, bins)."""
    cube = joint.reshape(*joint.shape[:-1], *[bins] * len(SETTINGS))
    axes = tuple(range(-len(SETTINGS), 0))
    return {
        name: cube.sum(axis=tuple(other for other in axes if other != axis))
        for name, axis in zip(SETTINGS, axes, strict=True)
    }


def label_notes(targets: Targets) -> list[str]:
    """Describe the labels of a settings task: unknown labels, settings without a head, and occupied cells.

    Returns lines that begin with `warning: ` or `note: `; none for a task without settings.

    Raises:
        InputError: no setting has labels in both training and validation; all training photos lie in the same bins;
            or the output is correlated and a setting has no labels, or no training photo has labels of all settings.
    """
    if not targets.task.settings:
        return []
    correlated, notes = targets.task.output == "correlated", list[str]()
    for (name, setting), split in product(SETTINGS.items(), LABELED_SPLITS):
        rows = targets.manifest[targets.manifest["split"] == split]
        missing = int(np.isnan(plausible_values(name, rows[setting.column])).sum())
        if missing == len(rows):
            problem = f"none of the {len(rows)} {split} photos has a known {name} (EXIF {setting.column})"
            if not targets.labeled_settings:
                raise InputError(f"{problem}; add photos with EXIF settings")
            if correlated:
                raise InputError(f"{problem}; --output correlated needs all settings, use --output independent")
            notes.append(f"warning: {problem}: no head for it")
        elif missing:
            notes.append(f"warning: {missing} of {len(rows)} {split} photos have no known {name}: no label for them")
    found = targets.labels(targets.manifest[targets.manifest["split"] == "train"])
    bins = {head: np.unique(label[label != UNKNOWN]) for head, label in found.items()}
    occupied, total = len(bins[JOINT_HEAD]), targets.task.bins ** len(targets.labeled_settings)
    if correlated and not occupied:
        raise InputError("no training photo has labels of all settings; use --output independent, or add such photos")
    if all(len(bins[head]) < 2 for head in targets.heads if head != CAMERA):
        raise InputError(
            f"all training photos lie in {occupied} of {total} cells of settings, so there is nothing to learn; "
            "add photos with other settings, or use --edges quantile"
        )
    return [*notes, f"note: the training photos occupy {occupied} of {total} cells of settings"]
