"""Tables of an experiment: measures of each run, baselines, and the summary beside the paper's numbers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from competition.metrics.log_loss import log_losses
from competition.metrics.settings import correct_shares, normalized_accuracy, random_correct_shares
from competition.settings import SETTINGS, UNKNOWN
from competition.utils.tables import MISSING, markdown_table
from submissions.blending import ByHead, settings_entries
from submissions.experiments.laurence_murphy import Experiment
from submissions.leaderboards.settings import most_probable_bins
from submissions.run import SIMULATED, Run
from submissions.tasks import JOINT_HEAD

HEADINGS = {  # measure → heading, in the order of the columns
    "aperture": "aperture",
    "iso": "ISO",
    "exposure_time": "exposure time",
    "balanced": "mean balanced accuracy",
    "loss": "log loss, summed",
    "naa": "NAA",
    **{f"right_{count}": f"{count} correct" for count in range(len(SETTINGS) + 1)},
    "joint_log_loss": "log loss, joint",
}
RANDOM, MAJORITY, PRODUCT = "random draw", "majority class", ", product of its accuracies"
Z_95 = 1.96  # standard deviations of a 95 % interval of the normal distribution
MAX_DEVICES_NAMED = 12


def is_share(measure: str) -> bool:
    """Return whether a measure is a share of photos, which has an interval and is in per cent in the paper."""
    return measure in SETTINGS or measure.startswith("right_")


def measure_run(run: Run, variant: str, joint: bool = False) -> pd.DataFrame:
    """Measure a finished run on its validation photos.

    Args:
        run: with predictions of all settings.
        variant: name of the variant.
        joint: also measure the log loss of the joint prediction, and add a second variant: for a correlated output the
            most probable bin of each setting (which may differ from the most probable cell), for an independent output
            the shares that follow from its accuracies if errors are independent.

    Returns:
        One row per measure, with columns variant, seed, bins, training_photos, validation_photos, measure, value.
    """
    probabilities, truth, cells = _predictions(run)
    bins = run.task.bins
    correlated = run.task.output == "correlated"
    predicted = (
        _most_probable_cells(probabilities[JOINT_HEAD], bins) if correlated else most_probable_bins(probabilities)
    )
    loss = {"loss": sum(log_loss(probabilities[name], labels) for name, labels in zip(SETTINGS, truth, strict=True))}
    measures = {variant: accuracy_measures(predicted, truth, bins) | loss}
    if joint:
        measures[variant]["joint_log_loss"] = log_loss(
            probabilities[JOINT_HEAD] if correlated else product_of_marginals(probabilities), cells
        )
        if correlated:
            predicted = most_probable_bins(probabilities)
            measures[f"{variant}, most probable bins"] = accuracy_measures(predicted, truth, bins) | loss
        else:
            accuracies = [measures[variant][name] for name in SETTINGS]
            measures[variant + PRODUCT] = _shares(independent_shares(accuracies))
    return pd.concat([_rows(run, name, values) for name, values in measures.items()], ignore_index=True)


def baselines(run: Run) -> pd.DataFrame:
    """Measure a random draw and the most frequent bins of the validation photos; columns as in `measure_run`."""
    _, truth, _ = _predictions(run)
    bins = run.task.bins
    random = {
        **dict.fromkeys((*SETTINGS, "balanced"), 1 / bins),
        "loss": len(SETTINGS) * float(np.log(bins)),
        "naa": 1.0,
        **_shares(random_correct_shares(bins)),
    }
    frequent = np.array([np.bincount(labels[labels != UNKNOWN]).argmax() for labels in truth])
    majority = accuracy_measures(np.broadcast_to(frequent[:, None], truth.shape), truth, bins)
    rows = [_rows(run, f"{RANDOM} ({bins} bins)", random), _rows(run, f"{MAJORITY} ({bins} bins)", majority)]
    return pd.concat(rows, ignore_index=True)


def accuracy_measures(predicted: NDArray[np.integer], truth: NDArray[np.integer], bins: int) -> dict[str, float]:
    """Compute accuracies and shares of correct settings from predicted and true bins, both (settings, images).

    Returns the accuracy of each setting, balanced (the mean balanced accuracy), naa (the normalized average accuracy)
    and right_0, right_1, … (the shares of images with so many correct settings).
    """
    known = [labels != UNKNOWN for labels in truth]
    correct = [(found == labels)[mask] for found, labels, mask in zip(predicted, truth, known, strict=True)]
    labels_known = [labels[mask] for labels, mask in zip(truth, known, strict=True)]
    accuracies = [float(hits.mean()) for hits in correct]
    recalls = [
        np.mean([hits[labels == label].mean() for label in np.unique(labels)])
        for hits, labels in zip(correct, labels_known, strict=True)
    ]
    return {
        **dict(zip(SETTINGS, accuracies, strict=True)),
        "balanced": float(np.mean(recalls)),
        "naa": normalized_accuracy(accuracies, bins),
        **_shares(correct_shares(predicted, truth)),
    }


def product_of_marginals(probabilities: ByHead) -> NDArray[np.float64]:
    """Return the joint probabilities of independent settings (equation 6 of the paper), (images, bins³)."""
    first, second, third = (probabilities[name] for name in SETTINGS)
    joint = first[:, :, None, None] * second[:, None, :, None] * third[:, None, None, :]
    return joint.reshape(len(first), -1)


def independent_shares(accuracies: ArrayLike) -> NDArray[np.float64]:
    """Return the shares of images with 0, 1, … correct settings if the errors of the settings are independent."""
    shares = np.ones(1)
    for accuracy in np.asarray(accuracies, np.float64):
        shares = np.convolve(shares, [1 - accuracy, accuracy])
    return shares


def log_loss(probabilities: NDArray[np.floating], truth: NDArray[np.integer]) -> float:
    """Return the mean log loss (natural logarithm) over images with a known label."""
    known = np.flatnonzero(truth != UNKNOWN)
    return float(log_losses(probabilities[known], truth[known]).mean())


def summarize(rows: pd.DataFrame, experiment: Experiment) -> pd.DataFrame:
    """Average the measures over seeds and put the paper's numbers beside them.

    Args:
        rows: tables of `measure_run` and `baselines`.
        experiment: whose paper numbers to use.

    Returns:
        One row per variant and measure, with columns variant, bins, measure, measured, low, high, seeds, paper. low and
        high are an approximate 95 % interval from the number of validation photos and the variance between seeds.
        Further seeds do not reduce the first part, because they validate on largely the same photos. They are null for
        measures that are not shares of photos and for computed rows.
    """
    paper = {variant.name: variant.paper for variant in experiment.variants}
    summary = []
    for (variant, measure), group in rows.groupby(["variant", "measure"], sort=False):
        value = float(group["value"].mean())
        variance = float(group["value"].var()) / len(group) if len(group) > 1 else 0.0
        low = high = np.nan
        if is_share(str(measure)) and not is_computed(str(variant)):
            low, high = _interval(value, int(group["validation_photos"].min()), variance)
        scale = 100 if is_share(str(measure)) else 1
        summary.append(
            {
                "variant": variant,
                "bins": int(group["bins"].iloc[0]),
                "measure": measure,
                "measured": value,
                "low": low,
                "high": high,
                "seeds": len(group),
                "paper": paper.get(str(variant), {}).get(str(measure), np.nan) / scale,
            }
        )
    return pd.DataFrame(summary)


def summary_page(table: pd.DataFrame, title: str, description: str) -> str:
    """Format a summary as a Markdown page: one row per variant, cells `measured [95 % interval] (paper)`."""
    measures = [name for name in HEADINGS if name in set(table["measure"])]
    columns: dict[str, list[str]] = {heading: [] for heading in ("variant", *(HEADINGS[name] for name in measures))}
    for variant, group in table.groupby("variant", sort=False):
        cells = {row.measure: _cell(row) for row in group.itertuples()}
        row = [variant, *(cells.get(name, MISSING) for name in measures)]
        for column, cell in zip(columns.values(), row, strict=True):
            column.append(cell)
    legend = "Brackets: 95 % interval. Parentheses: what the paper measured on its own photos."
    return "\n\n".join([f"# {title}", description, legend, markdown_table(columns)]) + "\n"


def describe_photos(run: Run) -> str:
    """Describe the validation photos of a run and their devices in one sentence."""
    manifest = run.manifest
    kind = "simulated photos (the virtual competition)" if SIMULATED in run.note else "photos"
    validation, training = (manifest[manifest["split"] == split] for split in ("validation", "train"))
    names = sorted(validation["device"].dropna().unique())
    if not names:
        return f"Measured on {len(validation)} {kind} by unknown devices."
    shared = len(set(names) & set(training["device"].dropna()))
    overlap = f"{shared} of them also in training" if shared else "none of them in training"
    named = ", ".join(names[:MAX_DEVICES_NAMED]) + (" …" if len(names) > MAX_DEVICES_NAMED else "")
    return f"Measured on {len(validation)} {kind} by {len(names)} devices, {overlap}: {named}."


def is_computed(variant: str) -> bool:
    """Return whether the rows of a variant are computed rather than measured on photos."""
    return variant.startswith(RANDOM) or variant.endswith(PRODUCT)


def _predictions(run: Run) -> tuple[ByHead, NDArray[np.int32], NDArray[np.int32]]:
    """Blended probabilities, true bins (settings, images), and true cells (images,)."""
    truth = run.targets.labels(run.validation)
    probabilities = list(settings_entries(run, "validation").values())[-1]
    return probabilities, np.stack([truth[name] for name in SETTINGS]), truth[JOINT_HEAD]


def _most_probable_cells(joint: NDArray[np.floating], bins: int) -> NDArray[np.integer]:
    return np.stack(np.unravel_index(joint.argmax(axis=1), [bins] * len(SETTINGS)))


def _shares(shares: NDArray[np.float64]) -> dict[str, float]:
    return {f"right_{count}": float(share) for count, share in enumerate(shares)}


def _rows(run: Run, variant: str, values: Mapping[str, float]) -> pd.DataFrame:
    photos = run.manifest.groupby("split").size()
    common = {
        "variant": variant,
        "seed": run.seed,
        "bins": run.task.bins,
        "training_photos": int(photos["train"]),
        "validation_photos": int(photos["validation"]),
    }
    return pd.DataFrame([{**common, "measure": name, "value": value} for name, value in values.items()])


def _interval(share: float, photos: int, variance: float) -> tuple[float, float]:
    """Agresti-Coull interval of a share of `photos`, widened by the variance between seeds.

    Two successes and two failures are added, so that a share of 0 or 1 of few photos is not certain.
    """
    center = (share * photos + 2) / (photos + 4)
    half = Z_95 * float(np.sqrt(center * (1 - center) / (photos + 4) + variance))
    return max(0.0, min(share, center - half)), min(1.0, max(share, center + half))


def _cell(row: Any) -> str:
    interval = "" if np.isnan(row.low) else f" [{row.low:.3f}, {row.high:.3f}]"
    paper = "" if np.isnan(row.paper) else f" ({row.paper:.3f})"
    return f"{row.measured:.3f}{interval}{paper}"
