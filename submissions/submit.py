"""Write submissions from the cached predictions of a run: blend the members, balance the classes, check, write.

No network is loaded.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from competition.manipulation import UNALTERED
from competition.utils.atomic_files import write_csv
from competition.utils.errors import InputError, unknown_name
from submissions.balancing import WITH_QUOTAS, assign_within, equal_quotas_within
from submissions.blend_weights import METHODS, fit, stack_members
from submissions.blending import DEFAULT, KINDS, ByHead, blend_members, settings_entries
from submissions.fingerprints.pull import pull_together
from submissions.prediction_cache import Predictions, load_members
from submissions.run import Run
from submissions.submission_csv import read_expected_names, read_quotas, write_submission
from submissions.tasks import CAMERA

CAMERA_SUBMISSION = "submission.csv"
SETTINGS_SUBMISSION = "settings_submission.csv"


def submit_run(run: Run) -> list[Path]:
    """Write every submission that the run's task and data allow, with the default blend; returns their paths."""
    written = []
    if run.task.camera and "test" in run.images:
        written.append(run.folder / CAMERA_SUBMISSION)
        submit_camera(run, written[-1])
    if run.task.settings:
        written.append(run.folder / SETTINGS_SUBMISSION)
        submit_settings(run, written[-1])
    return written


def submit_camera(
    run: Run,
    path: Path,
    kind: str = DEFAULT,
    method: str = "none",
    quota: int | None = None,
    others: Sequence[Run] = (),
    overwrite: bool = True,
    links: NDArray[np.bool_] | None = None,
) -> pd.DataFrame:
    """Write a checked submission of cameras for the test set.

    Args:
        run: a run with cached predictions for its test set.
        path: of the CSV file.
        kind: how members are blended, a name of `submissions.blending.KINDS`, or of `submissions.blend_weights.METHODS`
            for a blend that is fitted to the predictions of the validation images.
        method: how classes are balanced, a name of `submissions.balancing.METHODS`.
        quota: images of each camera among the unaltered and among the manipulated images; None for those of quotas.csv
            in the data folder, or equal shares if there is no such file. The methods `none` and `prior` use no quotas.
        others: runs on the same data, with the same validation images and folds, whose members join the blend.
        overwrite: whether another submission in the file is replaced.
        links: pairs of test images that are probably by one device, (images, images), which pull each other before the
            classes are balanced, see `submissions.fingerprints.pull`; None for none.

    Returns:
        The submission with columns fname, camera, is_manipulated.

    Raises:
        InputError: the file has another submission, there is no test set, a run has no predictions for it, runs do not
            fit together, the quotas do not add up to the images, or the method is `prior` and a camera has no training
            photos.
    """
    runs = [run, *others]
    _check_same_images(runs)
    members = _load_members(runs, "test")
    first = next(iter(members.values()))
    quotas = _quotas(run, first.is_manipulated, method, quota)
    training = np.mean([training_shares(each) for each in runs], axis=0) if method == "prior" else None
    blended = blend_members(members, kind) if kind in KINDS else _fitted_blend(runs, members, kind)
    if links is not None:
        blended = pull_together(blended, links)
    indices = assign_within(blended, first.is_manipulated, quotas, method, training)
    names, labels = [Path(name).name for name in first.names], np.array(run.cameras)[indices]
    write_submission(names, labels.tolist(), path, run.cameras, read_expected_names(run.data), overwrite)
    return pd.DataFrame({"fname": names, "camera": labels, "is_manipulated": first.is_manipulated})


def _check_same_images(runs: Sequence[Run]) -> None:
    first, folders = runs[0], [run.folder.resolve() for run in runs]
    if len(set(folders)) < len(folders):
        raise InputError(f"a run is named twice among {', '.join(str(run.folder) for run in runs)}; name each run once")
    for run in runs[1:]:
        if run.data.resolve() != first.data.resolve() or not run.validation.equals(first.validation):
            raise InputError(
                f"the runs {first.folder} and {run.folder} have other validation images or folds, so that their blend "
                "could not be scored; choose runs with the same --data, --seed and --folds"
            )


def _load_members(runs: Sequence[Run], split: str) -> dict[str, Predictions]:
    """The predictions of the members of all runs."""
    members: dict[str, Predictions] = {}
    for run in runs:
        found = load_members(run, split)
        if not found:
            if split not in run.images:
                raise InputError(f"the data {run.data} has no test folder, so there is nothing to submit")
            raise InputError(f"the run {run.folder} has no predictions for the {split} set; run predict first")
        members |= {f"{run.folder}: {member}": predictions for member, predictions in found.items()}
    return members


def _fitted_blend(runs: Sequence[Run], members: Mapping[str, Predictions], kind: str) -> NDArray[np.float64]:
    """Blend the predictions of test images by a method that is fitted to the validation images."""
    if kind not in METHODS:
        raise unknown_name("blend", kind, (*KINDS, *METHODS))
    validation = _load_members(runs, "validation")
    if len(members) < 2:
        raise InputError(f"--blend {kind} needs at least 2 members, received {len(members)}; use --blend quadratic")
    if list(validation) != list(members):
        raise InputError(f"the members of {runs[0].folder} have no predictions for validation; run predict first")
    first = next(iter(validation.values()))
    truth = runs[0].targets.labels(runs[0].validation)[CAMERA].astype(np.int64)
    fitted = fit(kind, stack_members(validation), truth, first.is_manipulated)
    return fitted(stack_members(members), next(iter(members.values())).is_manipulated)


def has_equal_quotas(run: Run) -> bool:
    """Return whether quotas.csv in the data folder says that each camera took equally many test images."""
    is_manipulated = run.images["test"]["manipulation"] != UNALTERED
    quotas = read_quotas(run.data, run.cameras, is_manipulated)
    return quotas is not None and bool((quotas == quotas[:, :1]).all())


def training_shares(run: Run) -> NDArray[np.float64]:
    """Shares of the cameras that the run's predictions reflect, (cameras,), for balancing `prior`.

    They are those of the training photos, or equal for members whose loss weights the cameras; the mean over members.

    Raises:
        InputError: a camera has no training photos.
    """
    table = run.manifest
    counts = table.loc[table["split"] == "train", "camera"].value_counts().reindex(run.cameras, fill_value=0)
    if (counts == 0).any():
        raise InputError(
            f"balancing prior needs training photos by every camera, but the run {run.folder} has none by "
            f"{', '.join(counts.index[counts == 0])}; choose another balancing"
        )
    photos, equal = counts.to_numpy() / counts.sum(), np.full(len(counts), 1 / len(counts))
    return np.mean([equal if recipe.balance_cameras else photos for recipe in run.recipes.values()], axis=0)


def _quotas(run: Run, is_manipulated: NDArray[np.bool_], method: str, quota: int | None) -> NDArray[np.int64] | None:
    """Quotas (2, cameras) for `assign_within`; None if the method needs none."""
    if method not in (*WITH_QUOTAS, "soft"):
        return None
    if quota is not None:
        return np.full((2, len(run.cameras)), quota)
    quotas = read_quotas(run.data, run.cameras, is_manipulated)
    if quotas is not None or method == "soft":  # which takes equal shares that are no whole numbers, too
        return quotas
    return equal_quotas_within(is_manipulated, len(run.cameras))


def submit_settings(run: Run, path: Path) -> pd.DataFrame:
    """Write the most probable bin of every setting, with its probability.

    Rows are the images of the test set, or the unaltered validation photos if there is no test set. Returns the table
    with columns fname, and for every setting its name and `<name>_probability`.
    """
    split = "test" if "test" in run.images else "validation"
    images = run.images[split]
    table = describe_settings(run, list(settings_entries(run, split).values())[-1])
    paths = images["path"].tolist()
    table.insert(0, "fname", [Path(path).name for path in paths] if split == "test" else paths)
    if split == "validation":
        table = table[(images["manipulation"] == UNALTERED).to_numpy()]
    write_csv(table, path)
    return table


def describe_settings(run: Run, probabilities: ByHead) -> pd.DataFrame:
    """Name the most probable bin of every setting: columns `<setting>` and `<setting>_probability`, a row per image."""
    targets, columns = run.targets, {}
    for name in targets.labeled_settings:
        columns[name] = np.array(targets.classes[name])[probabilities[name].argmax(axis=1)]
        columns[f"{name}_probability"] = probabilities[name].max(axis=1)
    return pd.DataFrame(columns)
