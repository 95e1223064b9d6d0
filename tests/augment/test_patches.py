"""Batches are pure in (seed, epoch, index), whoever asks and in whatever order."""

from collections import Counter
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.stats import chisquare, kstest

from augment.decode import read_pixels
from augment.dihedral import VIEWS
from augment.manipulations import MANIPULATED, NAMES, cut_test_patch, fits
from augment.patches import (
    EvaluationPatches,
    PatchConfig,
    TrainingPatches,
    balanced_counts,
    class_weights,
    epoch_order,
    make_patch,
    measure_colors,
)
from augment.squash import rotate, squash
from competition.utils.errors import InputError

CONFIG = PatchConfig(size=16, batch_size=4, patches_per_photo=2, seed=3)


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


def test_a_batch_is_what_the_model_takes(table, folder):
    patches = training(table, folder)
    assert len(patches) == 14 // 4
    inputs, targets, _ = patches[0]
    assert inputs["patch"].shape == (4, 16, 16, 3)
    assert inputs["patch"].dtype == np.uint8
    assert inputs["is_manipulated"].shape == (4, 1)
    assert inputs["is_manipulated"].dtype == np.float32
    assert targets["camera"].shape == (4,)
    assert targets["camera"].dtype == np.int32


def test_any_further_targets_are_aligned_with_the_photographs(table, folder):
    targets = {"camera": np.arange(7), "iso": np.arange(7) * 100}
    _, batch, _ = TrainingPatches(table, folder, targets, CONFIG)[1]
    assert (batch["iso"] == batch["camera"] * 100).all()


def test_batches_do_not_depend_on_what_was_asked_before(table, folder):
    first, second = training(table, folder), training(table, folder)
    forwards = [as_bytes(first.batch(epoch, index)) for epoch in range(3) for index in range(3)]
    backwards = [as_bytes(second.batch(epoch, index)) for epoch in (2, 1, 0) for index in (2, 1, 0)]
    assert forwards == backwards[::-1]
    assert len(set(forwards)) == 9


def test_another_seed_gives_other_patches(table, folder):
    config = PatchConfig(**{**vars(CONFIG), "seed": 4})
    assert as_bytes(training(table, folder)[0]) != as_bytes(training(table, folder, config)[0])


def test_a_small_cache_changes_only_the_order(table, folder):
    config = PatchConfig(**{**vars(CONFIG), "cache_bytes": 4 * 72 * 64 * 3, "batch_size": 14})
    _, targets, _ = training(table, folder, config)[0]
    assert Counter(targets["camera"].tolist()) == dict.fromkeys(range(7), 2)


@pytest.mark.parametrize("block", [1, 3, 7, 100])
def test_each_photograph_comes_as_often_and_stays_in_its_block(block):
    order = epoch_order(7, CONFIG, epoch=1, block=block)
    assert Counter(order.tolist()) == dict.fromkeys(range(7), 2)
    for start in range(0, 14, 2 * block):
        assert len(set(order[start : start + 2 * block].tolist())) == min(block, 7 - start // 2)


def test_each_photograph_is_decoded_once_an_epoch_where_memory_is_short(table, folder, monkeypatch):
    read = []
    monkeypatch.setattr("augment.patches.read_pixels", lambda path: read.append(path) or read_pixels(path))
    config = PatchConfig(**{**vars(CONFIG), "cache_bytes": 4 * 72 * 64 * 3, "batch_size": 2})
    patches = training(table, folder, config)
    for index in range(len(patches)):
        patches[index]
    assert len(read) == 7
    assert len(set(read)) == 7


def test_half_of_the_patches_are_manipulated_by_all_that_fit():
    """A flat photograph shows which gamma was used; the flag tells the rest."""
    pixels = np.full((64, 72, 3), 100, np.uint8)
    made = [make_patch(pixels, CONFIG, 0, index) for index in range(2000)]
    flags = np.array([flag for _, flag in made])
    assert abs(flags.mean() - 0.5) < 0.05
    levels = Counter(int(patch[0, 0, 0]) for patch, flag in made if flag)
    assert abs(levels[round(255 * (100 / 255) ** 0.8)] / flags.sum() - 1 / 8) < 0.04
    assert abs(levels[round(255 * (100 / 255) ** 1.2)] / flags.sum() - 1 / 8) < 0.04
    assert all((patch == 100).all() for patch, flag in made if not flag)


def test_a_photograph_too_small_for_some_manipulations_gets_the_others():
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    assert [name for name in MANIPULATED if fits(16, 16, name, 16)] == [
        "jpeg70", "jpeg90", "resize1.5", "resize2.0", "gamma0.8", "gamma1.2"
    ]  # fmt: skip
    for index in range(100):
        patch, _ = make_patch(pixels, CONFIG, 0, index)
        assert patch.shape == (16, 16, 3)


@pytest.mark.parametrize("turns", [True, False])
def test_turns_are_dihedral_and_optional(dihedral):
    config = PatchConfig(**{**vars(CONFIG), "turns": dihedral})
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    made = (make_patch(pixels, config, 0, index) for index in range(300))
    unaltered = {np.ascontiguousarray(patch).tobytes() for patch, manipulated in made if not manipulated}
    views = range(VIEWS) if dihedral else range(1)
    assert unaltered == {np.ascontiguousarray(dihedral(pixels, view)).tobytes() for view in views}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("start_epoch", [0, 2])
def test_fit_sees_the_batches_of_the_right_epochs_in_order(table, folder, workers, start_epoch):
    """The model adds up its inputs; what it saw is compared with the batches computed directly."""
    config = PatchConfig(**{**vars(CONFIG), "patches_per_photo": 4})
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
    validation = EvaluationPatches(table, folder, {"camera": np.arange(7)}, 16, 4, workers=workers)
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
    evaluation = EvaluationPatches(rows, folder, {"camera": np.arange(11)}, 16, 4)
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


def test_photographs_too_small_are_named_before_training_starts(table, folder):
    table = table.assign(height=[64, 15, 64, 15, 64, 64, 64])
    with pytest.raises(InputError, match=r"2 photographs are smaller than a patch of 16 px, the first is 1\.png"):
        training(table, folder)
    evaluation = EvaluationPatches(table, folder, {}, 65, 4)
    with pytest.raises(InputError, match=r"0\.png: a photograph of 72 x 64 px is too small"):
        evaluation[0]


def test_a_batch_that_cannot_be_filled_is_refused(table, folder):
    with pytest.raises(InputError, match="1 photographs with 2 patches each do not fill a batch of 4"):
        training(table.iloc[:1], folder)


CELLS = np.repeat([4, 0, 26, 13], [1, 3, 12, 24])  # unequal, and not in order


def cell_counts(photographs, cells):
    """How often each occupied cell is drawn."""
    return np.array([photographs[cells == cell].sum() for cell in np.unique(cells[cells >= 0])])


def test_balanced_draws_are_uniform_over_occupied_cells_and_within_them():
    drawn = balanced_counts(CELLS, 20_000, np.random.default_rng(0))
    assert drawn.sum() == 20_000
    assert chisquare(cell_counts(drawn, CELLS)).pvalue > 0.01
    for cell in (0, 26, 13):
        assert chisquare(drawn[cell == CELLS]).pvalue > 0.01
    unbalanced = np.bincount(np.random.default_rng(0).integers(len(CELLS), size=20_000), minlength=len(CELLS))
    assert chisquare(cell_counts(unbalanced, CELLS)).pvalue < 1e-6  # so the test can fail


def test_photographs_without_a_cell_keep_their_share():
    cells = np.concatenate([CELLS, np.full(10, -1)])
    drawn = balanced_counts(cells, 20_000, np.random.default_rng(0))
    assert drawn[cells < 0].sum() == pytest.approx(20_000 * 10 / 50, rel=0.05)
    assert chisquare(drawn[cells < 0]).pvalue > 0.01
    assert chisquare(cell_counts(drawn, cells)).pvalue > 0.01


def test_where_no_photograph_has_a_cell_all_come_equally_often():
    assert chisquare(balanced_counts(np.full(9, -1), 9000, np.random.default_rng(0))).pvalue > 0.01


@pytest.mark.parametrize("block", [3, 100])
def test_a_balanced_epoch_is_drawn_so_and_pure(block):
    config = PatchConfig(**{**vars(CONFIG), "patches_per_photo": 50})
    order = epoch_order(len(CELLS), config, 1, block, CELLS)
    assert len(order) == 50 * len(CELLS)
    assert chisquare(np.unique(CELLS[order], return_counts=True)[1]).pvalue > 0.01
    assert (order == epoch_order(len(CELLS), config, 1, block, CELLS)).all()
    assert (order != epoch_order(len(CELLS), config, 2, block, CELLS)).any()


def test_batches_are_drawn_from_the_cells(table, folder):
    """Six photographs in one cell, one in another: it comes as often as the six."""
    config = PatchConfig(**{**vars(CONFIG), "patches_per_photo": 40, "batch_size": 35})
    patches = training(table, folder, config, cells=np.array([1, 1, 1, 5, 1, 1, 1]))
    assert len(patches) == 8
    shown = np.concatenate([patches[index][1]["camera"] for index in range(len(patches))])
    assert chisquare(np.bincount(shown == 3)).pvalue > 0.01


def test_an_unknown_label_has_no_weight_and_is_no_class(table, folder):
    iso = np.array([2, -1, 0, 1, -1, 2, -1])
    targets = {"camera": np.arange(7), "iso": iso}
    config = PatchConfig(**{**vars(CONFIG), "batch_size": 7})
    for patches in (TrainingPatches(table, folder, targets, config), EvaluationPatches(table, folder, targets, 16, 7)):
        _, labels, weights = patches[0]
        asked = iso[labels["camera"]]
        assert labels["iso"].tolist() == np.maximum(asked, 0).tolist()
        assert weights["iso"].tolist() == (asked >= 0).astype(float).tolist()
        assert weights["camera"].tolist() == [1] * 7
        assert {weight.dtype for weight in weights.values()} == {np.dtype(np.float32)}


def test_class_weights_make_all_classes_that_occur_count_alike(table, folder):
    labels = np.array([0, 0, 0, 0, 1, 3, -1], np.int32)
    weights = class_weights(labels, 5)
    assert (weights.dtype, weights.shape) == (np.float32, (5,))
    of_known = weights[labels[labels >= 0]]
    totals = np.bincount(labels[labels >= 0], weights=of_known, minlength=5)
    np.testing.assert_allclose(totals, [2, 2, 0, 2, 0], rtol=1e-6)
    assert of_known.mean() == pytest.approx(1)

    # In batches they multiply the weight of the head, and what is unknown still counts nothing.
    patches = TrainingPatches(
        table,
        folder,
        {"row": np.arange(7), "iso": labels},
        CONFIG,
        head_weights=lambda epoch: {"iso": 0.5},
        class_weights={"iso": weights},
    )
    _, targets, counted = patches.batch(0, 0)
    drawn = labels[targets["row"]]
    np.testing.assert_allclose(counted["iso"], np.where(drawn < 0, 0, 0.5 * weights[drawn]))
    assert (counted["row"] == 1).all()


def test_the_weights_of_the_heads_follow_the_epoch(table, folder):
    targets = {"camera": np.arange(7), "iso": np.array([2, -1, 0, 1, -1, 2, -1])}
    patches = TrainingPatches(table, folder, targets, CONFIG, head_weights=lambda epoch: {"iso": epoch / 4})
    for epoch in range(3):
        _, labels, weights = patches.batch(epoch, 1)
        known = targets["iso"][labels["camera"]] >= 0
        assert weights["iso"].tolist() == (known * epoch / 4).tolist()
        assert weights["camera"].tolist() == [1] * 4


SQUASHED = PatchConfig(size=40, batch_size=4, seed=3, dihedral=False, input="squash", padding=4)


def test_squashed_batches_show_whole_photographs_that_nobody_manipulated(table, folder):
    patches = training(table.assign(width=20, height=10), folder, SQUASHED)  # however small they are
    inputs, targets, _ = patches[0]
    assert inputs["patch"].shape == (4, 40, 40, 3)
    assert (inputs["is_manipulated"] == 0).all()
    for patch, photo in zip(inputs["patch"], targets["camera"], strict=True):
        np.testing.assert_array_equal(patch, squash(read_pixels(folder / f"{photo}.png"), 40, 4))
    assert as_bytes(patches.batch(1, 0)) == as_bytes(training(table, folder, SQUASHED).batch(1, 0))


def test_squashed_patches_are_turned_by_any_angle_up_to_the_given_one(monkeypatch):
    angles = []
    monkeypatch.setattr("augment.patches.rotate", lambda image, angle: angles.append(angle) or rotate(image, angle))
    config = PatchConfig(**{**vars(SQUASHED), "rotation": 120.0})
    pixels = np.random.default_rng(0).integers(0, 256, (16, 18, 3), np.uint8)
    patches = [make_patch(pixels, config, 0, index)[0] for index in range(300)]
    assert kstest(angles, "uniform", args=(-120, 240)).pvalue > 0.01
    np.testing.assert_array_equal(patches[7], rotate(squash(pixels, 40, 4), angles[7]))


def test_evaluation_squashes_photographs_and_test_images_alike(table, folder):
    rows = table.assign(split=["validation", "test"] * 3 + ["test"])
    evaluation = EvaluationPatches(rows, folder, {}, 40, 3, input="squash", padding=4)
    shown = np.concatenate([evaluation[index][0]["patch"] for index in range(len(evaluation))])
    for number, patch in enumerate(shown):
        np.testing.assert_array_equal(patch, squash(read_pixels(folder / f"{number}.png"), 40, 4))


def test_the_measured_colours_are_those_of_the_first_epoch(table, folder):
    patches = training(table, folder)
    pixels = np.concatenate([patches.batch(0, index)[0]["patch"] for index in range(len(patches))]).astype(float)
    mean, deviation = measure_colors(patches)
    np.testing.assert_allclose(mean, pixels.mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(deviation, pixels.std(axis=(0, 1, 2)))


def test_patches_are_manipulated_in_the_ways_that_are_asked_for(monkeypatch):
    drawn = []
    monkeypatch.setattr("augment.patches.training_patch", lambda pixels, name, size, rng: drawn.append(name) or pixels)
    config = replace(CONFIG, manipulated_share=0.5, manipulations=("jpeg70", "jpeg90"))
    flags = [make_patch(np.zeros((64, 72, 3), np.uint8), config, 0, index)[1] for index in range(40)]
    assert set(drawn) == {"unaltered", "jpeg70", "jpeg90"} and flags == [name != "unaltered" for name in drawn]
