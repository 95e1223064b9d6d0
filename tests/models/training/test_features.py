import keras
import numpy as np
import pytest

from augment.loaders import EvaluationPatches, TrainingPatches
from competition.manifest import read_folder
from models.classifier import build
from models.presets import classifier_recipe
from models.training.features import (
    FILES,
    FeatureBatches,
    delete_features,
    feature_batches,
    fixed_layer,
    split_network,
)

HEADS = {"camera": 3}
RECIPE = classifier_recipe("smoke", "dctnet")


@pytest.fixture(scope="module")
def patches(photo_folder, tmp_path_factory):
    folder = photo_folder(tmp_path_factory.mktemp("photos"))
    table = read_folder(folder, 1)[0]
    table = table[table["split"] != "test"]
    labels = {"camera": np.repeat(np.arange(3), len(table) // 3)}
    checked = table.head(5).assign(manipulation="unaltered", split="validation")
    return (
        TrainingPatches(table, folder, labels, RECIPE.patches),
        EvaluationPatches(checked, folder, {"camera": labels["camera"][:5]}, RECIPE.patches),
    )


def test_only_a_front_end_alone_whose_first_layers_are_fixed_has_a_fixed_layer():
    assert fixed_layer("dctnet", RECIPE) is not None
    assert fixed_layer("mobilenet", classifier_recipe("smoke", "mobilenet")) is None
    assert fixed_layer("convnet", classifier_recipe("smoke", "convnet")) is None


def test_the_two_parts_of_a_network_predict_what_the_network_predicts():
    network = build("dctnet", RECIPE, HEADS)
    fixed = fixed_layer("dctnet", RECIPE)
    assert fixed is not None
    pixels = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    flags = np.array([[0.0], [1.0]], np.float32)
    expected = network.predict_on_batch({"patch": pixels, "is_manipulated": flags})["camera"]
    first, second = split_network(network, fixed)
    found = second.predict_on_batch([first.predict_on_batch(pixels), flags])["camera"]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_features_are_those_of_the_first_epoch_in_its_order(patches, tmp_path):
    training, validation = patches
    known, checked = feature_batches(tmp_path, "dctnet", RECIPE, training, validation, HEADS, seed=5)
    network = build("dctnet", RECIPE, HEADS)
    extractor, _ = split_network(network, str(fixed_layer("dctnet", RECIPE)))
    inputs, targets, _ = training.batch(0, 0)
    size = len(inputs["patch"])
    np.testing.assert_allclose(known.features[:size, :-1], extractor.predict_on_batch(inputs["patch"]), atol=1e-3)
    np.testing.assert_array_equal(known.features[:size, -1:], inputs["is_manipulated"])
    np.testing.assert_array_equal(known.labels(0, np.arange(size))[0]["camera"], targets["camera"])
    np.testing.assert_array_equal(checked[0][1]["camera"], validation[0][1]["camera"])


def test_every_epoch_has_all_patches_in_an_order_of_its_own_which_a_resumed_training_repeats(patches, tmp_path):
    training, validation = patches
    batches, _ = feature_batches(tmp_path, "dctnet", RECIPE, training, validation, HEADS, seed=5)

    def epoch(batches: FeatureBatches, number: int) -> np.ndarray:
        batches.epoch = number
        return np.concatenate([batches[index][0][0] for index in range(len(batches))])

    first, second = epoch(batches, 0), epoch(batches, 1)
    assert (first != second).any()
    np.testing.assert_array_equal(np.sort(first.sum(axis=1)), np.sort(second.sum(axis=1)))
    resumed, _ = feature_batches(tmp_path, "dctnet", RECIPE, training, validation, HEADS, seed=5)
    np.testing.assert_array_equal(epoch(resumed, 1), second)


def test_features_on_disk_are_not_computed_again(patches, tmp_path, monkeypatch):
    training, validation = patches
    feature_batches(tmp_path, "dctnet", RECIPE, training, validation, HEADS, seed=0)
    monkeypatch.setattr(keras.Model, "predict_on_batch", lambda *_: pytest.fail("computed again"))
    feature_batches(tmp_path, "dctnet", RECIPE, training, validation, HEADS, seed=1)
    delete_features(tmp_path)
    assert not [name for name in FILES if (tmp_path / name).exists()]


def test_only_the_photos_that_are_used_are_in_the_batches(patches, tmp_path):
    training, validation = patches
    photos = np.zeros(len(training.paths), bool)
    photos[::2] = True
    images = np.array([True, False, False, True, False])
    known, checked = feature_batches(
        tmp_path, "dctnet", RECIPE, training, validation, HEADS, seed=5, used=(photos, images)
    )
    rows = training.photos(0)[: len(known.features)]
    assert sorted(known.rows) == np.flatnonzero(photos[rows]).tolist()
    assert sum(len(known[index][0][0]) for index in range(len(known))) == photos[rows].sum()
    np.testing.assert_array_equal(checked[0][0][0], checked.features[[0, 3], :-1].astype(np.float32))


def test_a_mix_is_between_its_two_examples_and_has_both_targets():
    features = np.arange(12, dtype=np.float16).reshape(4, 3)

    def labels(epoch, rows):
        return {"camera": rows}, {"camera": np.ones(len(rows), np.float32)}

    batches = FeatureBatches(features, labels, batch_size=4, seed=1, mixup=0.5)
    (values, flags), targets, weights = batches[0]
    mixed = np.column_stack([values, flags])
    np.testing.assert_array_equal(mixed[:4], mixed[4:])
    share = weights["camera"][:4, None]
    np.testing.assert_allclose(share + weights["camera"][4:, None], 1, rtol=1e-6)
    one, other = (features[part].astype(np.float32) for part in np.split(targets["camera"], 2))
    np.testing.assert_allclose(mixed[:4], share * one + (1 - share) * other, rtol=1e-5)
    np.testing.assert_array_equal(batches[0][0][0], values)
