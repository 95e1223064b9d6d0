"""Training exif-language makes two encoders from a folder of photos, and leaks no private tag."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from PIL.ExifTags import IFD, Base

from augment.decode import read_pixels
from competition.manifest import load_manifest
from competition.utils.atomic_files import read_json
from competition.utils.errors import InputError
from models.exif_language.tokenizer import load_tokenizer
from models.presets import dual_encoder_recipe
from models.saved import load_model
from submissions.exif_language import make_pairs, read_cleaned_tags, train_exif_language

CHANGES: dict[str, Any] = {"patch": 24, "batch": 6, "epochs": 2, "patches_per_photo": 2, "halves": False}
CAMERAS = ("ant", "bee")


def exif(camera: str, number: int) -> Image.Exif:
    made = Image.Exif()
    made.update({Base.Make: camera, Base.Model: f"M-{camera}", Base.Orientation: 1, Base.Software: "1.0"})
    made.update({Base.Artist: "Nobody", Base.XResolution: 72.5, Base.YResolution: 72.5, Base.ResolutionUnit: 2})
    inner: dict[int, Any] = {Base.FNumber: 2.8, Base.ISOSpeedRatings: 100 * (1 + number % 3), Base.ExposureTime: 0.02}
    inner |= {Base.FocalLength: 35.0, Base.Flash: 0, Base.MeteringMode: 2, Base.BodySerialNumber: "SECRET"}
    made[IFD.Exif] = inner
    return made


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """Twelve photos with EXIF, and one without."""
    folder = tmp_path_factory.mktemp("data") / "photos"
    for camera in CAMERAS:
        (folder / "train" / camera).mkdir(parents=True)
        for number in range(6):
            rng = np.random.default_rng((len(camera), number))
            image = Image.fromarray(rng.integers(0, 256, (40, 48, 3), dtype=np.uint8))
            image.save(folder / "train" / camera / f"{number}.jpg", exif=exif(camera, number))
    Image.new("RGB", (48, 40)).save(folder / "train" / "ant" / "00.png")
    return folder


@pytest.fixture(scope="module")
def run(photos, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "one"
    train_exif_language(folder, photos, dual_encoder_recipe("smoke", **CHANGES), seed=3)
    return folder


def test_finished_run_has_all_files_and_working_encoders(run, photos):
    texts = ["config.json", "environment.json", "history.csv", "manifest.csv", "notes.txt", "tokens.json"]
    assert {path.name for path in run.iterdir()} == {*texts, "image.keras", "text.keras"}
    history = pd.read_csv(run / "history.csv")
    assert len(history) == 2 and history.notna().all(axis=None)
    config = read_json(run / "config.json")
    assert config["kind"] == "exif-language" and config["recipe"]["test_patch"] == 24 and config["seed"] == 3
    patch = read_pixels(photos / "train" / "ant" / "0.jpg")[None, :24, :24]
    embedded = np.asarray(load_model(run / "image.keras")(patch))
    tokens = load_tokenizer(run / "tokens.json").encode(["Make: ant"], load_model(run / "text.keras").input.shape[1])
    assert embedded.shape == np.asarray(load_model(run / "text.keras")(tokens)).shape == (1, 16)


def test_photos_without_exif_are_not_used_and_noted(run):
    assert len(load_manifest(run / "manifest.csv")) == 12
    assert "1 of 13 photos are not used" in (run / "notes.txt").read_text()


def test_private_tags_are_in_no_vocabulary_and_no_text(run, photos):
    tokenizer = load_tokenizer(run / "tokens.json")
    assert "FNumber" in tokenizer.tags and not {"Artist", "BodySerialNumber"} & set(tokenizer.tags)
    training, _ = made_pairs(run, photos)
    texts = tokenizer.decode(training.batch(0, 0)[1])
    assert all("Make: " in text and "SECRET" not in text and "Nobody" not in text for text in texts)


def made_pairs(run, photos, **changes):
    table = load_manifest(run / "manifest.csv")
    recipe = dual_encoder_recipe("smoke", **CHANGES | changes)
    return make_pairs(
        table, read_cleaned_tags(table, photos, 1), photos, load_tokenizer(run / "tokens.json"), recipe, 3
    )


def test_crops_are_cut_into_quarters_in_half_of_the_batches(run, photos):
    halves, _ = made_pairs(run, photos, halves=True, recompressed=0.0)
    whole, _ = made_pairs(run, photos, halves=False, recompressed=0.0)
    quartered = 0
    for index in range(8):
        patches, tokens, rows = halves.batch(index, 0)
        crops, _, _ = whole.batch(index, 0)
        assert len(tokens) == len(crops) and len(patches) == len(rows)
        if len(patches) > len(crops):
            quartered += 1
            np.testing.assert_array_equal(
                patches[4:8], [crops[1, r : r + 12, c : c + 12] for r in (0, 12) for c in (0, 12)]
            )
            np.testing.assert_array_equal(rows[::4], rows[3::4])
    assert 0 < quartered < 8


def test_patches_of_a_crop_share_its_recompression(run, photos):
    plain, _ = made_pairs(run, photos, halves=False, recompressed=0.0)
    recompressed, _ = made_pairs(run, photos, halves=False, recompressed=0.5)
    changed = [
        (one != two).any(axis=(1, 2, 3))
        for epoch in range(4)
        for one, two in [(plain.batch(epoch, 0)[0], recompressed.batch(epoch, 0)[0])]
    ]
    assert 0.2 < np.mean(changed) < 0.8


@pytest.mark.parametrize("changes", [{}, {"order": "shuffled", "drop": 0.3}])
def test_patches_are_paired_with_the_text_of_their_photo(run, photos, changes):
    training, validation = made_pairs(run, photos, **changes)
    patches, tokens, rows = training.batch(1, 2)
    assert patches.shape == (6, 24, 24, 3) and patches.dtype == np.uint8 and tokens.dtype == np.int32
    for text, row in zip(training.tokenizer.decode(tokens), rows, strict=True):
        shown = dict(part.split(": ") for part in text.split(", "))
        assert shown.items() <= training.tags[row].items()
    for one, two in zip(training.batch(1, 2), (patches, tokens, rows), strict=True):
        np.testing.assert_array_equal(one, two)
    assert len(np.concatenate([tokens for _, tokens in validation.batches()])) == len(validation.tokens)


def test_order_and_drop_change_texts(run, photos):
    fixed, _ = made_pairs(run, photos)
    shuffled, _ = made_pairs(run, photos, order="shuffled")
    dropped, _ = made_pairs(run, photos, drop=0.5)
    texts = [pairs.tokenizer.decode(pairs.batch(0, 0)[1]) for pairs in (fixed, shuffled, dropped)]
    assert texts[0] != texts[1] and [sorted(t.split(", ")) for t in texts[0]] == [
        sorted(t.split(", ")) for t in texts[1]
    ]
    assert sum(map(len, texts[2])) < 0.8 * sum(map(len, texts[0]))


def test_run_resumes_only_with_the_same_configuration(run, photos):
    assert len(train_exif_language(run, photos, dual_encoder_recipe("smoke", **CHANGES), seed=3)) == 2
    with pytest.raises(InputError, match=r"seed 3 \(now 4\)"):
        train_exif_language(run, photos, dual_encoder_recipe("smoke", **CHANGES), seed=4)
    with pytest.raises(InputError, match=r"patch 24 \(now 32\)"):
        train_exif_language(run, photos, dual_encoder_recipe("smoke", **CHANGES | {"patch": 32}), seed=3)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"patch": 64}, "smaller than a patch of 64"),
        ({"batch": 600}, "smaller --batch"),
        ({"more_than": 30}, "more EXIF"),
        ({"batch": 1}, "at least 2"),
        ({"order": "odd"}, "unknown tag order"),
        ({"inner": 15, "heads": 2}, "multiple of the 2 heads"),
    ],
)
def test_unusable_data_or_recipe_raises_before_anything_is_written(photos, tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        train_exif_language(tmp_path / "run", photos, dual_encoder_recipe("smoke", **CHANGES | changes))
    assert not (tmp_path / "run").exists()
