import shutil

import keras
import numpy as np
import pytest

from competition.utils.errors import InputError
from models.classifier import build
from models.presets import classifier_recipe
from models.saved import load_model, load_weights

DAMAGES = ("empty", "truncated", "flipped", "no weights")


@pytest.fixture(scope="module")
def saved(shrink_mobilenet, tmp_path_factory):
    """A network, and folders `own` and `other` with files of it and of another one, for tests to copy and damage."""
    folder = tmp_path_factory.mktemp("saved")
    with pytest.MonkeyPatch.context() as patch:
        shrink_mobilenet(patch)
        model = build("mobilenet", classifier_recipe("smoke", "mobilenet"), {"camera": 3})
    other = build("convnet", classifier_recipe("smoke", "convnet", patch=16), {"camera": 5})
    for name, network in (("own", model), ("other", other)):
        (folder / name).mkdir()
        network.save(folder / name / "a.keras")
        network.save_weights(folder / name / "a.weights.h5")
    return model, folder


def damage_file(path, damage):
    data = bytearray(path.read_bytes())
    if damage == "empty":
        data = bytearray()
    elif damage == "truncated":
        data = data[: len(data) // 2]
    elif damage == "no weights":
        data = bytearray(b"a page of text, saved under the wrong name")
    elif damage == "flipped":
        for at in range(len(data) // 4, len(data) * 3 // 4, 7):
            data[at] ^= 0xFF
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_loaded_weights_equal_the_saved_ones(suffix, saved):
    model, folder = saved
    copy = keras.models.clone_model(model)
    load_weights(copy, folder / "own" / f"a{suffix}")
    for loaded, expected in zip(copy.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(loaded, expected)


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
@pytest.mark.parametrize("damage", [*DAMAGES, "of another network"])
def test_damaged_weights_raise_an_error_that_names_the_file(suffix, damage, tmp_path, saved):
    model, folder = saved
    path = tmp_path / f"a{suffix}"
    shutil.copy(folder / ("other" if damage == "of another network" else "own") / path.name, path)
    damage_file(path, damage)
    with pytest.raises(InputError, match=rf"a{suffix} are damaged or belong to another network") as caught:
        load_weights(model, path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_model_raises_an_error_that_names_the_file(damage, tmp_path, saved):
    path = tmp_path / "model.keras"
    shutil.copy(saved[1] / "own" / "a.keras", path)
    damage_file(path, damage)
    with pytest.raises(InputError, match=r"model\.keras is damaged or not a model .*; delete it") as caught:
        load_model(path)
    assert "\n" not in str(caught.value)


def test_missing_files_raise_an_error_that_names_them(tmp_path, saved):
    with pytest.raises(InputError, match=r"model\.keras does not exist: train this member first"):
        load_model(tmp_path / "model.keras")
    with pytest.raises(InputError, match=r"absent\.h5 do not exist"):
        load_weights(saved[0], tmp_path / "absent.h5")
