"""Linear probes: what a logistic regression reads out of frozen embeddings, beside networks that learnt otherwise.

After the linear probes of Zheng, Shrivastava and Owens, "EXIF as Language" (CVPR 2023). The regression is fitted on the
run's training photographs. Its regularisation C is chosen inside of them by cross-validation, held out by device where
several are known, else by photograph. The score is measured on the run's validation photographs (other devices, where
they are known), on which the network was not trained either and which take no part in any choice. A data set of splices
(the target `authentic`) is split by image instead.
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

from competition.metrics.settings import DRAWS, LEVEL
from competition.utils.atomic_files import write_bytes, write_csv
from competition.utils.errors import InputError
from competition.utils.parallel import parallel_map
from competition.utils.tables import markdown_table
from submissions.exif_language import ExifRun
from submissions.leaderboards.camera import aligned
from submissions.probes.targets import AUTHENTIC, Sample, photos_for, splices

STRENGTHS = tuple(10.0**power for power in range(-4, 3))  # of C, the strongest regularisation first
FOLDS = 5
MOST_STEPS = 20_000  # of the solver, which converges long before
THIS, UNTRAINED = "EXIF as language", "the same network, untrained"
MAJORITY, RANDOM = "majority class", "random draw"


@dataclass(frozen=True, eq=False)
class Probe:
    """The answers of one probe: of each measured photograph the share of its patches told right, (photographs,); the C
    that was chosen, or None where nothing was fitted."""

    right: NDArray[np.float64]
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
    """Probe a run for `target`; write `probe-<target>.csv` and `.md` into its folder and return the table.

    Args:
        target: one of `probe_targets.TARGETS`.
        data: where the run's photographs lie now; None for where they were.
        root, dataset: the data set of splices of the target `authentic`, see `competition.forgeries.datasets`.
        classifier: folder of a camera classifier, see `probe_networks.find_classifier`.
        patches: of each photograph.
        seed: of the patches' places, the folds and the bootstrap.
        jobs: processes that choose the regularisation.

    Returns:
        Columns entry, accuracy, recall (mean of the classes'), ahead (this run's recall less the entry's), each with
        _low and _high (95 %, photographs resampled within their class; of `ahead` in pairs), C, classes, photographs,
        note. C is NaN where nothing was fitted.

    Raises:
        InputError: an unknown target, photographs that cannot be used, too few of them, or a useless classifier.
    """
    if (target == AUTHENTIC) != (root is not None):
        raise InputError(f"--root is the folder of a data set of splices: give it for {AUTHENTIC}, and only there")
    if root is None:
        folder = data or run.data
        if not folder.is_dir():
            raise InputError(f"the photographs of {run.folder} are no longer in {folder}; say where with --data DIR")
        sample = photos_for(target, run.manifest, folder, run.recipe.patch, patches, seed)
    else:
        sample = splices(dataset, root, run.recipe.patch, patches, seed)
    from submissions.probes import features as networks

    known: dict[str, networks.Network] = {THIS: networks.trained(run), UNTRAINED: networks.untrained(run)}
    notes = list(sample.notes)
    found = networks.find_classifier(run, classifier)
    if found is None:
        notes.append("no finished camera classifier beside this run was trained on its data: no such row")
    else:
        opened, member = found
        known[f"features of {member} ({opened.folder.name})"] = networks.of_classifier(opened, member)
        learnt = set(opened.manifest.query("split == 'train'")["path"]) if opened.data == run.data else set()
        seen = len(learnt & set(sample.names[sample.measured])) if root is None else 0
        if seen:
            notes.append(f"{opened.folder.name} was trained on {seen} of the measured photographs, which flatters it")
    if root is None:
        notes += run.notes
    notes.append(
        f"fitted on {(~sample.measured).sum()} photographs, measured on {sample.measured.sum()}, "
        f"{patches} patch(es) of {run.recipe.patch} pixels each"
    )
    made = networks.features(known, sample)
    probes = {name: linear(features, sample, seed, jobs) for name, features in made.items()} | chance(sample)
    table = score(probes, sample, seed).assign(note="; ".join(notes))
    write_csv(table, run.folder / f"probe-{target}.csv")
    write_bytes(_page(run, target, table).encode(), run.folder / f"probe-{target}.md")
    return table


def linear(features: NDArray[np.floating], sample: Sample, seed: int = 0, jobs: int = 1) -> Probe:
    """Fit a logistic regression on the fitted photographs' `features` (photographs, patches, width); its answers."""
    fitted, measured = features[~sample.measured], features[sample.measured]
    patches, width = features.shape[1:]
    flat, labels = fitted.reshape(-1, width), np.repeat(sample.labels[~sample.measured], patches)
    c = chosen_c(flat, labels, np.repeat(sample.groups[~sample.measured], patches), seed, jobs)
    predicted = _regression(c).fit(flat, labels).predict(measured.reshape(-1, width)).reshape(-1, patches)
    return Probe((predicted == sample.labels[sample.measured][:, None]).mean(axis=1), c)


def chosen_c(
    features: NDArray[np.floating], labels: NDArray[np.integer], groups: NDArray[Any], seed: int = 0, jobs: int = 1
) -> float:
    """The C with the best mean per-class recall when groups are held out in turn; the smallest of equal ones.

    `features` (patches, width), `labels` and `groups` (patches,). Every class needs two groups.
    """
    fewest = min(len(np.unique(groups[labels == label])) for label in np.unique(labels))
    split = StratifiedGroupKFold(min(FOLDS, fewest), shuffle=True, random_state=seed).split(features, labels, groups)
    folds = [(fit, held) for fit, held in split if len(held) and len(np.unique(labels[fit])) > 1]
    recalls = list(
        parallel_map(partial(_recall_held_out, features, labels, folds), STRENGTHS, jobs, "regularisation", 1)
    )
    return STRENGTHS[int(np.argmax(recalls))]


def chance(sample: Sample) -> dict[str, Probe]:
    """What habit and a random draw reach."""
    labels = sample.labels[sample.measured]
    most = np.bincount(sample.labels[~sample.measured]).argmax()
    drawn = np.full(len(labels), 1 / len(sample.classes))
    return {MAJORITY: Probe((labels == most).astype(np.float64)), RANDOM: Probe(drawn)}


def score(probes: dict[str, Probe], sample: Sample, seed: int = 0) -> pd.DataFrame:
    """The columns of `probe_run` but the note; the first entry is the one that the others are compared with."""
    labels = sample.labels[sample.measured]
    right = np.stack([one.right for one in probes.values()])
    recalls, drawn, shares = [], [], []
    rng = np.random.default_rng(seed)
    for label in np.unique(labels):
        of_class = right[:, labels == label]
        count = of_class.shape[1]
        recalls.append(of_class.mean(axis=1))
        drawn.append(of_class @ rng.multinomial(count, np.full(count, 1 / count), DRAWS).T / count)
        shares.append(count / len(labels))
    accuracy = np.average(recalls, axis=0, weights=shares), np.average(drawn, axis=0, weights=shares)
    recall = np.mean(recalls, axis=0), np.mean(drawn, axis=0)
    ahead = recall[0][0] - recall[0], recall[1][0] - recall[1]
    columns: dict[str, Any] = {"entry": list(probes)}
    for name, (value, draws) in (("accuracy", accuracy), ("recall", recall), ("ahead", ahead)):
        low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1)
        columns |= {name: value, f"{name}_low": low, f"{name}_high": high}
    columns["C"] = [np.nan if one.c is None else one.c for one in probes.values()]
    return pd.DataFrame(columns).assign(classes=len(sample.classes), photographs=len(labels))


def format_probes(table: pd.DataFrame) -> str:
    """Aligned text for a terminal."""
    return aligned(_shown(table), table["note"].iloc[0].split("; "))


def _shown(table: pd.DataFrame) -> dict[str, list[str]]:
    def interval(name: str) -> list[str]:
        values = table[[name, f"{name}_low", f"{name}_high"]].itertuples(index=False)
        return [f"{value:.3f} [{low:.3f}, {high:.3f}]" for value, low, high in values]

    return {
        "entry": table["entry"].tolist(),
        "top-1 accuracy": interval("accuracy"),
        "mean per-class recall": interval("recall"),
        "this run is ahead by": ["–", *interval("ahead")[1:]],
        "C": ["–" if np.isnan(c) else f"{c:g}" for c in table["C"]],
        **{name: table[name].astype(str).tolist() for name in ("classes", "photographs")},
    }


def _page(run: ExifRun, target: str, table: pd.DataFrame) -> str:
    shown = _shown(table)
    rows = markdown_table(shown, zip(*shown.values(), strict=True))
    notes = [f"- {note}" for note in table["note"].iloc[0].split("; ")]
    told = (
        f"Logistic regression on frozen features of {run.folder.name}; 95 % intervals over photographs; the lead is in "
        "mean per-class recall."
    )
    return "\n".join([f"# Probe for {target}", "", told, "", rows, "", *notes, ""])


def _regression(c: float) -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=MOST_STEPS))


def _recall_held_out(
    features: NDArray[np.floating], labels: NDArray[np.integer], folds: list[tuple[Any, Any]], c: float
) -> float:
    predicted = np.full(len(labels), -1)
    for fit, held in folds:
        predicted[held] = _regression(c).fit(features[fit], labels[fit]).predict(features[held])
    return float(np.mean([(predicted[labels == label] == label).mean() for label in np.unique(labels)]))
