import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from competition.utils.errors import InputError
from submissions.blending import DEFAULT, KINDS, blend

kinds = st.sampled_from(sorted(KINDS))


@st.composite
def stacks(draw):
    """Probabilities (members, images, classes), zeros and certainties among them."""
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
def test_the_order_of_members_does_not_matter(stack, kind, random):
    order = random.sample(range(len(stack)), len(stack))
    np.testing.assert_allclose(blend(stack[order], kind), blend(stack, kind), atol=1e-12)


@given(stacks(), kinds, st.integers(1, 4))
def test_members_that_agree_are_not_changed(stack, kind, copies):
    np.testing.assert_allclose(blend(np.repeat(stack[:1], copies, axis=0), kind), stack[0], atol=1e-12)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8), kinds, st.integers(1, 4))
def test_certain_members_that_agree_decide(labels, kind, members):
    blended = blend(np.repeat(np.eye(4)[labels][None], members, axis=0), kind)
    assert blended.argmax(axis=1).tolist() == labels


@given(stacks(), kinds)
def test_each_image_is_blended_alone(stack, kind):
    np.testing.assert_allclose(blend(stack[:, :1], kind), blend(stack, kind)[:1], atol=1e-12)


def test_kinds_by_hand():
    stack = np.array([[[0.9, 0.1]], [[0.5, 0.5]]])
    roots = np.sqrt([(0.81 + 0.25) / 2, (0.01 + 0.25) / 2])
    products = np.sqrt([0.45, 0.05])
    np.testing.assert_allclose(blend(stack, "arithmetic"), [[0.7, 0.3]])
    np.testing.assert_allclose(blend(stack, "quadratic"), [roots / roots.sum()])
    np.testing.assert_allclose(blend(stack, "geometric"), [products / products.sum()])


def test_geometric_survives_members_that_exclude_each_other():
    np.testing.assert_allclose(blend(np.eye(3)[:2, None], "geometric"), [[0.5, 0.5, 0]], atol=1e-12)


def test_the_default_is_a_kind():
    assert DEFAULT in KINDS


def test_an_unknown_kind_is_told_the_known_ones():
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
def test_what_is_no_probability_is_refused(values, kind):
    with pytest.raises(ValueError, match="expected"):
        blend(values, kind)
