"""A photo is examined by all runs, or the reason is given; large photos are refused before they are decoded."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from competition.utils.errors import InputError
from submissions.app import examine
from submissions.app.examine import Examiner
from submissions.predict_photos import PhotoPrediction
from submissions.splices.detector import Encoder
from submissions.tasks import Task

SIDE = 96


def prediction(probabilities, unknown_score=-1.0, evidence=1.0):
    heads = {head: np.array(values) for head, values in probabilities.items()}
    return PhotoPrediction(heads, patches=1, evidence=evidence, unknown_score=unknown_score)


def embed(patches, on_progress):
    """Unit vectors that say how bright a patch is."""
    means = patches.mean(axis=(1, 2, 3)) / 255
    return np.stack([means, np.sqrt(1 - means**2)], axis=1).astype(np.float32)


@pytest.fixture
def examiner(make_run):
    """A function that makes an examiner whose predictions are given. Without networks, there are no evidence maps."""

    def make(cameras, settings=None, splices=False):
        predictors: list[Any] = [
            found and SimpleNamespace(run=make_run(task), predict=lambda pixels, manipulated, found=found: found)
            for task, found in ((Task("camera"), cameras), (Task("settings"), settings))
        ]
        encoder = Encoder("brightness", 16, embed) if splices else None
        return Examiner(predictors[0], predictors[1], {}, encoder, ())

    return make


@pytest.fixture
def photo(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE + 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo", "JPEG", quality=95)
    return tmp_path / "photo"


def test_cameras_are_sorted_by_their_probability(examiner, photo):
    found = examiner(prediction({"camera": [0.25, 0.75]})).examine(photo, False)
    assert found.cameras == (("b", 0.75), ("a", 0.25))
    assert (found.width, found.height) == (SIDE + 16, SIDE)
    assert found.problem is None
    assert (found.is_unknown, found.little_evidence) == (False, False)
    assert (found.settings, found.splice_score) == ((), None)
    assert [picture.title for picture in found.pictures] == ["Photo"]


def test_unknown_cameras_and_little_evidence_are_marked(examiner, photo):
    found = examiner(prediction({"camera": [0.25, 0.75]}, unknown_score=0.1, evidence=0.01)).examine(photo, False)
    assert (found.is_unknown, found.little_evidence) == (True, True)
    assert not examiner(prediction({"camera": [0.5, 0.5]}, unknown_score=np.nan)).examine(photo, False).is_unknown


def test_settings_come_from_their_run(examiner, photo):
    heads = {"aperture": [0.1, 0.2, 0.7], "iso": [0.6, 0.2, 0.2], "exposure_time": [0.3, 0.4, 0.3]}
    found = examiner(prediction({"camera": [0.25, 0.75]}), prediction(heads)).examine(photo, False)
    assert [(setting.name, setting.probability) for setting in found.settings] == [
        *(("aperture", 0.7), ("iso", 0.6), ("exposure time", 0.4)),
    ]
    assert all(setting.value for setting in found.settings)


def test_splices_have_a_score_and_a_map(examiner, photo):
    found = examiner(prediction({"camera": [0.25, 0.75]}), splices=True).examine(photo, False)
    assert found.splice_score is not None and 0 <= found.splice_score <= 1
    assert [picture.title for picture in found.pictures] == ["Photo", "Splice"]
    assert found.pictures[1].data.startswith(b"\x89PNG")


def test_a_photo_that_cannot_be_predicted_still_has_verdicts(examiner, photo, tmp_path):
    examine_photo = examiner(prediction({"camera": [0.25, 0.75]}), splices=True).examine
    data = photo.read_bytes()
    photo.write_bytes(data[:-500])
    found = examine_photo(photo, False)
    assert (found.problem, found.verdicts.original, found.pictures) == ("truncated", False, ())
    photo.write_bytes(data[: len(data) // 2] + b"\xff\xd9")  # complete by its header
    damaged = examine_photo(photo, False)
    assert damaged.problem is not None and "truncated or damaged" in damaged.problem
    assert str(tmp_path) not in damaged.problem
    Image.new("RGB", (40, 30)).save(photo, "PNG")
    small = examine_photo(photo, False)
    assert small.problem is not None and small.problem.startswith("40x30 is smaller than a patch of ")
    Image.new("RGBA", (SIDE, SIDE)).save(photo, "PNG")
    assert examine_photo(photo, False).problem == "8-bit RGBA, not 8-bit RGB"


def test_a_bomb_is_refused_before_it_is_decoded(examiner, photo, monkeypatch):
    def decode(*arguments):
        raise AssertionError("decoded")

    monkeypatch.setattr(examine, "read_pixels", decode)
    monkeypatch.setattr(examine, "judge_file", decode)
    Image.new("1", (10_000, 10_000)).save(photo, "PNG")  # 100 megapixels in 12 kilobytes
    with pytest.raises(InputError, match="the photo has 10000x10000 pixels, expected at most 89478485; crop it"):
        examiner(prediction({"camera": [0.25, 0.75]})).examine(photo, False)


def test_a_file_that_is_not_an_image_is_an_error(examiner, photo):
    photo.write_text("<html>")
    with pytest.raises(InputError, match="not a JPEG, PNG or TIFF image"):
        examiner(prediction({"camera": [0.25, 0.75]})).examine(photo, False)
