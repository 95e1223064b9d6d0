from types import SimpleNamespace

import pandas as pd
import pytest

from competition.utils.errors import InputError
from models.presets import classifier_recipe
from models.resources import check_resources, disk_bytes, memory_bytes

FEATURES = 2 * 2688  # bytes of a patch


def recipes(*members):
    return {member: classifier_recipe("quick", member) for member in members}


def test_disk_holds_networks_unfinished_epochs_features_and_predictions():
    chosen = recipes("mobilenet", "resnet50")
    alone = chosen["mobilenet"].front_end_recipe
    networks = 12 * (3_000_000 + 24_000_000)
    assert disk_bytes(chosen, 1, 0, 0, 10) == networks + 2 * 12 * 24_000_000
    assert disk_bytes(chosen, 5, 0, 0, 10) == 5 * networks + 2 * 12 * 24_000_000
    for photos, patches in ((100, alone.fewest_patches), (1000, 1000 * alone.patches.patches_per_photo)):
        assert disk_bytes(chosen, 1, photos, 0, 10) - disk_bytes(chosen, 1, 0, 0, 10) == patches * FEATURES
    assert disk_bytes(chosen, 1, 0, 7, 10) - disk_bytes(chosen, 1, 0, 0, 10) == 2 * 4 * 8 * 7 * 10


@pytest.mark.parametrize("member", ["convnet", "dctnet"])
def test_memory_holds_photos_up_to_the_limit(member):
    assert memory_bytes(recipes(member), 1000) == 3000
    assert memory_bytes(recipes(member), 10**12) == 2**30


@pytest.mark.parametrize(("disk", "memory", "message"), [(1e7, 1e12, "on the disk of"), (1e12, 1e7, "of memory")])
def test_trainings_that_cannot_fit_are_rejected(disk, memory, message, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=disk))
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=memory))
    rows = [("train", "cat"), ("train", "dog"), ("test", None)] * 100
    manifest = pd.DataFrame(rows, columns=["split", "camera"]).assign(width=400, height=300)
    with pytest.raises(InputError, match=f"training on 200 photos needs about .* {message}"):
        check_resources(tmp_path, recipes("mobilenet"), manifest, None, 1)
    check_resources(tmp_path, recipes("convnet"), manifest, 1, 1)
