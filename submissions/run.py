"""A run folder: the configuration, data and results of one training.

runs/<name>/
    config.json          data, recipes of the members, task and seed; a run only continues with the same configuration
    environment.json     versions, devices and git commit when the run was started
    manifest.csv         every photo with its split
    validation.csv       the validation images, unaltered and manipulated
    pseudo_labels.csv    test images that join training, with the camera that another run predicts
    notes.txt            what a reader of the scores must know
    front_end/           history.csv, model.keras of the front end that the members share
    folds/<fold>/        with folds: front_end/, members/ and predictions/ of the trainings that leave out this fold
    members/<member>/    history.csv, model.keras
    predictions/<member>/validation.npz, test.npz of the camera; validation-<head>.npz, test-<head>.npz of other heads
    scores.json, leaderboard.csv, submission.csv; for settings settings_leaderboard.csv, settings_submission.csv
"""

import zlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from augment.damage import check_damaged, decode_photos
from augment.manipulations import MANIPULATIONS, fits
from competition.folds import assign_folds
from competition.manifest import check_same_photos, describe_skipped, load_manifest, read_folder, write_manifest
from competition.splits import assign_validation, limit_photos, validation_images
from competition.utils.atomic_files import write_bytes, write_csv, write_json
from competition.utils.errors import InputError
from competition.utils.tables import read_text_table
from models.recipe import Recipe, recipe_from_json
from models.resources import check_resources
from submissions.environment import environment
from submissions.patch_sizes import (
    check_enough_photos,
    check_photo_sizes,
    check_source_sizes,
    fit_recipes,
    usable_side,
)
from submissions.run_config import FORMAT_VERSION, as_json, check_same_config, flatten, read_config
from submissions.submission_csv import check_test_set
from submissions.tasks import CAMERA, Targets, Task, label_notes

SIMULATED = "simulated photos (the virtual competition)"
CAMERA_ONLY = Task()
DECODED = ".decoded-{:08x}.csv"  # beside the runs: which photos of a folder can be decoded
FRONT_END = "front_end"  # folder of a front end alone, and name of its predictions
FOLD = "fold"  # column of validation.csv
BAG = "bag"  # name of the predictions of members that leave out different folds
PSEUDO_LABELS, PSEUDO_COLUMNS = "pseudo_labels.csv", ("path", "camera", "probability")
OUT_OF_FOLD = "validation scores are out of fold: every photo was predicted by networks that were not trained on it"
BAG_NOTE = "validation scores are those of the one member not trained on the photo; the test set has a blend of all"


@dataclass(frozen=True)
class Run:
    """The configuration of a run, and the paths of its files.

    Attributes:
        folder: of the run.
        data: folder of the photos.
        recipes: how each member is trained, by its name.
        seed: of the split, the patches and the first weights.
        task: what to predict.
        photos, validation_photos: maximum numbers of training photos, and of validation photos without folds, or None.
        folds: number of folds, each of which is left out by the trainings of one part of the run; 0 for one split into
            training and validation.
        fold_of_member: member i is only trained without fold i.
        pseudo_labels: folder of the run whose predictions of test images join training; None for none.
        confidence: lowest probability of these predictions.
        fold: of this part of the run, see `parts`; None for the whole run.
    """

    folder: Path
    data: Path
    recipes: dict[str, Recipe]
    seed: int
    task: Task = CAMERA_ONLY
    photos: int | None = None
    folds: int = 0
    fold_of_member: bool = False
    pseudo_labels: Path | None = None
    confidence: float = 0.0
    validation_photos: int | None = None
    fold: int | None = None

    @property
    def manifest(self) -> pd.DataFrame:
        """Every photo with its split. All photos of a run with folds are training photos, except within a part."""
        manifest = load_manifest(self.whole.folder / "manifest.csv")
        if self.fold is None:
            return manifest
        left_out = (manifest["split"] == "train") & manifest["path"].isin(self.validation["path"])
        return manifest.assign(split=manifest["split"].mask(left_out, "validation"))

    @property
    def training(self) -> pd.DataFrame:
        """The rows of the manifest to train on: the training photos, and test images with pseudo-labels as `camera`."""
        manifest = self.manifest
        training = manifest[manifest["split"] == "train"]
        if self.pseudo_labels is None:
            return training
        fix = "restore it, or delete the run"
        labels = read_text_table(self.whole.folder / PSEUDO_LABELS, PSEUDO_COLUMNS, fix).set_index("path")["camera"]
        test = manifest[manifest["path"].isin(labels.index)]
        return pd.concat([training, test.assign(camera=test["path"].map(labels))], ignore_index=True)

    @property
    def validation(self) -> pd.DataFrame:
        """The validation images, unaltered and manipulated: columns path, camera, manipulation, split, and the fold."""
        columns = ["path", "camera", "manipulation", "split", *([FOLD] if self.folds else [])]
        path = self.whole.folder / "validation.csv"
        table = read_text_table(path, columns, "restore it, or delete the run")
        return table if self.fold is None else table[table[FOLD] == str(self.fold)].reset_index(drop=True)

    @property
    def whole(self) -> "Run":
        """The run that this is a part of, or the run itself."""
        return self if self.fold is None else replace(self, folder=self.folder.parents[1], fold=None)

    @property
    def parts(self) -> list["Run"]:
        """The parts that are trained, one for each fold that is left out; only the run itself without folds."""
        folds = range(self.folds)
        return [replace(self, folder=self.folder / "folds" / str(fold), fold=fold) for fold in folds] or [self]

    @property
    def members(self) -> list[str]:
        """The members that are trained, in this part if it is one."""
        names = list(self.recipes)
        return [names[self.fold]] if self.fold_of_member and self.fold is not None else names

    @property
    def entries(self) -> list[str]:
        """The names of the cached predictions: the members, or `BAG` for members that leave out different folds."""
        return [BAG] if self.fold_of_member and self.fold is None else self.members

    @property
    def images(self) -> dict[str, pd.DataFrame]:
        """The images to predict, by split: `validation`, and `test` if the data has a test set."""
        tables = {"validation": self.validation, "test": self.manifest.loc[lambda table: table["split"] == "test"]}
        return {split: table for split, table in tables.items() if len(table)}

    @property
    def note(self) -> str:
        """What a reader of the scores must know, in one line."""
        return (self.folder / "notes.txt").read_text().strip().replace("\n", "; ")

    @property
    def targets(self) -> Targets:
        return Targets(self.task, self.manifest)

    @property
    def cameras(self) -> tuple[str, ...]:
        """The camera classes, in the order of the outputs of every camera head."""
        return self.targets.cameras

    def member_folder(self, member: str) -> Path:
        return self.folder / "members" / member

    @property
    def front_end_folder(self) -> Path:
        """Folder of the front end that the members share."""
        return self.folder / FRONT_END

    @property
    def shared_front_end(self) -> Recipe | None:
        """The recipe of the front end alone that the backbones start from; None if there is no such front end."""
        recipes = {recipe.front_end_recipe for recipe in self.recipes.values() if recipe.front_end_recipe is not None}
        return recipes.pop() if len(recipes) == 1 else None

    def predictions_file(self, member: str, split: str, head: str = CAMERA) -> Path:
        name = split if head == CAMERA else f"{split}-{head}"
        return self.folder / "predictions" / member / f"{name}.npz"


def open_run(folder: Path) -> Run:
    """Open an existing run. Raises `InputError` if there is none, it is of another kind, or its config is damaged."""
    config = read_config(folder)
    if "kind" in config:
        raise InputError(f"{folder} is an {config['kind']} run; pass a run of cameras or settings")
    try:
        recipes = {member: recipe_from_json(recipe) for member, recipe in config["recipes"].items()}
        task = config["task"]
        task = Task(**{**task, "order": tuple(task["order"])})
        kinds = {"folds": int, "fold_of_member": bool, "validation_photos": int}
        options: dict[str, Any] = {name: kind(config[name]) for name, kind in kinds.items() if name in config}
        if teacher := config.get("pseudo_labels"):
            options |= {"pseudo_labels": Path(teacher["run"]), "confidence": float(teacher["confidence"])}
        return Run(folder, Path(config["data"]), recipes, int(config["seed"]), task, config["photos"], **options)
    except InputError:  # which is a ValueError
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"{folder / 'config.json'} is damaged ({error}); delete the run or restore the file") from None


def start_run(run: Run, jobs: int, fit_patches: bool = False, pseudo_labels: pd.DataFrame | None = None) -> list[str]:
    """Create the folder of a new run, or check that the existing one has the same configuration.

    Another data folder is accepted if it holds the photos of the run's manifest: they were moved.

    Args:
        run: the configuration.
        jobs: number of processes that read the photos. Photos that cannot be decoded are left out.
        fit_patches: use smaller patches where an image is smaller than those of the recipes; `open_run` returns the run
            with these patches.
        pseudo_labels: test images that join training, for a run with pseudo-labels, see `submissions.pseudo_labels`.

    Returns:
        Messages for the user, lines that begin with `warning: ` or `note: `.

    Raises:
        InputError: the existing run has another configuration, or the data cannot be used. Nothing is written then.
    """
    exists = (run.folder / "config.json").exists()
    if exists:
        read_config(run.folder)  # refuses another format before anything else is read
    table, skipped = (run.manifest, {}) if exists else read_folder(run.data, jobs)
    requested, side = run.recipes, usable_side(table)
    if fit_patches:
        run = replace(run, recipes=fit_recipes(run.recipes, side))
    config = _config(run)
    if exists:
        before = _config(open_run(run.folder))
        check_same_config(run.folder, flatten({**before, "data": config["data"]}), flatten(config))
        if before["data"] == config["data"]:
            return []
        check_same_photos(table, run.data, jobs)
        write_json(config, run.folder / "config.json")
        return [f"note: the photos of this run moved from {before['data']} to {config['data']}"]
    recipes = [stage for recipe in run.recipes.values() for stage in (recipe, recipe.front_end_recipe) if stage]
    cropped = [recipe for recipe in recipes if recipe.patches.input == "patch"]  # the others take photos of any size
    size = max((max(recipe.patches.size, recipe.test_patch) for recipe in cropped), default=1)
    check_photo_sizes(table, size)
    check_source_sizes(table, [recipe.patches for recipe in recipes])
    if run.task.camera:
        check_test_set(run.data, table)
    check_resources(run.folder, run.recipes, table, run.photos, 1 if run.fold_of_member else max(1, run.folds))
    decoded_file = run.folder.parent / DECODED.format(zlib.crc32(config["data"].encode()))
    decoded = decode_photos(run.data, table.loc[table["split"] != "test", "path"].tolist(), jobs, decoded_file)
    damaged = decoded[decoded["reason"] != ""].set_index("path")["reason"].to_dict()
    check_damaged(damaged, len(decoded))
    table, skipped = table[~table["path"].isin(list(damaged))].reset_index(drop=True), skipped | damaged
    table, fold_of, split_notes = _split(run, table)
    largest_fold = 0 if fold_of is None else int(fold_of.value_counts().max())
    check_enough_photos(int((table["split"] == "train").sum()) - largest_fold, recipes)
    messages = label_notes(Targets(run.task, table))
    validated = table if fold_of is None else table.assign(split=table["split"].replace("train", "validation"))
    images = validation_images(
        validated, MANIPULATIONS, lambda height, width, name: fits(height, width, name, size), run.seed
    )
    if len(cropped) < len(recipes) or not all(recipe.patches.manipulated_share for recipe in cropped):
        images = images[~images["is_manipulated"]]
    if fold_of is not None:
        images = images.assign(**{FOLD: images["path"].map(fold_of)})
    notes = [SIMULATED] if (run.data / "virtual.json").exists() else []
    if run.pseudo_labels is not None and pseudo_labels is not None:
        split_notes.append(
            f"trained on {len(pseudo_labels)} test images, with the cameras that {run.pseudo_labels.name} predicts "
            f"with a probability of at least {run.confidence}"
        )
        write_csv(pseudo_labels, run.folder / PSEUDO_LABELS)
    write_csv(decoded, decoded_file)
    write_manifest(table, run.folder / "manifest.csv")
    write_csv(images.drop(columns="is_manipulated").assign(split="validation"), run.folder / "validation.csv")
    write_bytes("".join(f"{note}\n" for note in notes + split_notes).encode(), run.folder / "notes.txt")
    write_json(environment(), run.folder / "environment.json")
    write_json(config, run.folder / "config.json")  # last: a folder with this file is a run
    if fit_patches and run.recipes != requested:
        messages.append(f"note: images have a side of {side} pixels: patches have {size} pixels")
    return [*messages, *([f"warning: {describe_skipped(skipped)}"] if skipped else [])]


def _split(run: Run, table: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series | None, list[str]]:
    """Return the manifest with the training photos of the run, their folds by path if it has some, and notes."""
    if not run.folds:
        table, notes = assign_validation(table, run.seed)
        table = limit_photos(table, "validation", run.validation_photos, run.seed)
        return limit_photos(table, "train", run.photos, run.seed), None, notes
    table = limit_photos(table, "train", run.photos, run.seed)
    fold_of, notes = assign_folds(table, run.folds, run.seed)
    return table, fold_of, [BAG_NOTE if run.fold_of_member else f"{OUT_OF_FOLD} ({run.folds} folds)", *notes]


def _config(run: Run) -> dict[str, Any]:
    teacher = run.pseudo_labels
    config = {
        "format_version": FORMAT_VERSION,
        "data": str(run.data.resolve()),
        "seed": run.seed,
        "photos": run.photos,
        **({"validation_photos": run.validation_photos} if run.validation_photos else {}),
        **({"folds": run.folds, "fold_of_member": run.fold_of_member} if run.folds else {}),
        **({"pseudo_labels": {"run": str(teacher.resolve()), "confidence": run.confidence}} if teacher else {}),
        "task": asdict(run.task),
        "recipes": {member: asdict(recipe) for member, recipe in run.recipes.items()},
    }
    return as_json(config)
