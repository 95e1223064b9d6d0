"""What an experiment measured: the long table, its baselines, its summary beside the paper's numbers, as Markdown."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from competition.metrics.settings import normalized_accuracy, random_right, settings_right
from competition.metrics.weighted_accuracy import SMALLEST_PROBABILITY
from competition.settings import SETTINGS, UNKNOWN
from competition.utils.tables import MISSING, markdown_table
from submissions.blending import ByHead, settings_entries
from submissions.experiments.laurence_murphy import Experiment
from submissions.leaderboards.settings import most_probable_bins
from submissions.run import SIMULATED, Run
from submissions.tasks import JOINT_HEAD

HEADINGS = {  # of the measures, in the order of the tables
    "aperture": "aperture",
    "iso": "ISO",
    "exposure_time": "exposure time",
    "balanced": "mean balanced accuracy",
    "loss": "log loss, summed",
    "naa": "NAA",
    **{f"right_{count}": f"{count} right" for count in range(len(SETTINGS) + 1)},
    "joint_log_loss": "log loss of the joint answer",
}
RANDOM, MAJORITY, PRODUCT = "random draw", "majority class", ", product of its accuracies"
NORMAL_95 = 1.96
DEVICES_NAMED = 12


def is_share(measure: str) -> bool:
    """Whether a measure is a share of photographs: has an interval, and is in per cent in the paper."""
    return measure in SETTINGS or measure.startswith("right_")


def result(run: Run, variant: str, joint: bool = False) -> pd.DataFrame:
    """What a finished run measured on its validation photographs: one row for every measure.

    Columns variant, seed, bins, training_photos, validation_photos, measure, value. With `joint` also the log loss of
    the joint answer, and a further variant: of a correlated output its most probable bins (the most probable cell is
    not always theirs), of an independent one the shares right that its own accuracies multiply to.
    """
    predicted, known, cells = _answers(run)
    correlated = run.task.output == "correlated"
    picked = _most_probable_cells(predicted[JOINT_HEAD], run.task.bins) if correlated else most_probable_bins(predicted)
    loss = {"loss": sum(log_loss(predicted[name], truth) for name, truth in zip(SETTINGS, known, strict=True))}
    found = {variant: hits(picked, known, run.task.bins) | loss}
    if joint:
        found[variant]["joint_log_loss"] = log_loss(
            predicted[JOINT_HEAD] if correlated else product_of_marginals(predicted), cells
        )
        if correlated:
            found[f"{variant}, most probable bins"] = hits(most_probable_bins(predicted), known, run.task.bins) | loss
        else:
            accuracies = [found[variant][name] for name in SETTINGS]
            found[variant + PRODUCT] = _shares(right_by_chance(accuracies))
    return pd.concat([_rows(run, name, values) for name, values in found.items()], ignore_index=True)


def baselines(run: Run) -> pd.DataFrame:
    """What a random draw reaches, and answering the most frequent bins of the validation photographs: as `result`."""
    _, known, _ = _answers(run)
    bins = run.task.bins
    random = {
        **dict.fromkeys((*SETTINGS, "balanced"), 1 / bins),
        "loss": len(SETTINGS) * float(np.log(bins)),
        "naa": 1.0,
        **_shares(random_right(bins)),
    }
    frequent = np.array([np.bincount(truth[truth != UNKNOWN]).argmax() for truth in known])
    majority = hits(np.broadcast_to(frequent[:, None], known.shape), known, bins)
    rows = [_rows(run, f"{RANDOM} ({bins} bins)", random), _rows(run, f"{MAJORITY} ({bins} bins)", majority)]
    return pd.concat(rows, ignore_index=True)


def hits(picked: NDArray[np.integer], known: NDArray[np.integer], bins: int) -> dict[str, float]:
    """Accuracies and shares right of the `picked` bins, (settings, images) as the true `known` ones are."""
    right = [(picks == truth)[truth != UNKNOWN] for picks, truth in zip(picked, known, strict=True)]
    truths = [truth[truth != UNKNOWN] for truth in known]
    accuracies = [float(one.mean()) for one in right]
    recalls = [
        np.mean([one[truth == name].mean() for name in np.unique(truth)])
        for one, truth in zip(right, truths, strict=True)
    ]
    return {
        **dict(zip(SETTINGS, accuracies, strict=True)),
        "balanced": float(np.mean(recalls)),
        "naa": normalized_accuracy(accuracies, bins),
        **_shares(settings_right(picked, known)),
    }


def product_of_marginals(predicted: ByHead) -> NDArray[np.float64]:
    """The joint probabilities if settings were independent (equation 6): (images, bins³)."""
    first, second, third = (predicted[name] for name in SETTINGS)
    joint = first[:, :, None, None] * second[:, None, :, None] * third[:, None, None, :]
    return joint.reshape(len(first), -1)


def right_by_chance(accuracies: ArrayLike) -> NDArray[np.float64]:
    """The shares of images of which 0, 1, … settings are right if errors in one said nothing of errors in another."""
    shares = np.ones(1)
    for accuracy in np.asarray(accuracies, np.float64):
        shares = np.convolve(shares, [1 - accuracy, accuracy])
    return shares


def log_loss(probabilities: NDArray[np.floating], truth: NDArray[np.integer]) -> float:
    """The mean log loss (natural) of the images whose label is known."""
    known = np.flatnonzero(truth != UNKNOWN)
    return float(-np.log(np.maximum(probabilities[known, truth[known]], SMALLEST_PROBABILITY)).mean())


def summary(rows: pd.DataFrame, experiment: Experiment) -> pd.DataFrame:
    """Means over seeds beside the paper's numbers: columns variant, bins, measure, measured, low, high, seeds, paper.

    low and high: about 95 %, from the number of validation photographs (other seeds validate on much the same ones, so
    more seeds do not add to it) and the scatter of the seeds; null for what is no share of photographs, or computed.
    """
    paper = {variant.name: variant.paper for variant in experiment.variants}
    made = []
    for (variant, measure), group in rows.groupby(["variant", "measure"], sort=False):
        value = float(group["value"].mean())
        scatter = float(group["value"].var()) / len(group) if len(group) > 1 else 0.0
        low = high = np.nan
        if is_share(str(measure)) and not is_computed(str(variant)):
            low, high = _interval(value, int(group["validation_photos"].min()), scatter)
        beside = paper.get(str(variant), {}).get(str(measure), np.nan) / (100 if is_share(str(measure)) else 1)
        made.append(
            {
                "variant": variant,
                "bins": int(group["bins"].iloc[0]),
                "measure": measure,
                "measured": value,
                "low": low,
                "high": high,
                "seeds": len(group),
                "paper": beside,
            }
        )
    return pd.DataFrame(made)


def markdown(table: pd.DataFrame, title: str, measured_on: str) -> str:
    """A summary for a reader: a row for every variant, `measured [95 % interval] (paper)` in the cells."""
    lines = [
        f"# {title}",
        "",
        measured_on,
        "",
        "In brackets the 95 % interval, in parentheses what the paper measured on its own photographs.",
        "",
    ]
    shown = [name for name in HEADINGS if name in set(table["measure"])]
    columns: dict[str, list[str]] = {heading: [] for heading in ("variant", *(HEADINGS[name] for name in shown))}
    for variant, group in table.groupby("variant", sort=False):
        cells = {row.measure: _cell(row) for row in group.itertuples()}
        row = [variant, *(cells.get(name, MISSING) for name in shown)]
        for column, cell in zip(columns.values(), row, strict=True):
            column.append(cell)
    lines.append(markdown_table(columns))
    return "\n".join(lines) + "\n"


def measured_on(run: Run) -> str:
    """On which photographs a run was measured: a sentence."""
    manifest = run.manifest
    kind = "simulated photographs (the virtual competition)" if SIMULATED in run.note else "photographs"
    validation, training = (manifest[manifest["split"] == split] for split in ("validation", "train"))
    names = sorted(validation["device"].dropna().unique())
    if not names:
        return f"Measured on {len(validation)} {kind} by unknown devices."
    seen = len(set(names) & set(training["device"].dropna()))
    seen_in_training = f"{seen} of them also in training" if seen else "none of them seen in training"
    named = ", ".join(names[:DEVICES_NAMED]) + (" …" if len(names) > DEVICES_NAMED else "")
    return f"Measured on {len(validation)} {kind} by {len(names)} devices, {seen_in_training}: {named}."


def is_computed(variant: str) -> bool:
    """Whether a row is arithmetic rather than measured on photographs."""
    return variant.startswith(RANDOM) or variant.endswith(PRODUCT)


def _answers(run: Run) -> tuple[ByHead, NDArray[np.int32], NDArray[np.int32]]:
    """The best entry's answers, the true bins (settings, images), and the true cells (images,)."""
    truth = run.targets.labels(run.validation)
    return (
        list(settings_entries(run, "validation").values())[-1],
        np.stack([truth[name] for name in SETTINGS]),
        truth[JOINT_HEAD],
    )


def _most_probable_cells(joint: NDArray[np.floating], bins: int) -> NDArray[np.integer]:
    return np.stack(np.unravel_index(joint.argmax(axis=1), [bins] * len(SETTINGS)))


def _shares(shares: NDArray[np.float64]) -> dict[str, float]:
    return {f"right_{count}": float(share) for count, share in enumerate(shares)}


def _rows(run: Run, variant: str, values: Mapping[str, float]) -> pd.DataFrame:
    photos = run.manifest.groupby("split").size()
    told = {
        "variant": variant,
        "seed": run.seed,
        "bins": run.task.bins,
        "training_photos": int(photos["train"]),
        "validation_photos": int(photos["validation"]),
    }
    return pd.DataFrame([{**told, "measure": name, "value": value} for name, value in values.items()])


def _interval(share: float, photos: int, scatter: float) -> tuple[float, float]:
    # Agresti and Coull's two more of each: no certainty from a share of 0 or 1 of few photographs.
    about = (share * photos + 2) / (photos + 4)
    half = NORMAL_95 * float(np.sqrt(about * (1 - about) / (photos + 4) + scatter))
    return max(0.0, min(share, about - half)), min(1.0, max(share, about + half))


def _cell(row: Any) -> str:
    interval = "" if np.isnan(row.low) else f" [{row.low:.3f}, {row.high:.3f}]"
    paper = "" if np.isnan(row.paper) else f" ({row.paper:.3f})"
    return f"{row.measured:.3f}{interval}{paper}"
