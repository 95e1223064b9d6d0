"""Fitted blends find the members that are worth it, and are measured on images that they were not fitted to."""

import numpy as np
import pytest
from scipy.special import softmax

from competition.metrics.log_loss import log_losses
from competition.utils.errors import InputError
from submissions.blend_weights import METHODS, fit, nested, photo_groups

CLASSES = 3


def images(count, skill, seed=0):
    """Truth (images,), flags and the probabilities of members that know the truth by their `skill`."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, CLASSES, count)
    logits = rng.normal(size=(len(skill), count, CLASSES)) + np.array(skill)[:, None, None] * np.eye(CLASSES)[truth]
    return softmax(logits, axis=-1), truth, rng.random(count) < 0.5


@pytest.mark.parametrize("method", METHODS)
def test_rows_sum_to_one_on_other_images(method):
    blend = fit(method, *images(40, [2, 1]))
    values, _, flags = images(7, [2, 1], seed=1)
    blended = blend(values, flags)
    assert blended.shape == (7, CLASSES)
    assert (blended >= 0).all()
    np.testing.assert_allclose(blended.sum(axis=1), 1)


@pytest.mark.parametrize("method", METHODS)
def test_a_member_that_guesses_is_left_out(method):
    values, truth, flags = images(300, [3, 0, 0])
    blended = nested(method, values, truth, flags, photo_groups(np.arange(300).astype(str)))
    assert log_losses(blended, truth).mean() < log_losses(values.mean(axis=0), truth).mean()


def test_optimized_weights_have_the_lowest_log_loss_on_the_simplex():
    values, truth, flags = images(100, [2, 1.5, 0])
    best = log_losses(fit("optimized", values, truth, flags)(values, flags), truth).mean()
    for weights in np.random.default_rng(0).dirichlet(np.ones(3), 300):
        assert best <= log_losses(np.tensordot(weights, values, 1), truth).mean() + 1e-6


@pytest.mark.parametrize("method", ["optimized", "selection"])
def test_equal_members_in_another_order_give_the_same_blend(method):
    values, truth, flags = images(60, [2, 1])
    one = fit(method, values, truth, flags)(values, flags)
    other = fit(method, values[::-1], truth, flags)(values[::-1], flags)
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_stacking_uses_the_flag():
    """The member names the next class for manipulated images; only the flag can tell."""
    truth = np.arange(200) % 2
    flags = np.arange(200) // 2 % 2 == 1
    values = np.full((1, 200, 2), 0.5)
    truth = np.where(flags, 1, 0)
    blend = fit("stacking", values, truth, flags)(values, flags)
    np.testing.assert_array_equal(blend.argmax(axis=1), truth)


@pytest.mark.parametrize("method", METHODS)
def test_nested_predictions_of_an_image_do_not_depend_on_its_own_truth(method):
    values, truth, flags = images(40, [2, 1])
    groups = photo_groups(np.arange(40).astype(str))
    before = nested(method, values, truth, flags, groups)
    changed = truth.copy()
    changed[0] = (truth[0] + 1) % CLASSES
    after = nested(method, values, changed, flags, groups)
    np.testing.assert_array_equal(before[groups == groups[0]], after[groups == groups[0]])
    assert (before != after).any()


def test_images_of_a_photo_are_in_one_group():
    groups = photo_groups(np.repeat([f"{n}.jpg" for n in range(9)], 2))
    np.testing.assert_array_equal(groups[::2], groups[1::2])
    assert len(set(groups)) == 5


def test_unknown_blend_lists_the_known_ones():
    with pytest.raises(InputError, match="unknown blend 'median'; known: optimized, selection, stacking"):
        fit("median", *images(9, [1, 1]))


def test_stacking_of_one_camera_raises():
    values, truth, flags = images(9, [1, 1])
    with pytest.raises(InputError, match="stacking needs validation images of at least 2 cameras"):
        fit("stacking", values, np.zeros_like(truth), flags)
