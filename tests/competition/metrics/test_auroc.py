import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from competition.metrics.auroc import auroc, resampled_auroc

images = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2).filter(
    lambda rows: len({positive for _, positive in rows}) == 2
)


@given(images)
def test_area_equals_that_of_scikit_learn(rows):
    scores, positive = zip(*rows, strict=True)
    assert auroc(scores, positive) == pytest.approx(roc_auc_score(positive, scores))


@given(images)
def test_reversed_scores_give_the_complement(rows):
    scores, positive = (np.array(column) for column in zip(*rows, strict=True))
    assert auroc(-scores, positive) == pytest.approx(1 - auroc(scores, positive))


def test_interval_contains_the_area_and_shrinks_with_more_photos():
    rng = np.random.default_rng(0)
    widths = []
    for count in (40, 640):
        positive = np.arange(count) % 2 == 0
        found = resampled_auroc(rng.normal(size=count) + positive, positive, np.arange(count))
        low, high = found.interval
        assert low < found.value < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 2


def test_images_of_one_photo_are_drawn_together():
    positive = np.array([False, False, True, True])
    found = resampled_auroc([0, 2, 1, 3], positive, ["a", "a", "b", "b"])
    assert set(found.draws) == {found.value}


@pytest.mark.parametrize(
    ("scores", "positive", "message"),
    [([1, 2], [True, True], "2 positive of 2"), ([1, np.nan], [True, False], "without NaN")],
)
def test_invalid_scores_are_rejected(scores, positive, message):
    with pytest.raises(ValueError, match=message):
        auroc(scores, positive)
