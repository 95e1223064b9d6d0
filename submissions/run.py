"""A run folder: the configuration, data and results of one training.

runs/<name>/
    config.json          data, recipes of the members, task and seed; a run only continues with the same configuration
    environment.json     versions, devices and git commit when the run was started
    manifest.csv         every photo with its split
    validation.csv       the validation images, unaltered and manipulated
    notes.txt            what a reader of the scores must know
    front_end/           history.csv, model.keras of the front end that the members share
    members/<member>/    history.csv, model.keras
    predictions/<member>/validation.npz, test.npz of the camera; validation-<head>.npz, test-<head>.npz of other heads
    scores.json, leaderboard.csv, submission.csv; for settings settings_leaderboard.csv, settings_submission.csv
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from augment.decode import find_damaged
from augment.manipulations import MANIPULATIONS, fits
from competition.manifest import describe_skipped, load_manifest, read_folder, write_manifest
from competition.splits import assign_validation, validation_images
from competition.utils.atomic_files import read_json, write_bytes, write_csv, write_json
from competition.utils.errors import InputError, unknown_name
from competition.utils.tables import read_text_table
from models.recipe import Recipe, recipe_from_json
from submissions.environment import environment
from submissions.patch_sizes import check_photo_sizes, shrink_patches, usable_side
from submissions.submission_csv import check_test_set
from submissions.tasks import CAMERA, Targets, Task, label_notes

FORMAT_VERSION = 2  # of config.json; runs of other versions cannot be opened
SIMULATED = "simulated photographs (the virtual competition)"
CAMERA_ONLY = Task()
DIFFERENCES_NAMED = 4
MAX_DAMAGED = 0.05  # share of the photos: with more, something is wrong with the folder
FRONT_END = "front_end"  # folder of a front end alone, and name of its predictions


@dataclass(frozen=True)
class Run:
    """The configuration of a run, and the paths of its files.

    Attributes:
        folder: of the run.
        data: folder of the photos.
        recipes: how each member is trained, by its name.
        seed: of the split, the patches and the first weights.
        task: what to predict.
        photos: maximum number of training photos; None for all.
    """

    folder: Path
    data: Path
    recipes: dict[str, Recipe]
    seed: int
    task: Task = CAMERA_ONLY
    photos: int | None = None

    @property
    def manifest(self) -> pd.DataFrame:
        return load_manifest(self.folder / "manifest.csv")

    @property
    def validation(self) -> pd.DataFrame:
        """The validation images, unaltered and manipulated: columns path, camera, manipulation, split."""
        columns = ["path", "camera", "manipulation", "split"]
        return read_text_table(self.folder / "validation.csv", columns, "restore it, or delete the run")

    @property
    def images(self) -> dict[str, pd.DataFrame]:
        """The images to predict, by split: `validation`, and `test` if the data has a test set."""
        manifest = self.manifest
        tables = {"validation": self.validation, "test": manifest[manifest["split"] == "test"]}
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


def read_config(folder: Path) -> Any:
    """Read the config.json of the run in `folder`.

    Raises:
        InputError: there is no run, and the message names those beside it; or the file is damaged or of another format.
    """
    if not (folder / "config.json").is_file():
        raise unknown_name("run", str(folder), sorted(p.parent.as_posix() for p in folder.parent.glob("*/config.json")))
    config = read_json(folder / "config.json")
    version = config.get("format_version") if isinstance(config, dict) else None
    if version != FORMAT_VERSION:
        raise InputError(
            f"the run {folder} has the format {'1 or none' if version is None else version}, expected "
            f"{FORMAT_VERSION}: another version of this program made it; train it again with another --run NAME"
        )
    return config


def open_run(folder: Path) -> Run:
    """Open an existing run. Raises `InputError` if there is none, or if its configuration is damaged."""
    config = read_config(folder)
    try:
        recipes = {member: recipe_from_json(recipe) for member, recipe in config["recipes"].items()}
        task = config["task"]
        task = Task(**{**task, "order": tuple(task["order"])})
        return Run(folder, Path(config["data"]), recipes, int(config["seed"]), task, config["photos"])
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{folder / 'config.json'} is damaged ({error}); delete the run or restore the file") from None


def start_run(run: Run, jobs: int, fit_patches: bool = False) -> list[str]:
    """Create the folder of a new run, or check that the existing one has the same configuration.

    Args:
        run: the configuration.
        jobs: number of processes that read the photos. Photos that cannot be decoded are left out.
        fit_patches: use smaller patches where an image is smaller than those of the recipes; `open_run` returns the run
            with these patches.

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
        run = replace(run, recipes={member: shrink_patches(recipe, side) for member, recipe in run.recipes.items()})
    config = _config(run)
    if exists:
        check_same_config(run.folder, flatten(read_config(run.folder)), flatten(config))
        return []
    table, damaged = _without_damaged(run.data, table, jobs)
    skipped |= damaged
    recipes = [stage for recipe in run.recipes.values() for stage in (recipe, recipe.front_end_recipe) if stage]
    cropped = [recipe for recipe in recipes if recipe.patches.input == "patch"]  # the others take photos of any size
    size = max((max(recipe.patches.size, recipe.test_patch) for recipe in cropped), default=1)
    check_photo_sizes(table, size)
    if run.task.camera:
        check_test_set(run.data, table)
    table, split_notes = assign_validation(table, run.seed)
    table = _limit_training(table, run.photos, run.seed)
    _check_enough_photos(table, recipes)
    messages = label_notes(Targets(run.task, table))
    images = validation_images(
        table, MANIPULATIONS, lambda height, width, name: fits(height, width, name, size), run.seed
    )
    if len(cropped) < len(recipes) or not all(recipe.patches.manipulated_share for recipe in cropped):
        images = images[~images["is_manipulated"]]
    notes = [SIMULATED] if (run.data / "virtual.json").exists() else []
    write_manifest(table, run.folder / "manifest.csv")
    write_csv(images.drop(columns="is_manipulated").assign(split="validation"), run.folder / "validation.csv")
    write_bytes("".join(f"{note}\n" for note in notes + split_notes).encode(), run.folder / "notes.txt")
    write_json(environment(), run.folder / "environment.json")
    write_json(config, run.folder / "config.json")  # last: a folder with this file is a run
    if fit_patches and run.recipes != requested:
        messages.append(f"note: images have a side of {side} pixels: patches have {size} pixels")
    return [*messages, *([f"warning: {describe_skipped(skipped)}"] if skipped else [])]


def _without_damaged(folder: Path, table: pd.DataFrame, jobs: int) -> tuple[pd.DataFrame, dict[str, str]]:
    """Leave out the photos that cannot be decoded; returns the rest of the manifest and the reasons by path."""
    photos = table.loc[table["split"] != "test", "path"].tolist()
    found = find_damaged([folder / path for path in photos], jobs)
    damaged = {path: found[folder / path] for path in photos if folder / path in found}
    if len(damaged) > MAX_DAMAGED * len(photos):
        raise InputError(
            f"{len(damaged)} of {len(photos)} photos cannot be decoded, more than {MAX_DAMAGED:.0%}: "
            f"{describe_skipped(damaged)}; restore or remove them"
        )
    return table[~table["path"].isin(list(damaged))].reset_index(drop=True), damaged


def check_same_config(folder: Path, existing: Mapping[str, Any], requested: Mapping[str, Any]) -> None:
    """Raise `InputError`, naming the first differences, if the run in `folder` has another configuration."""
    different = [
        f"{key} {existing.get(key)} (now {requested.get(key)})"
        for key in sorted({*existing, *requested})
        if existing.get(key) != requested.get(key)
    ]
    if different:
        raise InputError(
            f"the run {folder} was made with other settings: {', '.join(different[:DIFFERENCES_NAMED])}"
            f"{' …' if len(different) > DIFFERENCES_NAMED else ''}; choose another --run NAME, or delete that folder"
        )


def _config(run: Run) -> dict[str, Any]:
    config = {
        "format_version": FORMAT_VERSION,
        "data": str(run.data.resolve()),
        "seed": run.seed,
        "photos": run.photos,
        "task": asdict(run.task),
        "recipes": {member: asdict(recipe) for member, recipe in run.recipes.items()},
    }
    return as_json(config)


def as_json(config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration as it is read from a JSON file: with lists instead of tuples."""
    return json.loads(json.dumps(config))


def flatten(tree: Any, name: str = "") -> dict[str, Any]:
    """Return the values of nested dictionaries by their path, such as `recipes.mobilenet.epochs`."""
    if not isinstance(tree, dict):
        return {name: tree}
    return {k: v for key, branch in tree.items() for k, v in flatten(branch, f"{name}.{key}" if name else key).items()}


def _limit_training(table: pd.DataFrame, photos: int | None, seed: int) -> pd.DataFrame:
    """Keep at most `photos` training photos of the manifest, chosen at random, and all other rows."""
    training = table.index[table["split"] == "train"]
    if photos is None or photos >= len(training):
        return table
    left_out = np.random.default_rng(seed).permutation(training)[photos:]
    return table.drop(index=left_out)


def _check_enough_photos(table: pd.DataFrame, recipes: list[Recipe]) -> None:
    photos = int((table["split"] == "train").sum())
    configs = [recipe.patches for recipe in recipes]
    too_large = (c.batch_size for c in configs if c.batch_size > photos * c.patches_per_photo)
    batch = max(too_large, default=None)
    if batch is not None:
        raise InputError(
            f"{photos} training photos do not fill a batch of {batch} patches; add some, or give a smaller --batch"
        )
