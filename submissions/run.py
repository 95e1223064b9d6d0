"""A run's folder: what was asked, on what, with what; everything that a run makes lies below it.

runs/<name>/
    config.json          data, members, recipes, seed: a run is continued only with the same
    environment.json     versions, devices and git commit of its first start
    manifest.csv         every photograph, with its split
    validation.csv       what the validation scores are measured on
    notes.txt            what a reader of the scores must know
    members/<member>/    history.csv, model.keras
    predictions/<member>/validation.npz, test.npz; of other questions than the camera validation-<question>.npz
    scores.json, leaderboard.csv, submission.csv, and of settings settings_leaderboard.csv, settings_submission.csv
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from augment.manipulations import MANIPULATED, fits
from competition.manifest import describe_skipped, load_manifest, read_folder, write_manifest
from competition.splits import assign_validation, validation_images
from competition.utils.atomic_files import read_json, write_bytes, write_csv, write_json
from competition.utils.errors import InputError, unknown_name
from competition.utils.tables import read_text_table
from models.recipe import Recipe
from submissions.checks import check_photo_sizes, check_same_settings
from submissions.environment import environment
from submissions.tasks import CAMERA, Targets, Task
from submissions.tasks import told as label_notes

SIMULATED = "simulated photographs (the virtual competition)"


CAMERA_ONLY = Task()


@dataclass(frozen=True)
class Run:
    """A run: its folder, the data it was trained on, the recipe of every member, the seed, what is asked, and of how
    many photographs it learns at most (None: of all)."""

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
        """Columns path, camera, manipulation, split; every validation photograph unaltered and manipulated."""
        columns = ["path", "camera", "manipulation", "split"]
        return read_text_table(self.folder / "validation.csv", columns, "restore it, or delete the run")

    @property
    def note(self) -> str:
        return (self.folder / "notes.txt").read_text().strip().replace("\n", "; ")

    @property
    def targets(self) -> Targets:
        return Targets(self.task, self.manifest)

    @property
    def classes(self) -> tuple[str, ...]:
        """The cameras, sorted: the order of the outputs of every network that was asked for them."""
        return self.targets.cameras

    def member(self, name: str) -> Path:
        return self.folder / "members" / name

    def predictions(self, member: str, split: str, target: str = CAMERA) -> Path:
        name = split if target == CAMERA else f"{split}-{target}"
        return self.folder / "predictions" / member / f"{name}.npz"


def open_run(folder: Path) -> Run:
    """A run that exists. Raises `InputError` where there is none, naming the runs beside it."""
    if not (folder / "config.json").is_file():
        raise unknown_name("run", str(folder), sorted(p.parent.as_posix() for p in folder.parent.glob("*/config.json")))
    config = read_json(folder / "config.json")
    try:
        recipes = {member: _recipe(recipe) for member, recipe in config["recipes"].items()}
        task = config["task"]
        task = Task(**{**task, "order": tuple(task["order"])})
        return Run(folder, Path(config["data"]), recipes, int(config["seed"]), task, config["photos"])
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{folder / 'config.json'} is damaged ({error}); delete the run or restore the file") from None


def start_run(run: Run, jobs: int) -> list[str]:
    """Make the folder of a new run, or check that the one there was made with the same settings.

    Returns what the user should be told, lines that begin with `warning: ` or `note: `. Raises `InputError` for other
    settings, or for data that cannot be used; then nothing is left behind.
    """
    config = _config(run)
    if (run.folder / "config.json").exists():
        check_same_settings(run.folder, _flat(read_json(run.folder / "config.json")), _flat(config))
        return []
    table, skipped = read_folder(run.data, jobs)
    recipes = [stage for recipe in run.recipes.values() for stage in (recipe, recipe.stem) if stage]
    cut = [recipe for recipe in recipes if recipe.input == "patch"]  # the rest shows photographs of any size
    size = max((max(recipe.patch, recipe.test_patch) for recipe in cut), default=1)
    check_photo_sizes(table, size)
    table, shared = assign_validation(table, run.seed)
    table = _at_most(table, run.photos, run.seed)
    _check_enough_photos(table, recipes)
    told = label_notes(Targets(run.task, table))
    images = validation_images(
        table, MANIPULATED, lambda height, width, name: fits(height, width, name, size), run.seed
    )
    if len(cut) < len(recipes) or not all(recipe.manipulated for recipe in cut):
        images = images[~images["is_manipulated"]]
    notes = [SIMULATED] if (run.data / "virtual.json").exists() else []
    write_manifest(table, run.folder / "manifest.csv")
    write_csv(images.drop(columns="is_manipulated").assign(split="validation"), run.folder / "validation.csv")
    write_bytes("".join(f"{note}\n" for note in notes + shared).encode(), run.folder / "notes.txt")
    write_json(environment(), run.folder / "environment.json")
    write_json(config, run.folder / "config.json")  # last: with it the run exists
    return [*told, *([f"warning: {describe_skipped(skipped)}"] if skipped else [])]


def _recipe(settings: dict[str, Any]) -> Recipe:
    stem = settings.get("stem")
    return Recipe(**{**settings, "stem": _recipe(stem) if stem else None})


def _config(run: Run) -> dict[str, Any]:
    recipes = {member: asdict(recipe) for member, recipe in run.recipes.items()}
    task = {**asdict(run.task), "order": list(run.task.order)}  # as JSON gives it back
    return {
        "data": str(run.data.resolve()),
        "seed": run.seed,
        "photos": run.photos,
        "task": task,
        "recipes": recipes,
    }


def _flat(tree: Any, name: str = "") -> dict[str, Any]:
    if not isinstance(tree, dict):
        return {name: tree}
    return {k: v for key, branch in tree.items() for k, v in _flat(branch, f"{name}.{key}" if name else key).items()}


def _at_most(table: pd.DataFrame, photos: int | None, seed: int) -> pd.DataFrame:
    """The manifest with so many of its training photographs, drawn at random; everything else stays."""
    training = table.index[table["split"] == "train"]
    if photos is None or photos >= len(training):
        return table
    left_out = np.random.default_rng(seed).permutation(training)[photos:]
    return table.drop(index=left_out)


def _check_enough_photos(table: pd.DataFrame, recipes: list[Recipe]) -> None:
    photos = int((table["split"] == "train").sum())
    batch = max((recipe.batch for recipe in recipes if recipe.batch > photos * recipe.patches_per_photo), default=None)
    if batch is not None:
        raise InputError(
            f"{photos} training photographs do not fill a batch of {batch} patches; add some, or give a smaller --batch"
        )
