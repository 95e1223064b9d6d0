"""The temperatures of a run, and the honest measure of what they do."""

import numpy as np
import pytest

from competition.metrics.log_loss import log_losses
from competition.utils.errors import InputError
from submissions.blending import average_views, blend
from submissions.confidence.calibration import (
    Temperatures,
    cross_calibrate,
    fit_temperatures,
    run_temperatures,
)
from submissions.confidence.temperature import fit_temperature, scale
from submissions.prediction_cache import load_members
from submissions.tasks import CAMERA, Task

OVERCONFIDENT = {"a": (3.0, 1.0), "b": (1.0, 2.0)}  # factors of the logits of unaltered and manipulated images


@pytest.fixture(scope="module")
def images():
    """Predictions of two members that are too sure of some images: probabilities, flags, labels, names of photos."""
    rng = np.random.default_rng(0)
    flags = np.arange(1200) % 2 == 1
    members, labels = {}, rng.integers(0, 4, len(flags))
    for member, factors in OVERCONFIDENT.items():
        logits = rng.normal(size=(len(flags), 4)) + 1.5 * np.eye(4)[labels]
        logits = 1.5 * logits * np.where(flags, factors[1], factors[0])[:, None]
        members[member] = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return members, flags, labels, np.array([f"{number // 2}.jpg" for number in range(len(flags))])


def test_every_member_and_kind_of_image_has_its_own_temperature(images):
    members, flags, labels, _ = images
    found = fit_temperatures(members, flags, labels)
    for member, factors in OVERCONFIDENT.items():
        assert found.members[member] == pytest.approx(factors, rel=0.15)


def test_the_blend_of_scaled_members_is_scaled(images):
    members, flags, labels, _ = images
    found = fit_temperatures(members, flags, labels)
    blended = blend([scale(members[name][flags], found.members[name][1]) for name in "ab"])
    assert found.blend[1] == pytest.approx(fit_temperature(blended, labels[flags]))
    np.testing.assert_allclose(found.blend_members(members, flags)[flags], scale(blended, found.blend[1]))
    assert found.blend[0] < 1  # a mean of calibrated probabilities is less sure than it is correct


def test_a_single_member_is_its_own_blend(images):
    members, flags, labels, _ = images
    alone = {"a": members["a"]}
    found = fit_temperatures(alone, flags, labels)
    assert found.blend == (1, 1)
    np.testing.assert_allclose(found.blend_members(alone, flags), found.scale_members(alone, flags)["a"])


def test_calibration_lowers_the_log_loss_of_other_photos(images):
    members, flags, labels, names = images
    scaled, blended = cross_calibrate(members, flags, labels, names)
    for member, values in members.items():
        assert log_losses(scaled[member], labels).mean() < log_losses(values, labels).mean()
    assert log_losses(blended, labels).mean() < log_losses(blend(list(members.values())), labels).mean()


def test_cross_calibration_never_uses_the_labels_of_the_same_photo(images):
    members, flags, labels, names = images
    before, _ = cross_calibrate(members, flags, labels, names)
    changed = np.where(names == "7.jpg", (labels + 1) % 4, labels)
    after, _ = cross_calibrate(members, flags, changed, names)
    for member in members:
        same = (before[member] == after[member]).all(axis=1)
        assert same[names == "7.jpg"].all() and not same.all()


def test_a_single_photo_stays_as_it_is():
    members = {"a": np.array([[0.9, 0.1], [0.6, 0.4]])}
    scaled, blended = cross_calibrate(members, [False, True], [0, 0], ["a.jpg", "a.jpg"])
    np.testing.assert_allclose(scaled["a"], members["a"])
    np.testing.assert_allclose(blended, members["a"])


def test_a_run_is_calibrated_on_its_validation_predictions(make_run):
    run = make_run(Task(CAMERA), manipulated=True)
    members = {name: average_views(predictions) for name, predictions in load_members(run, "validation").items()}
    validation = run.validation
    labels = (validation["camera"] == "b").to_numpy(int)
    expected = fit_temperatures(members, (validation["manipulation"] != "unaltered").to_numpy(), labels)
    assert run_temperatures(run) == expected


def test_a_member_without_predictions_is_an_error(make_run):
    run = make_run(Task(CAMERA))
    run.predictions_file("resnet50", "validation").unlink()
    with pytest.raises(InputError, match=r"no validation predictions of resnet50 .*; run predict .* first"):
        run_temperatures(run)


def test_unaltered_and_manipulated_images_are_scaled_by_their_own_temperatures():
    values = {"a": np.array([[0.8, 0.2], [0.8, 0.2]])}
    scaled = Temperatures({"a": (2.0, 0.5)}).scale_members(values, [False, True])["a"]
    np.testing.assert_allclose(scaled[:, 0], [2 / 3, 16 / 17])
