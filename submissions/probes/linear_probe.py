"""Linear probes: logistic regression on frozen embeddings, beside other networks.

After the linear probes of Zheng, Shrivastava and Owens, "EXIF as Language" (CVPR 2023). The regression is fitted on the
training photos of a run. Its regularization C is chosen by cross-validation on them; groups are devices where several
are known, else photos. The score is measured on the validation photos of the run (of other devices, if devices are
known). Neither the network was trained nor C chosen on them. A data set of splices (target `authentic`) is split by
image instead.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from competition.metrics.bootstrap import percentile_interval, resample_sums
from competition.utils.atomic_files import write_bytes, write_csv
from competition.utils.errors import InputError
from competition.utils.parallel import parallel_map
from competition.utils.tables import MISSING, format_interval, markdown_table, text_table
from submissions.exif_language import ExifRun
from submissions.probes.features import (
    Network,
    classifier_features,
    extract_features,
    find_classifier,
    trained_encoder,
    untrained_encoder,
)
from submissions.probes.targets import AUTHENTIC, Sample, photo_sample, splice_sample

C_VALUES = tuple(10.0**power for power in range(-4, 3))  # strongest regularization first
FOLDS = 5
MAX_ITERATIONS = 20_000  # of the solver, which converges long before
TRAINED, UNTRAINED = "EXIF as language", "the same network, untrained"
MAJORITY, RANDOM = "majority class", "random draw"


@dataclass(frozen=True, eq=False)
class Probe:
    """The result of one probe.

    Attributes:
        correct: share of the patches of each validation photo that are classified correctly, (photos,).
        c: the chosen C; None for a baseline that is not fitted.
    """

    correct: NDArray[np.float64]
    c: float | None = None


def probe_run(
    run: ExifRun,
    target: str,
    data: Path | None = None,
    root: Path | None = None,
    dataset: str = "casia1",
    classifier: Path | None = None,
    patches: int = 1,
    seed: int = 0,
    jobs: int = 1,
) -> pd.DataFrame:
    """Probe a run; write `probe-<target>.csv` and `probe-<target>.md` into its folder.

    Args:
        run: whose image encoder is probed.
        target: one of `submissions.probes.targets.TARGETS`.
        data: folder of the run's photos; None for the folder that it was trained on.
        root, dataset: folder and name of a data set of splices, for the target `authentic` only. See
            `competition.forgeries.datasets.open_dataset`.
        classifier: folder of a camera classifier, see `submissions.probes.features.find_classifier`.
        patches: number of patches of each photo.
        seed: of the positions of patches, the folds and the bootstrap.
        jobs: number of processes that choose C.

    Returns:
        One row per network and baseline, with columns entry; accuracy, recall (mean of the classes) and ahead (recall
        of this run minus that of the entry), each with _low and _high; C, NaN for baselines; classes, photographs and
        note. Intervals are 95 %, resampling photos within their class; those of `ahead` are paired.

    Raises:
        InputError: the target is unknown, or the photos or the classifier cannot be used.
    """
    if (target == AUTHENTIC) != (root is not None):
        raise InputError(
            f"--root, the folder of a data set of splices, is required with --target {AUTHENTIC} and not allowed with "
            f"other targets; received --target {target} {'without' if root is None else 'with'} --root"
        )
    if root is None:
        folder = data or run.data
        if not folder.is_dir():
            raise InputError(f"the photos of {run.folder} are not in {folder}; pass their folder with --data DIR")
        sample = photo_sample(target, run.manifest, folder, run.recipe.test_patch, patches, seed)
    else:
        sample = splice_sample(dataset, root, run.recipe.test_patch, patches, seed)
    networks, notes = _networks(run, sample, classifier)
    validation = int(sample.is_validation.sum())
    notes = [
        *sample.notes,
        *notes,
        *(run.notes if root is None else []),
        f"fitted on {len(sample.labels) - validation} photos, measured on {validation}, "
        f"{patches} patch(es) of {run.recipe.test_patch} pixels each",
    ]
    features = extract_features(networks, sample)
    probes = {name: fit_probe(values, sample, seed, jobs) for name, values in features.items()}
    table = score_probes(probes | chance_probes(sample), sample, seed).assign(note="; ".join(notes))
    write_csv(table, run.folder / f"probe-{target}.csv")
    write_bytes(_page(run, target, table).encode(), run.folder / f"probe-{target}.md")
    return table


def _networks(run: ExifRun, sample: Sample, folder: Path | None) -> tuple[dict[str, Network], list[str]]:
    """The networks to compare, by entry, and notes on the camera classifier."""
    networks = {TRAINED: trained_encoder(run), UNTRAINED: untrained_encoder(run)}
    found = find_classifier(run, folder)
    if found is None:
        return networks, ["no camera classifier: no finished one beside this run was trained on the same data"]
    classifier, member = found
    name = classifier.folder.name
    networks[f"features of {member} ({name})"] = classifier_features(classifier, member)
    if classifier.data != run.data:
        return networks, []
    training = set(classifier.manifest.query("split == 'train'")["path"])
    seen = len(training & set(sample.names[sample.is_validation]))
    notes = [f"{name} was trained on {seen} of the validation photos, so its score is too high"] if seen else []
    return networks, notes


def fit_probe(features: NDArray[np.floating], sample: Sample, seed: int = 0, jobs: int = 1) -> Probe:
    """Fit a logistic regression on `features` (photos, patches, width) and predict the validation photos."""
    training = ~sample.is_validation
    patches, width = features.shape[1:]
    flat, labels = features[training].reshape(-1, width), np.repeat(sample.labels[training], patches)
    c = choose_c(flat, labels, np.repeat(sample.groups[training], patches), seed, jobs)
    validation = features[sample.is_validation].reshape(-1, width)
    predicted = _regression(c).fit(flat, labels).predict(validation).reshape(-1, patches)
    return Probe((predicted == sample.labels[sample.is_validation][:, None]).mean(axis=1), c)


def choose_c(
    features: NDArray[np.floating], labels: NDArray[np.integer], groups: NDArray[Any], seed: int = 0, jobs: int = 1
) -> float:
    """Choose the C with the best mean per-class recall in cross-validation over groups; the smallest of equal ones.

    Args:
        features: (patches, width).
        labels, groups: (patches,). Every class needs at least two groups.
        seed: of the folds.
        jobs: number of processes.
    """
    smallest = min(len(np.unique(groups[labels == label])) for label in np.unique(labels))
    splitter = StratifiedGroupKFold(min(FOLDS, smallest), shuffle=True, random_state=seed)
    folds = [
        (training, held_out)
        for training, held_out in splitter.split(features, labels, groups)
        if len(held_out) and len(np.unique(labels[training])) > 1
    ]
    recalls = list(
        parallel_map(partial(_recall_held_out, features, labels, folds), C_VALUES, jobs, "regularization", 1)
    )
    return C_VALUES[int(np.argmax(recalls))]


def chance_probes(sample: Sample) -> dict[str, Probe]:
    """Return the results of predicting the most frequent training class, and of a random draw."""
    labels = sample.labels[sample.is_validation]
    most_frequent = np.bincount(sample.labels[~sample.is_validation]).argmax()
    random = np.full(len(labels), 1 / len(sample.classes))
    return {MAJORITY: Probe((labels == most_frequent).astype(np.float64)), RANDOM: Probe(random)}


def score_probes(probes: dict[str, Probe], sample: Sample, seed: int = 0) -> pd.DataFrame:
    """Return the columns of `probe_run` without the note; the other entries are compared with the first one."""
    labels = sample.labels[sample.is_validation]
    correct = np.stack([probe.correct for probe in probes.values()], axis=1)
    classes, counts = np.unique(labels, return_counts=True)
    recalls = np.stack([correct[labels == label].mean(axis=0) for label in classes])  # (classes, entries)
    resampled = resample_sums(correct, labels, seed) / counts[:, None, None]  # (classes, draws, entries)
    columns: dict[str, Any] = {"entry": list(probes)}
    for name, statistic in (
        ("accuracy", lambda recalls: np.average(recalls, axis=0, weights=counts)),
        ("recall", lambda recalls: np.mean(recalls, axis=0)),
        ("ahead", lambda recalls: np.mean(recalls[..., :1] - recalls, axis=0)),
    ):
        low, high = percentile_interval(statistic(resampled))
        columns |= {name: statistic(recalls), f"{name}_low": low, f"{name}_high": high}
    columns["C"] = [np.nan if probe.c is None else probe.c for probe in probes.values()]
    return pd.DataFrame(columns).assign(classes=len(sample.classes), photographs=len(labels))


def format_probes(table: pd.DataFrame) -> str:
    """Format the table of `probe_run` for the terminal."""
    return text_table(_columns(table), table["note"].iloc[0].split("; "))


def _columns(table: pd.DataFrame) -> dict[str, list[str]]:
    """Heading → cells."""

    def interval(name: str) -> list[str]:
        return list(map(format_interval, table[name], table[f"{name}_low"], table[f"{name}_high"]))

    return {
        "entry": table["entry"].tolist(),
        "top-1 accuracy": interval("accuracy"),
        "mean per-class recall": interval("recall"),
        "lead of this run": [MISSING, *interval("ahead")[1:]],
        "C": [MISSING if np.isnan(c) else f"{c:g}" for c in table["C"]],
        "classes": table["classes"].astype(str).tolist(),
        "photos": table["photographs"].astype(str).tolist(),
    }


def _page(run: ExifRun, target: str, table: pd.DataFrame) -> str:
    description = (
        f"Logistic regression on frozen features of {run.folder.name}. Intervals are 95 % over photos. The lead is the "
        "difference in mean per-class recall."
    )
    notes = "\n".join(f"- {note}" for note in table["note"].iloc[0].split("; "))
    return "\n\n".join([f"# Probe for {target}", description, markdown_table(_columns(table)), notes]) + "\n"


def _regression(c: float) -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=MAX_ITERATIONS))


def _recall_held_out(
    features: NDArray[np.floating], labels: NDArray[np.integer], folds: list[tuple[Any, Any]], c: float
) -> float:
    """Mean per-class recall over the held-out patches of all folds."""
    predicted = np.full(len(labels), -1)
    for training, held_out in folds:
        predicted[held_out] = _regression(c).fit(features[training], labels[training]).predict(features[held_out])
    return float(np.mean([(predicted[labels == label] == label).mean() for label in np.unique(labels)]))
