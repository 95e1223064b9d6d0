"""A file is written if its predictions equal those of Keras, and otherwise nothing is."""

from dataclasses import replace
from importlib.util import find_spec

import keras
import numpy as np
import pytest

from competition.utils.errors import InputError
from models.classifier import build
from models.export.checked import TOLERANCE, export_checked, file_bytes, predict_reference
from models.export.formats import FORMATS
from models.export.standalone import Member, ensemble_network
from models.presets import classifier_recipe
from models.recipe import change

SIDE = 64
PATCHES = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
FLAGS = np.array([[0], [1]], np.float32)

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="exports need the backend tensorflow")


@pytest.fixture
def network():
    """An ensemble of one small member whose weights were changed at random, as by a training."""
    recipe = change(classifier_recipe("smoke", "dctnet"), patch=SIDE)
    model, rng = build("dctnet", recipe, {"camera": 3}), np.random.default_rng(0)
    model.set_weights(
        [weight + rng.normal(0, 0.05, weight.shape).astype(weight.dtype) for weight in model.get_weights()]
    )
    return ensemble_network([Member(model, SIDE, 8)])


@pytest.mark.parametrize("name", FORMATS)
def test_file_predicts_what_keras_predicts(name, network, tmp_path):
    missing = [package for package in FORMATS[name].packages if find_spec(package) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed (requirements-export.txt has it)")
    reference = predict_reference(network, PATCHES, FLAGS)
    path, difference = export_checked(network, tmp_path, name, reference)
    assert path == tmp_path / f"ensemble{FORMATS[name].suffix}"
    assert 0 <= difference < TOLERANCE and file_bytes(path) > 100_000
    if name == "saved-model":  # a folder; the tests below replace a file
        again, _ = export_checked(network, tmp_path, name, reference)
        assert list(tmp_path.iterdir()) == [again]


@pytest.fixture
def wrong(monkeypatch):
    """A function that adds a format whose predictions differ from those of Keras by a given number."""

    def add(difference, network):
        def write(network, path):
            path.write_bytes(b"new")

        def read(path, threads):
            def predict(patch, flag):
                expected = network.predict_on_batch({"patch": patch, "is_manipulated": flag})
                return {head: values + difference for head, values in expected.items()}

            return predict

        monkeypatch.setitem(FORMATS, "wrong", replace(FORMATS["saved-model"], suffix=".bin", write=write, read=read))

    return add


@pytest.mark.parametrize("difference", [2 * TOLERANCE, np.nan])
def test_file_that_differs_is_not_written_and_the_old_one_stays(difference, network, wrong, tmp_path):
    wrong(difference, network)
    old = tmp_path / "ensemble.bin"
    old.write_bytes(b"old")
    with pytest.raises(InputError, match=r"differs from Keras by .*; nothing was written"):
        export_checked(network, tmp_path, "wrong", predict_reference(network, PATCHES, FLAGS))
    assert list(tmp_path.iterdir()) == [old] and old.read_bytes() == b"old"


def test_small_differences_pass_and_other_folders_are_not_replaced(network, wrong, tmp_path):
    wrong(TOLERANCE / 2, network)
    reference = predict_reference(network, PATCHES, FLAGS)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "ensemble.bin").write_bytes(b"old")
    path, difference = export_checked(network, tmp_path / "new", "wrong", reference)
    assert path.read_bytes() == b"new" and difference == pytest.approx(TOLERANCE / 2, rel=0.01)
    (tmp_path / "ensemble.bin").mkdir()
    with pytest.raises(InputError, match=r"ensemble\.bin is no export"):
        export_checked(network, tmp_path, "wrong", predict_reference(network, PATCHES, FLAGS))
