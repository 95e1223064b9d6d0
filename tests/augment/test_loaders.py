"""Batches are functions of (seed, epoch, index), in any order of access, and also inside `fit`."""

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.stats import chisquare

from augment.decode import read_pixels
from augment.loaders import EvaluationPatches, TrainingPatches, reraise_input_errors
from augment.manipulations import NAMES, cut_test_patch
from augment.patches import PatchConfig, make_patch
from augment.prefetch import prefetch
from augment.squash import squash
from competition.manipulation import MANIPULATIONS
from competition.utils.errors import InputError

CONFIG = PatchConfig(size=16, batch_size=4, patches_per_photo=2, seed=3)
SQUASHED = PatchConfig(size=40, batch_size=4, seed=3, dihedral=False, input="squash", padding=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for number in range(7):
        Image.fromarray(rng.integers(0, 256, (64, 72, 3), np.uint8)).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def table():
    return pd.DataFrame(
        {
            "path": [f"{number}.png" for number in range(7)],
            "width": 72,
            "height": 64,
            "manipulation": "unaltered",
            "split": "train",
        }
    )


def training(table, folder, config=CONFIG, **options):
    return TrainingPatches(table, folder, {"camera": np.arange(len(table), dtype=np.int32)}, config, **options)


def as_bytes(batch):
    inputs, targets, weights = batch
    arrays = (inputs["patch"], inputs["is_manipulated"], targets["camera"], weights["camera"])
    return tuple(array.tobytes() for array in arrays)


def test_batch_has_the_shapes_and_dtypes_of_the_model_inputs(table, folder):
    patches = training(table, folder)
    assert len(patches) == 14 // 4
    inputs, targets, _ = patches[0]
    assert inputs["patch"].shape == (4, 16, 16, 3)
    assert inputs["patch"].dtype == np.uint8
    assert inputs["is_manipulated"].shape == (4, 1)
    assert inputs["is_manipulated"].dtype == np.float32
    assert targets["camera"].shape == (4,)
    assert targets["camera"].dtype == np.int32


def test_all_targets_belong_to_the_same_photos(table, folder):
    targets = {"camera": np.arange(7), "iso": np.arange(7) * 100}
    _, batch, _ = TrainingPatches(table, folder, targets, CONFIG)[1]
    assert (batch["iso"] == batch["camera"] * 100).all()


def test_batches_do_not_depend_on_the_order_of_access(table, folder):
    first, second = training(table, folder), training(table, folder)
    forwards = [as_bytes(first.batch(epoch, index)) for epoch in range(3) for index in range(3)]
    backwards = [as_bytes(second.batch(epoch, index)) for epoch in (2, 1, 0) for index in (2, 1, 0)]
    assert forwards == backwards[::-1]
    assert len(set(forwards)) == 9


def test_batches_depend_on_the_seed(table, folder):
    assert as_bytes(training(table, folder)[0]) != as_bytes(training(table, folder, replace(CONFIG, seed=4))[0])


@pytest.mark.parametrize("name", MANIPULATIONS)
def test_every_manipulation_reaches_the_batches(table, folder, name):
    config = replace(CONFIG, manipulated_share=1.0, manipulations=(name,))
    inputs, targets, _ = training(table, folder, config).batch(1, 2)
    assert (inputs["is_manipulated"] == 1).all()
    for position, (patch, photo) in enumerate(zip(inputs["patch"], targets["camera"], strict=True)):
        expected, _ = make_patch(read_pixels(folder / f"{photo}.png"), config, 1, 2 * 4 + position)
        np.testing.assert_array_equal(patch, expected)


def test_small_cache_changes_only_the_order(table, folder):
    config = replace(CONFIG, cache_bytes=4 * 72 * 64 * 3, batch_size=14)
    _, targets, _ = training(table, folder, config)[0]
    assert Counter(targets["camera"].tolist()) == dict.fromkeys(range(7), 2)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("start_epoch", [0, 2])
def test_fit_receives_the_batches_of_each_epoch_in_order(table, folder, workers, start_epoch):
    """The model records its inputs; they are compared with batches computed directly."""
    config = replace(CONFIG, patches_per_photo=4)
    patches = training(table, folder, config, workers=workers)
    patches.epoch = start_epoch
    seen = []

    class Recording(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, inputs):
            return {"camera": self.dense(inputs["is_manipulated"])}

        def train_step(self, data):
            seen.append(tuple(np.asarray(x).tobytes() for part in data for x in part.values()))
            return {"loss": 0.0}

    model = Recording()
    model.compile("sgd", "mse", run_eagerly=True)
    validation = EvaluationPatches(table, folder, {"camera": np.arange(7)}, CONFIG, workers=workers)
    epochs = range(start_epoch, start_epoch + 3)
    model.fit(
        patches,
        epochs=epochs.stop,
        initial_epoch=epochs.start,
        shuffle=False,
        verbose=0,
        validation_data=validation,
    )
    fresh = training(table, folder, config)
    assert seen == [as_bytes(fresh.batch(epoch, index)) for epoch in epochs for index in range(len(fresh))]
    assert patches.epoch == epochs.stop


def test_evaluation_patches_are_cut_as_the_test_set_was(table, folder):
    rows = table.iloc[[0] * len(NAMES)].assign(manipulation=NAMES, split="validation")
    tests = table.iloc[1:3].assign(manipulation=["manipulated", "unaltered"], split="test")
    rows = pd.concat([rows, tests], ignore_index=True)
    evaluation = EvaluationPatches(rows, folder, {"camera": np.arange(11)}, CONFIG)
    assert len(evaluation) == 3
    batches = [evaluation[index] for index in range(3)]
    patches = np.concatenate([inputs["patch"] for inputs, *_ in batches])
    flags = np.concatenate([inputs["is_manipulated"] for inputs, *_ in batches])[:, 0]
    assert patches.dtype == np.uint8
    assert flags.tolist() == [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]
    photo = read_pixels(folder / "0.png")
    for patch, name in zip(patches, NAMES, strict=False):
        assert (patch == cut_test_patch(photo, name, 16)).all()
    for patch, name in zip(patches[9:], ("1.png", "2.png"), strict=True):
        assert (patch == read_pixels(folder / name)[24:40, 28:44]).all()
    assert np.concatenate([targets["camera"] for _, targets, _ in batches]).tolist() == list(range(11))


def test_photos_that_are_too_small_are_named_before_training_starts(table, folder):
    table = table.assign(height=[64, 15, 64, 15, 64, 64, 64])
    with pytest.raises(InputError, match=r"2 photos are smaller than a patch of 16 px, the first is 1\.png"):
        training(table, folder)
    evaluation = EvaluationPatches(table, folder, {}, PatchConfig(65, 4))
    with pytest.raises(InputError, match=r"0\.png: .*72 x 64 px is too small"):
        evaluation[0]


def test_photos_that_do_not_fill_a_batch_are_rejected(table, folder):
    with pytest.raises(InputError, match="1 photos with 2 patches per photo do not fill a batch of 4"):
        training(table.iloc[:1], folder)


def test_wrapped_input_error_is_raised_itself(table, folder):
    evaluation = EvaluationPatches(table, folder, {}, PatchConfig(65, 4))
    with pytest.raises(InputError, match=r"0\.png") as raised, reraise_input_errors(evaluation):
        try:
            evaluation[0]
        except InputError as error:
            raise RuntimeError("what a framework makes of it") from error
    assert isinstance(raised.value.__cause__, RuntimeError)


def test_other_exceptions_pass_unchanged(table, folder):
    with pytest.raises(RuntimeError, match="unrelated"), reraise_input_errors(training(table, folder)):
        raise RuntimeError("unrelated")


def test_balanced_batches_are_uniform_over_cells(table, folder):
    """Six photos are in one cell and one in another, so that one occurs as often as the six."""
    config = replace(CONFIG, patches_per_photo=40, batch_size=35)
    patches = training(table, folder, config, cells=np.array([1, 1, 1, 5, 1, 1, 1]))
    assert len(patches) == 8
    shown = np.concatenate([patches[index][1]["camera"] for index in range(len(patches))])
    assert chisquare(np.bincount(shown == 3)).pvalue > 0.01


def test_unknown_labels_become_class_0_with_weight_0(table, folder):
    iso = np.array([2, -1, 0, 1, -1, 2, -1])
    targets = {"camera": np.arange(7), "iso": iso}
    config = replace(CONFIG, batch_size=7)
    for patches in (TrainingPatches(table, folder, targets, config), EvaluationPatches(table, folder, targets, config)):
        _, labels, weights = patches[0]
        expected = iso[labels["camera"]]
        assert labels["iso"].tolist() == np.maximum(expected, 0).tolist()
        assert weights["iso"].tolist() == (expected >= 0).astype(float).tolist()
        assert weights["camera"].tolist() == [1] * 7
        assert {weight.dtype for weight in weights.values()} == {np.dtype(np.float32)}


def test_class_weights_multiply_the_head_weight(table, folder):
    iso = np.array([0, 0, 0, 0, 1, 3, -1], np.int32)
    of_class = np.array([0.5, 2, 0, 2, 0], np.float32)
    patches = TrainingPatches(
        table,
        folder,
        {"row": np.arange(7), "iso": iso},
        CONFIG,
        head_weights=lambda epoch: {"iso": 0.5},
        class_weights={"iso": of_class},
    )
    _, targets, weights = patches.batch(0, 0)
    drawn = iso[targets["row"]]
    np.testing.assert_allclose(weights["iso"], np.where(drawn < 0, 0, 0.5 * of_class[drawn]))
    assert (weights["row"] == 1).all()


def test_head_weights_follow_the_epoch(table, folder):
    targets = {"camera": np.arange(7), "iso": np.array([2, -1, 0, 1, -1, 2, -1])}
    patches = TrainingPatches(table, folder, targets, CONFIG, head_weights=lambda epoch: {"iso": epoch / 4})
    for epoch in range(3):
        _, labels, weights = patches.batch(epoch, 1)
        known = targets["iso"][labels["camera"]] >= 0
        assert weights["iso"].tolist() == (known * epoch / 4).tolist()
        assert weights["camera"].tolist() == [1] * 4


def test_squashed_batches_show_whole_unaltered_photos(table, folder):
    patches = training(table.assign(width=20, height=10), folder, SQUASHED)  # no photo is too small
    inputs, targets, _ = patches[0]
    assert inputs["patch"].shape == (4, 40, 40, 3)
    assert (inputs["is_manipulated"] == 0).all()
    for patch, photo in zip(inputs["patch"], targets["camera"], strict=True):
        np.testing.assert_array_equal(patch, squash(read_pixels(folder / f"{photo}.png"), 40, 4))
    assert as_bytes(patches.batch(1, 0)) == as_bytes(training(table, folder, SQUASHED).batch(1, 0))


def test_evaluation_squashes_photos_and_test_images_alike(table, folder):
    rows = table.assign(split=["validation", "test"] * 3 + ["test"])
    evaluation = EvaluationPatches(rows, folder, {}, SQUASHED)
    shown = np.concatenate([evaluation[index][0]["patch"] for index in range(len(evaluation))])
    for number, patch in enumerate(shown):
        np.testing.assert_array_equal(patch, squash(read_pixels(folder / f"{number}.png"), 40, 4))


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Forty photos by two cameras in turn: a folder and its manifest."""
    folder = tmp_path_factory.mktemp("many")
    rng = np.random.default_rng(0)
    for number in range(40):
        Image.fromarray(rng.integers(0, 256, (24, 24, 3), np.uint8)).save(folder / f"{number}.png")
    paths = [f"{number}.png" for number in range(40)]
    table = pd.DataFrame({"path": paths, "width": 24, "height": 24, "manipulation": "unaltered", "split": "train"})
    return folder, table


def camera_of(rows):
    return np.asarray(rows) % 2


def by_two_cameras(many, **options):
    folder, table = many
    return TrainingPatches(table, folder, {"camera": camera_of(np.arange(40))}, CONFIG, **options)


def test_patches_of_a_photo_that_vanished_come_from_another_one_of_its_camera(many, tmp_path, capsys):
    whole = by_two_cameras(many)
    expected = [as_bytes(whole.batch(0, index)) for index in range(len(whole))]
    folder = tmp_path / "photos"
    shutil.copytree(many[0], folder)
    (folder / "6.png").unlink()
    data = (folder / "9.png").read_bytes()
    (folder / "9.png").write_bytes(data[:900] + bytes(50) + data[950:])
    patches, again = by_two_cameras((folder, many[1])), by_two_cameras((folder, many[1]))
    batches = [patches.batch(0, index) for index in range(len(patches))]
    affected = np.isin(whole.photos(0), (6, 9)).reshape(len(patches), -1).any(axis=1)
    assert 0 < affected.sum() < len(patches)
    assert [as_bytes(batch) != before for batch, before in zip(batches, expected, strict=True)] == affected.tolist()
    cameras = np.concatenate([targets["camera"] for _, targets, _ in batches])
    assert cameras.tolist() == camera_of(whole.photos(0)).tolist()
    assert [as_bytes(again.batch(0, index)) for index in reversed(range(len(again)))] == list(
        map(as_bytes, batches[::-1])
    )
    assert patches.replaced == np.isin(whole.photos(0), (6, 9)).sum()
    assert {Path(path).name for path in patches.damaged} == {"6.png", "9.png"}
    warnings = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 4  # two data sets
    assert "2 of 40 photos are replaced by others with the same labels" in warnings[1]


def test_damage_of_more_than_a_twentieth_stops_the_training(many, tmp_path):
    folder = tmp_path / "photos"
    shutil.copytree(many[0], folder)
    for number in range(3):
        (folder / f"{number}.png").unlink()
    patches = by_two_cameras((folder, many[1]))
    with pytest.raises(InputError, match="3 of 40 photos cannot be decoded, more than 5%"):
        for index in range(len(patches)):
            patches.batch(0, index)


def test_photo_without_another_one_of_its_group_stops_the_training(many, tmp_path):
    folder = tmp_path / "photos"
    shutil.copytree(many[0], folder)
    (folder / "5.png").unlink()
    patches = by_two_cameras((folder, many[1]), groups=np.arange(40))
    with pytest.raises(InputError, match=r"5\.png and all photos with the same labels cannot be decoded"):
        for index in range(len(patches)):
            patches.batch(0, index)


@pytest.mark.parametrize("workers", [1, 4, 16])
def test_each_photo_is_decoded_once_per_epoch_whatever_the_number_of_workers(many, workers):
    config = replace(CONFIG, patches_per_photo=6, batch_size=16, cache_bytes=0)
    folder, table = many
    patches = TrainingPatches(table, folder, {"camera": np.zeros(40)}, config, workers=workers)
    for index, batch in enumerate(prefetch(patches.__getitem__, len(patches), patches.workers)):
        assert len(np.unique(patches.photos(0)[16 * index : 16 * index + 16])) > 1
        assert len(batch[0]["patch"]) == 16
    assert patches.photo_cache.decodes <= 1.1 * 40


def test_patches_are_shuffled_among_at_least_sixteen_photos(many):
    config = replace(CONFIG, patches_per_photo=50, batch_size=160, cache_bytes=0)
    folder, table = many
    patches = TrainingPatches(table, folder, {"camera": np.zeros(40)}, config)
    for index in range(len(patches)):
        assert len(np.unique(patches.photos(0)[160 * index : 160 * index + 160])) >= 8


@pytest.mark.parametrize(("cache_bytes", "decodes"), [(2**20, 7), (7 * 3 * 16**2 - 1, 14)])
def test_evaluation_patches_are_made_once_if_they_fit_into_memory(table, folder, monkeypatch, cache_bytes, decodes):
    monkeypatch.setattr("augment.loaders.EVALUATION_CACHE", 0)
    config = replace(CONFIG, cache_bytes=cache_bytes)
    evaluation = EvaluationPatches(table, folder, {"camera": np.arange(7)}, config, keep=True)
    once, again = ([as_bytes(evaluation[index]) for index in range(2)] for _ in range(2))
    assert once == again
    assert evaluation.photo_cache.decodes == decodes
