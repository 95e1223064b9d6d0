"""The threshold of unknown cameras, and the activations of a run."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from competition.utils.errors import InputError
from submissions.confidence.activations import FILE_NAME, Images, load_activations
from submissions.confidence.unknown import MIN_IMAGES, REJECTED, find_threshold, fit_detector
from submissions.confidence.unknown_scores import SCORES, Activations
from submissions.tasks import CAMERA, Task


def known_images(count, seed, shift=0.0):
    """Images by two cameras, every other one manipulated, whose features lie `shift` further away if so."""
    rng = np.random.default_rng(seed)
    labels, flags = np.arange(count) % 2, np.arange(count) // 2 % 2 == 1
    hidden = 5 * np.eye(2, 4)[labels] + rng.normal(size=(count, 4)) + shift * flags[:, None]
    return Images(Activations(hidden, hidden[:, :2]), labels, flags)


@given(st.lists(st.floats(-9, 9), max_size=80))
def test_at_most_the_given_share_lies_above_the_threshold(scores):
    values = np.array(scores)
    found = find_threshold(values)
    if len(values) < MIN_IMAGES:
        assert np.isnan(found)
    else:
        assert (values > found).sum() <= REJECTED * (len(values) + 1) - 1 + 1e-9


def test_new_photos_are_rejected_at_the_given_rate():
    rng = np.random.default_rng(0)
    rates = [(rng.normal(size=500) > find_threshold(rng.normal(size=50))).mean() for _ in range(400)]
    assert np.mean(rates) == pytest.approx(2 / 51, abs=0.004)


@pytest.mark.parametrize("name", SCORES)
def test_both_kinds_of_images_keep_the_rate_of_false_rejections(name):
    detector = fit_detector(name, known_images(200, 0), known_images(4000, 1, shift=1.0))
    new = known_images(4000, 2, shift=1.0)
    rejected = detector(new.activations, new.is_manipulated) > 0
    for flag in (False, True):
        assert rejected[new.is_manipulated == flag].mean() == pytest.approx(REJECTED, abs=0.02)


def test_few_images_of_a_kind_have_the_threshold_of_all():
    validation = known_images(2 * MIN_IMAGES - 4, 1)
    detector = fit_detector("energy", known_images(40, 0), validation)
    assert detector.thresholds[False] == detector.thresholds[True]
    assert detector.thresholds[True] == find_threshold(-np.logaddexp(*validation.activations.logits.T))


def test_with_too_few_images_no_camera_is_unknown():
    detector = fit_detector("energy", known_images(40, 0), known_images(MIN_IMAGES - 1, 1))
    scores = detector(known_images(8, 2).activations, np.zeros(8, bool))
    assert np.isnan(scores).all() and not (scores > 0).any()


def test_missing_and_damaged_activations_are_errors(make_run):
    run = make_run(Task(CAMERA))
    with pytest.raises(InputError, match=r"activations.npz does not exist; run predict .* first"):
        load_activations(run)
    (run.folder / FILE_NAME).write_bytes(b"PK\x03\x04 not an archive")
    with pytest.raises(InputError, match=r"activations.npz is damaged; delete it and run predict"):
        load_activations(run)
