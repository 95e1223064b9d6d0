"""Scores of unknown cameras, on features whose answer is known."""

import numpy as np
import pytest
from scipy.special import softmax

from competition.utils.errors import InputError
from submissions.confidence.unknown_scores import SCORES, Activations, fit_score

MEANS = 6 * np.eye(3, 8)  # of three cameras
SPREADS = np.array([1, 1, 1, 1, 1, 1, 1, 0.1])  # the last feature hardly varies within a camera


def draw(means, images, seed):
    """Features of `images` images around each mean, logits that are their first three, and labels."""
    rng = np.random.default_rng(seed)
    hidden = np.concatenate([mean + SPREADS * rng.normal(size=(images, len(SPREADS))) for mean in means])
    return Activations(hidden, hidden[:, : len(MEANS)]), np.repeat(np.arange(len(means)), images)


@pytest.fixture
def training():
    return draw(MEANS, 60, seed=0)


@pytest.mark.parametrize("name", SCORES)
def test_features_far_from_all_cameras_have_higher_scores(name, training):
    score = fit_score(name, *training)
    known, _ = draw(MEANS, 40, seed=1)
    unknown, _ = draw(np.zeros((1, 8)), 120, seed=2)
    assert np.mean(score(unknown)[:, None] > score(known)) > 0.9


def test_mahalanobis_counts_a_difference_in_units_of_its_variation(training):
    score = fit_score("mahalanobis", *training)
    steady, varying = (MEANS[:1] + step * np.eye(8)[[axis]] for axis, step in ((7, 1.0), (6, 1.0)))
    found = score(Activations(np.concatenate([steady, varying]), np.zeros((2, 3))))
    assert found[0] > 2 * found[1]


def test_mahalanobis_of_a_class_mean_is_near_zero(training):
    score = fit_score("mahalanobis", *training)
    assert score(Activations(MEANS, MEANS[:, :3])).max() < 1


def test_mahalanobis_takes_fewer_images_than_features():
    training, labels = draw(MEANS, 2, seed=0)
    assert np.isfinite(fit_score("mahalanobis", training, labels)(training)).all()


def test_energy_and_probability_depend_on_logits_alone(training):
    logits = np.array([[1.0, 2.0, 3.0], [9.0, 0.0, 0.0]])
    images = Activations(np.zeros((2, 8)), logits)
    np.testing.assert_allclose(fit_score("energy", *training)(images), -np.log(np.exp(logits).sum(axis=1)))
    np.testing.assert_allclose(fit_score("probability", *training)(images), 1 - softmax(logits, axis=1).max(axis=1))


def test_neighbors_ignore_the_length_of_features(training):
    score = fit_score("neighbors", *training)
    images, _ = draw(MEANS, 5, seed=3)
    np.testing.assert_allclose(score(Activations(7 * images.hidden, images.logits)), score(images))


def test_neighbors_take_fewer_training_images_than_they_count():
    training, labels = draw(MEANS, 1, seed=0)
    assert np.isfinite(fit_score("neighbors", training, labels)(training)).all()


def test_an_unknown_name_lists_the_scores(training):
    with pytest.raises(InputError, match="unknown score 'odin'; known: probability, energy, mahalanobis, neighbors"):
        fit_score("odin", *training)
