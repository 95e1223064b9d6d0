"""Train exif-language: a joint embedding of patches and EXIF text, from a folder of photos to two encoders.

After Zheng, Shrivastava and Owens, "EXIF as Language" (CVPR 2023).

runs/<name>/
    config.json        data, recipe and seed; a run only continues with the same configuration
    environment.json   versions, devices and git commit when the run was started
    manifest.csv       the photos with enough EXIF tags, with their split
    notes.txt          what a reader of the scores must know
    tokens.json        the vocabulary: tags, characters and common parts of texts
    history.csv        loss and recall after each epoch
    image.keras, text.keras
"""

from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from competition.manifest import describe_skipped, load_manifest, read_folder, write_manifest
from competition.metadata.exif_tags import read_tags
from competition.metadata.exif_text import (
    TextOptions,
    clean_tags,
    common_parts,
    common_tags,
    exif_text,
    has_enough_tags,
)
from competition.splits import assign_validation
from competition.utils.atomic_files import write_bytes, write_json
from competition.utils.errors import InputError
from competition.utils.parallel import parallel_map
from models.exif_language.recipe import DualEncoderRecipe, recipe_from_json
from models.exif_language.tokenizer import Tokenizer, load_tokenizer
from models.presets import EXIF_LANGUAGE
from submissions.environment import environment
from submissions.patch_sizes import check_photo_sizes
from submissions.run import SIMULATED
from submissions.run_config import FORMAT_VERSION, as_json, check_same_config, flatten, read_config

if TYPE_CHECKING:
    from models.exif_language.pairs import TrainingPairs, ValidationPairs

VOCABULARY = "tokens.json"
KIND = EXIF_LANGUAGE  # marks the config.json of these runs

Tags = dict[str, str]


@dataclass(frozen=True)
class ExifRun:
    """A finished run: its folder, the folder of its photos, its recipe and its seed."""

    folder: Path
    data: Path
    recipe: DualEncoderRecipe
    seed: int

    @property
    def manifest(self) -> pd.DataFrame:
        """The photos used, with their split."""
        return load_manifest(self.folder / "manifest.csv")

    @property
    def notes(self) -> list[str]:
        """What a reader of the scores must know."""
        return (self.folder / "notes.txt").read_text().splitlines()

    @property
    def image(self) -> Path:
        """The file of the image encoder."""
        return self.folder / "image.keras"


def open_exif_language(folder: Path) -> ExifRun:
    """Open a finished run. Raises `InputError` if it does not exist, is of another kind, damaged or unfinished."""
    run = read_exif_run(folder)
    if not run.image.is_file():
        raise InputError(f"the run {folder} is not finished: it has no {run.image.name}; repeat its train command")
    return run


def read_exif_run(folder: Path) -> ExifRun:
    """Read the configuration of a run. Raises `InputError` if it does not exist, is of another kind or damaged."""
    config = read_config(folder)
    if config.get("kind") != KIND:
        raise InputError(f"{folder} is not an {KIND} run; pass a folder made by `train {KIND}`")
    try:
        return ExifRun(folder, Path(config["data"]), recipe_from_json(config["recipe"]), int(config["seed"]))
    except (KeyError, TypeError) as error:
        raise InputError(f"{folder / 'config.json'} is damaged ({error}); delete the run or restore the file") from None


def train_exif_language(
    folder: Path, data: Path, recipe: DualEncoderRecipe, seed: int = 0, jobs: int = 1
) -> pd.DataFrame:
    """Train the run in `folder` on the photos of `data`, or resume it; returns its history.

    Args:
        folder: of the run.
        data: a folder that `competition.manifest.read_folder` can read.
        recipe: see `models.presets.dual_encoder_recipe`.
        seed: of the split, the patches, the texts and the initial weights.
        jobs: number of processes that read headers and tags.

    Raises:
        InputError: the data cannot be used, or the existing run has another configuration.
    """
    start_exif_run(folder, data, recipe, seed, jobs)
    table, tokenizer = load_manifest(folder / "manifest.csv"), load_tokenizer(folder / VOCABULARY)
    tags = read_cleaned_tags(table, data, jobs)

    import keras

    from models.exif_language.dual_encoder import DualEncoder
    from models.exif_language.encoders import image_encoder, text_encoder
    from models.exif_language.fit import train_dual_encoder

    training, validation = make_pairs(table, tags, data, tokenizer, recipe, seed)
    keras.utils.set_random_seed(seed)
    weights = None if recipe.weights == "none" else recipe.weights
    image = image_encoder(recipe.member, recipe.width, weights)
    text = text_encoder(tokenizer.size, training.length, recipe.width, recipe.blocks, recipe.heads, recipe.inner)
    model = DualEncoder(image, text, recipe.scale, recipe.learn_scale)
    return train_dual_encoder(model, recipe, training, validation, folder)


def start_exif_run(folder: Path, data: Path, recipe: DualEncoderRecipe, seed: int, jobs: int) -> None:
    """Create the folder of a new run, or check that the existing one has the same configuration.

    Prints a note on the photos that are not used.

    Raises:
        InputError: the existing run has another configuration, or the data cannot be used. Nothing is written then.
    """
    config = as_json(
        {
            "format_version": FORMAT_VERSION,
            "kind": KIND,
            "data": str(data.resolve()),
            "seed": seed,
            "recipe": asdict(recipe),
        }
    )
    if (folder / "config.json").exists():
        existing = read_config(folder)
        if existing.get("kind") != KIND:
            raise InputError(f"{folder} is not an {KIND} run; choose another --run NAME")
        check_same_config(folder, flatten(existing), flatten(config))
        return
    table, skipped = read_folder(data, jobs)
    check_photo_sizes(table[table["split"] != "test"], recipe.test_patch)
    table, split_notes = assign_validation(table[table["split"] != "test"], seed)
    tags = read_cleaned_tags(table, data, jobs)
    vocabulary = common_tags((tags[path] for path in table.loc[table["split"] == "train", "path"]), recipe.share)
    used = table["path"].map(lambda path: has_enough_tags(tags[path], vocabulary, recipe.more_than))
    _check_enough_photos(table[used], recipe, vocabulary)
    notes = [SIMULATED] if (data / "virtual.json").exists() else []
    if not used.all():
        notes.append(
            f"{int((~used).sum())} of {len(table)} photos are not used: "
            f"they have {recipe.more_than} or fewer of the {len(vocabulary)} tags of the vocabulary"
        )
    for note in [*([describe_skipped(skipped)] if skipped else []), *notes]:
        print(f"note: {note}")
    write_manifest(table[used], folder / "manifest.csv")
    plain = TextOptions(names=recipe.names)
    texts = [exif_text(tags[path], vocabulary, plain) for path in table.loc[used & (table["split"] == "train"), "path"]]
    Tokenizer(vocabulary, parts=common_parts(texts)).save(folder / VOCABULARY)
    write_bytes("".join(f"{note}\n" for note in notes + split_notes).encode(), folder / "notes.txt")
    write_json(environment(), folder / "environment.json")
    write_json(config, folder / "config.json")  # last: a folder with this file is a run


def read_cleaned_tags(table: pd.DataFrame, data: Path, jobs: int) -> dict[str, Tags]:
    """Read the cleaned EXIF tags of the photos of a manifest, by path."""
    return dict(
        zip(table["path"], parallel_map(partial(_read_cleaned, data), list(table["path"]), jobs, "tags"), strict=True)
    )


def make_pairs(
    table: pd.DataFrame, tags: dict[str, Tags], data: Path, tokenizer: Tokenizer, recipe: DualEncoderRecipe, seed: int
) -> "tuple[TrainingPairs, ValidationPairs]":
    """Pairs of patches and texts for training, and for measuring recall.

    The number of tokens is that of the longest training text, at most `recipe.length`. Validation has the center patch
    and the complete text of each photo, with the tags in the fixed order, or in file order if training uses that.
    """
    from augment.loaders import EvaluationPatches, TrainingPatches
    from models.exif_language.pairs import PHOTO, TrainingPairs, ValidationPairs

    train, validate = (table[table["split"] == split] for split in ("train", "validation"))
    plain = TextOptions("file" if recipe.order == "file" else "fixed", recipe.names)
    texts = {path: exif_text(tags[path], tokenizer.tags, plain) for path in table["path"]}
    length = min(recipe.length, tokenizer.encode([texts[path] for path in train["path"]]).shape[1])
    config = replace(recipe.patches, seed=seed)
    cameras = pd.factorize(train["camera"])[0]
    random = TrainingPatches(train, data, {PHOTO: np.arange(len(train))}, config, groups=cameras)
    of_photos = [tags[path] for path in train["path"]]
    training = TrainingPairs(random, of_photos, tokenizer, recipe.options, length, recipe.recompressed, recipe.halves)
    centered = replace(recipe.patches, size=recipe.test_patch, batch_size=recipe.micro_batch)
    centers = EvaluationPatches(validate, data, {}, centered, keep=True)
    tokens = tokenizer.encode([texts[path] for path in validate["path"]], length)
    return training, ValidationPairs(centers, tokens)


def _read_cleaned(data: Path, path: str) -> Tags:
    return clean_tags(read_tags(data / path))


def _check_enough_photos(table: pd.DataFrame, recipe: DualEncoderRecipe, vocabulary: tuple[str, ...]) -> None:
    counts = table["split"].value_counts()
    train, validate = int(counts.get("train", 0)), int(counts.get("validation", 0))
    batch = recipe.patches.batch_size
    if train * recipe.patches.patches_per_photo < batch or train < 2 or validate < 2:
        raise InputError(
            f"{train} training and {validate} validation photos have more than {recipe.more_than} of the "
            f"{len(vocabulary)} common EXIF tags; expected at least 2 of each, and a batch of {batch} patches; "
            "use photos with more EXIF, or a smaller --batch"
        )
