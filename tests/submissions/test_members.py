import numpy as np
import pytest

from models.presets import classifier_recipe
from submissions.members import run_patches
from submissions.run import Run, start_run
from submissions.tasks import CAMERA


@pytest.fixture(scope="module")
def data(photo_folder, tmp_path_factory):
    """Photos of three cameras, of which `cat` has fewer."""
    folder = photo_folder(tmp_path_factory.mktemp("data") / "photos")
    for number in (3, 4, 5):
        (folder / "train" / "cat" / f"{number}.jpg").unlink()
    return folder


@pytest.mark.parametrize("balanced", [False, True])
def test_cameras_are_weighted_by_inverse_frequency_if_the_recipe_says_so(balanced, data, tmp_path):
    recipe = classifier_recipe("smoke", "mobilenet", front_end="none", balance_cameras=balanced)
    run = Run(tmp_path / "run", data, {"mobilenet": recipe}, 0)
    start_run(run, 1)
    training, validation = run_patches(run, recipe, 0)
    labels, weights = training.labels(0, np.arange(len(training.paths)))
    totals = np.bincount(labels[CAMERA], weights[CAMERA])
    photos = np.bincount(labels[CAMERA])
    assert photos.min() < photos.max()
    np.testing.assert_allclose(totals, np.full(3, photos.sum() / 3) if balanced else photos, rtol=1e-6)
    assert set(validation.labels(slice(None))[1][CAMERA]) == {1}
