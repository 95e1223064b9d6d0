"""A joint embedding of patches and EXIF text, from a folder of photographs to two encoders.

After Zheng, Shrivastava and Owens, "EXIF as Language" (CVPR 2023).

runs/<name>/
    config.json        data, recipe, seed: a run is continued only with the same
    environment.json   versions, devices and git commit of its first start
    manifest.csv       the photographs that take part, with their split
    notes.txt          what a reader of the recall must know
    tokens.json        the tags that are told, and the characters
    history.csv        loss and recall after each epoch
    image.keras, text.keras
"""

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from augment.loaders import EvaluationPatches, TrainingPatches
from augment.patches import PatchConfig
from competition.manifest import describe_skipped, load_manifest, read_folder, write_manifest
from competition.metadata.exif_tags import read_tags
from competition.metadata.exif_text import TextOptions, clean_tags, common_tags, exif_text, takes_part
from competition.splits import assign_validation
from competition.utils.atomic_files import read_json, write_bytes, write_json
from competition.utils.errors import InputError, unknown_name
from competition.utils.parallel import parallel_map
from models.exif_language.pairs import PHOTOGRAPH, TrainingPairs, ValidationPairs
from models.exif_language.tokenizer import Tokenizer, load_tokenizer
from models.presets.exif_language import ContrastRecipe, contrast_recipe
from submissions.environment import environment
from submissions.run import SIMULATED, check_photo_sizes, check_same_config

VOCABULARY = "tokens.json"
RECOMPRESSIONS = ("jpeg70", "jpeg90")
KIND = "exif-language"  # in config.json: tells this run from one of cameras

Tags = dict[str, str]


@dataclass(frozen=True)
class ExifRun:
    """A finished run: its folder, the data it was trained on, its recipe and its seed."""

    folder: Path
    data: Path
    recipe: ContrastRecipe
    seed: int

    @property
    def manifest(self) -> pd.DataFrame:
        """The photographs that take part, with their split."""
        return load_manifest(self.folder / "manifest.csv")

    @property
    def notes(self) -> list[str]:
        """What a reader of its scores must know."""
        return (self.folder / "notes.txt").read_text().splitlines()

    @property
    def image(self) -> Path:
        """The file of its image encoder."""
        return self.folder / "image.keras"


def open_exif_language(folder: Path) -> ExifRun:
    """A run that is finished. Raises `InputError` where there is none, it is of another kind, damaged or unfinished."""
    if not (folder / "config.json").is_file():
        raise unknown_name("run", str(folder), sorted(p.parent.as_posix() for p in folder.parent.glob("*/config.json")))
    config = read_json(folder / "config.json")
    if not isinstance(config, dict) or config.get("kind") != KIND:
        raise InputError(f"the run {folder} is none of {KIND}; give one that `train {KIND}` made")
    try:
        run = ExifRun(folder, Path(config["data"]), ContrastRecipe(**config["recipe"]), int(config["seed"]))
    except (KeyError, TypeError) as error:
        raise InputError(f"{folder / 'config.json'} is damaged ({error}); delete the run or restore the file") from None
    if not run.image.is_file():
        raise InputError(f"the run {folder} is not finished: it has no {run.image.name}; give its train command again")
    return run


def train_exif_language(
    folder: Path, data: Path, preset: str, backbone: str | None = None, seed: int = 0, jobs: int = 1, **changes: Any
) -> pd.DataFrame:
    """Train the run `folder` on the photographs of `data`, or go on where it stopped; return its history.

    Args:
        data: a folder that `competition.manifest.read_folder` can read.
        preset, backbone: see `models.presets.exif_language.contrast_recipe`; None for the preset's backbone.
        seed: of the split, the patches, the texts and the first weights.
        jobs: processes that read headers and tags.
        changes: values of the recipe other than the preset's; None changes nothing.

    Raises:
        InputError: data that cannot be used, a run of other settings, or what `models.exif_language.fit` refuses.
    """
    recipe = contrast_recipe(preset, backbone, **changes)
    start(folder, data, recipe, seed, jobs)
    table, tokenizer = load_manifest(folder / "manifest.csv"), load_tokenizer(folder / VOCABULARY)
    tags = cleaned_tags(table, data, jobs)

    import keras

    from models.exif_language.dual_encoder import Joint
    from models.exif_language.encoders import image_encoder
    from models.exif_language.fit import train_joint
    from models.exif_language.text_encoder import text_encoder

    training, validation = pairs(table, tags, data, tokenizer, recipe, seed)
    keras.utils.set_random_seed(seed)
    weights = None if recipe.weights == "none" else recipe.weights
    image = image_encoder(recipe.member, recipe.width, weights)
    text = text_encoder(tokenizer.size, training.length, recipe.width, recipe.blocks, recipe.heads, recipe.inner)
    joint = Joint(image, text, recipe.scale, recipe.learned)
    return train_joint(joint, recipe, training, validation, folder)


def start(folder: Path, data: Path, recipe: ContrastRecipe, seed: int, jobs: int) -> None:
    """Make the folder of a new run, or check that the one there has the same settings; says what is left out.

    Raises `InputError` for other settings and for data that cannot be used; then nothing is left behind.
    """
    config = {"kind": KIND, "data": str(data.resolve()), "seed": seed, "recipe": asdict(recipe)}
    if (folder / "config.json").exists():
        found = _settings(folder, read_json(folder / "config.json"))
        check_same_config(folder, found, _settings(folder, config))
        return
    table, skipped = read_folder(data, jobs)
    check_photo_sizes(table[table["split"] != "test"], recipe.patch)
    table, shared = assign_validation(table[table["split"] != "test"], seed)
    tags = cleaned_tags(table, data, jobs)
    kept = common_tags((tags[path] for path in table.loc[table["split"] == "train", "path"]), recipe.share)
    told = table["path"].map(lambda path: takes_part(tags[path], kept, recipe.more_than))
    _check_enough_photos(table[told], recipe, kept)
    notes = [SIMULATED] if (data / "virtual.json").exists() else []
    if not told.all():
        notes.append(
            f"{int((~told).sum())} of {len(table)} photographs take no part: "
            f"they have {recipe.more_than} or fewer of the {len(kept)} tags that are told"
        )
    for note in [*([describe_skipped(skipped)] if skipped else []), *notes]:
        print(f"note: {note}")
    write_manifest(table[told], folder / "manifest.csv")
    Tokenizer(kept).save(folder / VOCABULARY)
    write_bytes("".join(f"{note}\n" for note in notes + shared).encode(), folder / "notes.txt")
    write_json(environment(), folder / "environment.json")
    write_json(config, folder / "config.json")  # last: with it the run exists


def cleaned_tags(table: pd.DataFrame, data: Path, jobs: int) -> dict[str, Tags]:
    """The cleaned EXIF tags of a manifest's photographs, by path."""
    return dict(
        zip(table["path"], parallel_map(partial(_cleaned, data), list(table["path"]), jobs, "tags"), strict=True)
    )


def pairs(
    table: pd.DataFrame, tags: dict[str, Tags], data: Path, tokenizer: Tokenizer, recipe: ContrastRecipe, seed: int
) -> tuple[TrainingPairs, ValidationPairs]:
    """What is trained on and what recall is measured on.

    Texts are as long as the longest of training, at most `recipe.length` tokens. Validation has one patch of each
    photograph, its center, and its whole text in the fixed order, or in the file's where training has that.
    """
    train, validate = (table[table["split"] == split] for split in ("train", "validation"))
    plain = TextOptions("file" if recipe.order == "file" else "fixed", recipe.names)
    texts = {path: exif_text(tags[path], tokenizer.tags, plain) for path in table["path"]}
    length = min(recipe.length, tokenizer.encode([texts[path] for path in train["path"]]).shape[1])
    config = PatchConfig(
        recipe.training_patch,
        recipe.batch,
        recipe.patches_per_photo,
        seed,
        dihedral=recipe.dihedral,
        manipulated_share=recipe.recompressed,
        manipulations=RECOMPRESSIONS,
    )
    random = TrainingPatches(train, data, {PHOTOGRAPH: np.arange(len(train))}, config)
    training = TrainingPairs(random, [tags[path] for path in train["path"]], tokenizer, recipe.options, length)
    centers = EvaluationPatches(validate, data, {}, PatchConfig(recipe.patch, recipe.micro_batch))
    tokens = tokenizer.encode([texts[path] for path in validate["path"]], length)
    return training, ValidationPairs(centers, tokens)


def _cleaned(data: Path, path: str) -> Tags:
    return clean_tags(read_tags(data / path))


def _check_enough_photos(table: pd.DataFrame, recipe: ContrastRecipe, kept: tuple[str, ...]) -> None:
    counts = table["split"].value_counts()
    train, validate = int(counts.get("train", 0)), int(counts.get("validation", 0))
    if train * recipe.patches_per_photo < recipe.batch or train < 2 or validate < 2:
        raise InputError(
            f"{train} training and {validate} validation photographs have more than {recipe.more_than} of the "
            f"{len(kept)} common EXIF tags, which gives no batch of {recipe.batch} or nothing to retrieve from; "
            "use photographs with more EXIF, or a smaller --batch"
        )


def _settings(folder: Path, config: Any) -> dict[str, Any]:
    """A run's settings, those of its recipe beside the others; `InputError` for a run of another kind."""
    if not isinstance(config, dict) or config.get("kind") != KIND:
        raise InputError(f"the run {folder} is none of {KIND}; choose another --run NAME")
    return {key: value for key, value in (config | config.get("recipe", {})).items() if key != "recipe"}
