"""The experiments of Laurence & Murphy (2018), tables 2 to 6, and the question of the view that they left open.

A variant is a run; a run that is done is not done again, so an experiment goes on where it was stopped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from competition.errors import unknown_name
from competition.settings import SETTINGS
from competition.settings_scoring import normalised_accuracy, random_right, settings_right
from submissions.questions import JOINT, Task
from submissions.runs import Run
from submissions.settings_results import Answers, chosen, entries, score_settings

MEASURES = (*SETTINGS, "loss", "naa", "right_0", "right_1", "right_2", "right_3")
PAPER_EPOCHS = 100  # the paper's τ are of so many; with fewer epochs they shrink in proportion


@dataclass(frozen=True)
class Variant:
    """One column of a table: what is changed in the task, in the recipe and in the number of training photographs.

    paper: what the paper measured, by measure (accuracies in per cent).
    """

    name: str
    task: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    photos: int | None = None
    member: str | None = None
    paper: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Experiment:
    """A table of the paper: its title and its columns."""

    title: str
    variants: tuple[Variant, ...]


def _settings(aperture: float, iso: float, exposure_time: float, **more: float) -> dict[str, float]:
    return {"aperture": aperture, "iso": iso, "exposure_time": exposure_time, **more}


def _right(*shares: float) -> dict[str, float]:
    return {f"right_{count}": share for count, share in enumerate(shares)}


EXPERIMENTS = {
    "loss-schedule": Experiment(
        "Table 2: the loss schedule's period τ",
        (
            Variant("τ = 0", recipe={"tau": 0}, paper=_settings(39.98, 48.26, 53.87, loss=3.0297)),
            Variant("τ = 5", recipe={"tau": 5}, paper=_settings(42.41, 50.19, 63.19, loss=2.9868)),
            Variant("τ = 10", recipe={"tau": 10}, paper=_settings(43.35, 50.99, 60.66, loss=3.0039)),
            Variant("τ = 20", recipe={"tau": 20}, paper=_settings(41.95, 50.67, 57.56, loss=3.1161)),
        ),
    ),
    "training-size": Experiment(
        "Table 3: the number of training photographs",
        (
            Variant("100", photos=100, paper=_settings(31.23, 25.42, 17.36, loss=4.105)),
            Variant("500", photos=500, paper=_settings(37.53, 40.09, 46.67, loss=3.540)),
            Variant("1000", photos=1000, paper=_settings(38.31, 44.17, 54.50, loss=3.491)),
            Variant("5000", photos=5000, paper=_settings(34.59, 51.53, 58.76, loss=3.176)),
            Variant("12000", photos=12000, paper=_settings(41.95, 50.67, 57.56, loss=3.284)),
        ),
    ),
    "bins": Experiment(
        "Table 4: the number of bins",
        (
            Variant("2 bins", task={"bins": 2}, paper=_settings(61.52, 61.27, 69.86, naa=1.28)),
            Variant("3 bins", task={"bins": 3}, paper=_settings(41.95, 50.67, 57.56, naa=1.50)),
            Variant("5 bins", task={"bins": 5}, paper=_settings(25.06, 31.44, 39.25, naa=1.59)),
            # Printed is 2.43; the mean of the three accuracies over 10 % is 2.33.
            Variant("10 bins", task={"bins": 10}, paper=_settings(14.05, 21.46, 34.36, naa=2.33)),
        ),
    ),
    "architecture": Experiment(
        "Table 5: the architecture",
        (
            Variant("ResNet-18", member="resnet18", paper=_settings(41.91, 51.43, 49.5)),
            Variant("SE-ResNet-18", member="se_resnet18", paper=_settings(41.95, 50.67, 57.56)),
        ),
    ),
    "output-format": Experiment(
        "Table 6: the output format, by the number of settings right",
        (
            Variant("independent", task={"output": "independent"}, paper=_right(12.2, 38.2, 38.04, 11.56)),
            Variant("correlated", task={"output": "correlated"}, paper=_right(20.94, 39.52, 30.26, 9.28)),
        ),
    ),
    "view": Experiment(
        "Patches or squashed photographs (a question that the paper's conclusion asks)",
        (Variant("squash", recipe={"view": "squash"}), Variant("patch", recipe={"view": "patch"})),
    ),
}


def find_experiment(name: str) -> Experiment:
    """The experiment of that name; an unknown one is an `InputError`."""
    if name not in EXPERIMENTS:
        raise unknown_name("experiment", name, EXPERIMENTS)
    return EXPERIMENTS[name]


def changes(variant: Variant, epochs: int) -> dict[str, Any]:
    """What a variant changes in a recipe of so many epochs; τ keeps its share of the training."""
    made = dict(variant.recipe)
    if "tau" in made:
        made["tau"] = made["tau"] * epochs / PAPER_EPOCHS
    return made


def result(run: Run, variant: Variant, seed: int) -> list[dict[str, Any]]:
    """Rows of the long table: one for every measure of a finished run."""
    score_settings(run)
    questions, said = run.questions, list(entries(run, "validation").values())[-1]
    truth = questions.labels(run.validation)
    known = np.stack([truth[name] for name in SETTINGS])
    photos = int((questions.manifest["split"] == "train").sum())
    row = {"variant": variant.name, "seed": seed, "photos": photos, "images": known.shape[1], "bins": run.task.bins}
    picked = chosen(said)
    rows = [{**row, **measures(said, picked, known)}]
    if run.task.output == "correlated":
        # The cell that is most probable as a whole is not always the one of the most probable bins.
        joint = np.stack(np.unravel_index(said[JOINT].argmax(axis=1), [run.task.bins] * len(SETTINGS)))
        cell_loss = _log_loss(said[JOINT], truth[JOINT])
        rows = [
            {**rows[0], "variant": f"{variant.name}, marginals"},
            {**row, **measures(said, joint, known)},
        ]
    else:
        cell_loss = _log_loss(product_of_marginals(said), truth[JOINT])
    return [{**made, "joint_log_loss": cell_loss} for made in rows]


def measures(said: Answers, picked: np.ndarray, known: np.ndarray) -> dict[str, float]:
    """Accuracies of the `picked` bins (settings, images), the unweighted loss, and the shares of settings right."""
    accuracies = {
        name: float((picked[index] == known[index])[known[index] >= 0].mean()) for index, name in enumerate(SETTINGS)
    }
    bins = next(iter(said.values())).shape[1] if JOINT not in said else said[next(iter(SETTINGS))].shape[1]
    return {
        **accuracies,
        "loss": sum(_log_loss(said[name], known[index]) for index, name in enumerate(SETTINGS)),
        "naa": normalised_accuracy(list(accuracies.values()), bins),
        **{f"right_{count}": float(share) for count, share in enumerate(settings_right(picked, known))},
    }


def baselines(known: np.ndarray, bins: int) -> list[dict[str, Any]]:
    """What a random draw and the most frequent bin of each setting reach: rows like those of `result`."""
    frequent = np.array([np.bincount(row[row >= 0]).argmax() for row in known])[:, None]
    majority = {name: float((frequent[i] == known[i])[known[i] >= 0].mean()) for i, name in enumerate(SETTINGS)}
    right = settings_right(np.broadcast_to(frequent, known.shape), known)
    shared = {"seed": -1, "photos": 0, "images": known.shape[1], "bins": bins}
    return [
        {
            **shared,
            "variant": f"random draw ({bins} bins)",
            **dict.fromkeys(SETTINGS, 1 / bins),
            "loss": float(len(SETTINGS) * np.log(bins)),
            "naa": 1.0,
            **{f"right_{count}": float(share) for count, share in enumerate(random_right(bins))},
        },
        {
            **shared,
            "variant": f"majority class ({bins} bins)",
            **majority,
            "naa": normalised_accuracy(list(majority.values()), bins),
            **{f"right_{count}": float(share) for count, share in enumerate(right)},
        },
    ]


def product_of_marginals(said: Answers) -> np.ndarray:
    """The joint probabilities if settings were independent (equation 6): (images, bins³)."""
    first, second, third = (said[name] for name in SETTINGS)
    joint = first[:, :, None, None] * second[:, None, :, None] * third[:, None, None, :]
    return joint.reshape(len(first), -1)


def summary(rows: pd.DataFrame, experiment: Experiment) -> pd.DataFrame:
    """Means over seeds beside the paper's numbers: columns variant, measure, measured, low, high, seeds, paper.

    low and high: 95 % of a normal law for the share that the measured one is of `images`; null for other measures.
    """
    paper = {variant.name: variant.paper for variant in experiment.variants}
    made = []
    for (variant,), group in rows.groupby(["variant"], sort=False):
        for measure in [name for name in (*MEASURES, "joint_log_loss") if name in group and group[name].notna().any()]:
            value, images = float(group[measure].mean()), int(group["images"].iloc[0])
            row = {"variant": variant, "measure": measure, "measured": value, "low": np.nan, "high": np.nan}
            if measure in SETTINGS or measure.startswith("right_"):
                half = 1.96 * float(np.sqrt(value * (1 - value) / images))
                row |= {"low": max(0.0, value - half), "high": min(1.0, value + half)}
            told = paper.get(str(variant), {}).get(measure)
            scale = 100 if measure in SETTINGS or measure.startswith("right_") else 1
            made.append({**row, "seeds": len(group), "paper": np.nan if told is None else told / scale})
    return pd.DataFrame(made)


def markdown(table: pd.DataFrame, title: str, measured_on: str) -> str:
    """The table for a reader: a row for every variant, `measured (paper)` in the cells."""
    lines = [f"# {title}", "", f"Measured on {measured_on}; in brackets what the paper measured on its own.", ""]
    shown = [name for name in (*MEASURES, "joint_log_loss") if name in set(table["measure"])]
    lines += ["| variant | " + " | ".join(shown) + " |", "|" + "---|" * (len(shown) + 1)]
    for variant, group in table.groupby("variant", sort=False):
        cells = {row.measure: _cell(row) for row in group.itertuples()}
        lines.append(f"| {variant} | " + " | ".join(cells.get(name, "–") for name in shown) + " |")
    return "\n".join(lines) + "\n"


def _cell(row: Any) -> str:
    interval = "" if np.isnan(row.low) else f" ± {row.high - row.measured:.3f}"
    paper = "" if np.isnan(row.paper) else f" ({row.paper:.3f})"
    return f"{row.measured:.3f}{interval}{paper}"


def _log_loss(probabilities: np.ndarray, truth: Sequence[int] | np.ndarray) -> float:
    known = np.asarray(truth) >= 0
    of_truth = np.asarray(probabilities)[known, np.asarray(truth)[known]]
    return float(-np.log(np.maximum(of_truth, 1e-15)).mean())


def task_of(variant: Variant) -> Task:
    """The task of a variant: settings, with what it changes."""
    return Task("settings", **variant.task)
