"""Blends are means of the right kind, sum to one, and average views only for members that use TTA."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from competition.settings import SETTINGS
from competition.utils.errors import InputError
from submissions.blending import DEFAULT, KINDS, average_views, blend, blend_members, settings_entries
from submissions.prediction_cache import Predictions, load_members
from submissions.tasks import JOINT_HEAD, Task

kinds = st.sampled_from(sorted(KINDS))


@st.composite
def stacks(draw):
    """Probabilities (members, images, classes), including zeros and ones."""
    shape = draw(st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(2, 5)))
    weights = draw(arrays(np.float64, shape, elements=st.sampled_from([0, 0, 1e-6, 0.1, 0.5, 1.0, 3.0])))
    sums = weights.sum(axis=-1, keepdims=True)
    return np.divide(weights, sums, out=np.full(shape, 1 / shape[-1]), where=sums > 0)


@given(stacks(), kinds)
def test_blends_sum_to_one(stack, kind):
    blended = blend(stack, kind)
    assert blended.shape == stack.shape[1:] and blended.dtype == np.float64
    assert (blended >= 0).all()
    np.testing.assert_allclose(blended.sum(axis=1), 1)


@given(stacks(), kinds, st.randoms())
def test_blend_does_not_depend_on_the_order_of_members(stack, kind, random):
    order = random.sample(range(len(stack)), len(stack))
    np.testing.assert_allclose(blend(stack[order], kind), blend(stack, kind), atol=1e-12)


@given(stacks(), kinds, st.integers(1, 4))
def test_blend_of_equal_members_equals_the_member(stack, kind, copies):
    np.testing.assert_allclose(blend(np.repeat(stack[:1], copies, axis=0), kind), stack[0], atol=1e-12)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8), kinds, st.integers(1, 4))
def test_members_that_agree_with_certainty_decide(labels, kind, members):
    blended = blend(np.repeat(np.eye(4)[labels][None], members, axis=0), kind)
    assert blended.argmax(axis=1).tolist() == labels


@given(stacks(), kinds)
def test_images_are_blended_independently(stack, kind):
    np.testing.assert_allclose(blend(stack[:, :1], kind), blend(stack, kind)[:1], atol=1e-12)


def test_kinds_match_values_computed_by_hand():
    stack = np.array([[[0.9, 0.1]], [[0.5, 0.5]]])
    roots = np.sqrt([(0.81 + 0.25) / 2, (0.01 + 0.25) / 2])
    products = np.sqrt([0.45, 0.05])
    np.testing.assert_allclose(blend(stack, "arithmetic"), [[0.7, 0.3]])
    np.testing.assert_allclose(blend(stack, "quadratic"), [roots / roots.sum()])
    np.testing.assert_allclose(blend(stack, "geometric"), [products / products.sum()])


def test_geometric_accepts_members_that_exclude_each_other():
    np.testing.assert_allclose(blend(np.eye(3)[:2, None], "geometric"), [[0.5, 0.5, 0]], atol=1e-12)


def test_the_default_is_a_kind():
    assert DEFAULT in KINDS


def test_unknown_kind_lists_the_known_ones():
    with pytest.raises(InputError, match="'median'; known: arithmetic, quadratic, geometric"):
        blend(np.ones((1, 1, 1)), "median")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "values",
    [
        np.eye(3),
        np.ones((0, 2, 3)),
        np.full((1, 1, 2), np.nan),
        np.array([[[1.5, -0.5]]]),
        np.zeros((2, 1, 3)),
    ],
)
def test_invalid_probabilities_raise(values, kind):
    with pytest.raises(ValueError, match="expected"):
        blend(values, kind)


def predictions(views, use_tta=True):
    views = np.array(views, np.float32)[:, None]
    return Predictions(np.array(["a"]), np.array([False]), ("x", "y"), views, use_tta)


def test_average_views_uses_all_views_only_with_tta():
    views = [[0.9, 0.1], [0.1, 0.9]]
    np.testing.assert_allclose(average_views(predictions(views)), [[0.5, 0.5]])
    np.testing.assert_allclose(average_views(predictions(views, use_tta=False)), [[0.9, 0.1]], rtol=1e-6)


@given(kinds)
def test_blend_members_blends_averaged_views(kind):
    members = {"a": predictions([[0.9, 0.1], [0.1, 0.9]]), "b": predictions([[0.8, 0.2], [0.1, 0.9]], use_tta=False)}
    expected = blend(np.array([[[0.5, 0.5]], [[0.8, 0.2]]]), kind)
    np.testing.assert_allclose(blend_members(members, kind), expected, rtol=1e-6)


def test_settings_entries_are_the_members_and_their_quadratic_blend(make_run):
    run = make_run()
    entries = settings_entries(run, "validation")
    assert list(entries) == [*run.recipes, "blend quadratic"]
    for name in SETTINGS:
        first_views = [one.probabilities[0] for one in load_members(run, "validation", name).values()]
        mean = np.sqrt(np.square(np.array(first_views, float)).mean(axis=0))
        expected = mean / mean.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(entries["blend quadratic"][name], expected, rtol=1e-6)


def test_settings_entries_average_the_views_of_a_single_member_with_tta(make_run):
    run = make_run(members=("mobilenet",), use_tta=True)
    views = load_members(run, "validation", "iso")["mobilenet"].probabilities.astype(float)
    mean = np.sqrt(np.square(views).mean(axis=0))
    entries = settings_entries(run, "validation")
    assert list(entries) == ["mobilenet"]
    np.testing.assert_allclose(entries["mobilenet"]["iso"], mean / mean.sum(axis=1, keepdims=True), rtol=1e-6)


def test_settings_entries_of_a_correlated_run_have_the_joint_head_and_its_marginals(make_run):
    entries = settings_entries(make_run(Task("settings", output="correlated")), "validation")
    assert all(set(by_head) == {JOINT_HEAD, *SETTINGS} for by_head in entries.values())


def test_settings_entries_leave_out_members_without_all_predictions(make_run):
    run = make_run()
    run.predictions_file("resnet50", "validation", "iso").unlink()
    assert list(settings_entries(run, "validation")) == ["mobilenet"]
    run.predictions_file("mobilenet", "validation", "aperture").unlink()
    with pytest.raises(InputError, match="has no predictions for validation; run predict first"):
        settings_entries(run, "validation")
