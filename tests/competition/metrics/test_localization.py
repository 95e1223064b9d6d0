import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, jaccard_score, matthews_corrcoef

from competition.metrics.localization import (
    average_precision,
    balanced_iou,
    f1,
    iou_as_published,
    mcc,
    score_map,
    summarize_detection,
    summarize_maps,
    threshold_curve,
)
from competition.utils.errors import InputError

PERMUTED = ("average_precision", "best_f1", "best_mcc", "best_iou", "f1", "mcc", "iou_as_published")


@st.composite
def scored_pixels(draw):
    """Few different scores, exact in binary, so that ties and 1 − score are exact. Both truths occur."""
    truth = draw(st.lists(st.booleans(), min_size=2, max_size=30).filter(lambda some: 0 < sum(some) < len(some)))
    scores = draw(st.lists(st.integers(0, 8), min_size=len(truth), max_size=len(truth)))
    return np.array(scores) / 8, np.array(truth)


@pytest.fixture
def mask():
    mask = np.zeros((200, 300), dtype=bool)
    mask[40:100, 60:120] = True  # 6 %
    return mask


def masks_at_every_threshold(scores):
    """The marked pixels at every threshold, and at one above all scores."""
    return [scores >= threshold for threshold in (np.inf, *np.unique(scores)[::-1])]


@given(scored_pixels())
def test_average_precision_is_the_mean_precision_at_each_positive(pixels):
    scores, truth = pixels
    at_each = [truth[scores >= score].mean() for score in scores[truth]]
    assert average_precision(threshold_curve(scores, truth)) == pytest.approx(np.mean(at_each))
    assert np.mean(at_each) == pytest.approx(average_precision_score(truth, scores))


@settings(max_examples=25)
@given(scored_pixels())
def test_curves_agree_with_scikit_learn_at_every_threshold(pixels):
    scores, truth = pixels
    curve, markings = threshold_curve(scores, truth), masks_at_every_threshold(scores)
    assert f1(curve) == pytest.approx([f1_score(truth, marked) for marked in markings])
    assert mcc(curve) == pytest.approx([matthews_corrcoef(truth, marked) for marked in markings])
    ious = [(jaccard_score(truth, marked) + jaccard_score(~truth, ~marked)) / 2 for marked in markings]
    assert balanced_iou(curve) == pytest.approx(ious)


@given(scored_pixels(), st.floats(0, 1))
def test_a_chosen_threshold_marks_equal_and_higher_scores(pixels, threshold):
    scores, truth = pixels
    expected = f1_score(truth, scores >= threshold)
    assert f1(threshold_curve(scores, truth).at([threshold]))[0] == pytest.approx(expected)


@given(scored_pixels())
def test_the_inverted_curve_is_the_curve_of_inverted_scores(pixels):
    scores, truth = pixels
    inverted, direct = threshold_curve(scores, truth).inverted(), threshold_curve(1 - scores, truth)
    for name in ("thresholds", "true_positives", "false_positives"):
        assert getattr(inverted, name) == pytest.approx(getattr(direct, name))


@given(scored_pixels())
def test_inverting_a_map_changes_no_score(pixels):
    scores, truth = (part[None] for part in pixels)
    one, other = score_map(scores, truth), score_map(1 - scores, truth)
    assert all(one[name] == pytest.approx(other[name]) for name in one)


@given(scored_pixels())
def test_permuted_average_precision_is_the_better_one_of_both_maps(pixels):
    scores, truth = pixels
    better = max(average_precision_score(truth, scores), average_precision_score(truth, 1 - scores))
    assert score_map(scores[None], truth[None])["average_precision"] == pytest.approx(better)


@pytest.mark.parametrize("invert", [False, True])
def test_a_perfect_map_scores_one(mask, invert):
    scores = score_map(mask.astype(float) if not invert else 1 - mask.astype(float), mask)
    assert [scores[name] for name in PERMUTED] == pytest.approx([1] * len(PERMUTED), abs=0.04)
    del scores["iou_as_published"], scores["area"]
    assert set(scores.values()) == {1.0}


def test_a_random_map_scores_chance(mask):
    scores = score_map(np.random.default_rng(0).random(mask.shape), mask)
    assert scores["area"] == pytest.approx(0.06)
    assert scores["average_precision"] == pytest.approx(0.06, abs=0.01)
    assert scores["best_f1"] == pytest.approx(2 * 0.06 / 1.06, abs=0.01)
    assert abs(scores["best_mcc"]) < 0.03 and abs(scores["mcc"]) < 0.03
    assert scores["best_iou"] == pytest.approx(0.47, abs=0.01)


def test_the_published_iou_of_a_random_map_is_above_one_half(mask):
    heat_map = np.random.default_rng(0).random(mask.shape)
    scores = score_map(heat_map, mask)
    assert scores["iou_as_published"] == pytest.approx((1 + 0.06) / 2, abs=0.005)
    assert scores["iou_as_published"] > scores["best_iou"] + 0.05


@pytest.mark.parametrize("exponent", [1, 3])
def test_the_published_iou_is_that_of_the_released_code(mask, exponent):
    small, heat_map = mask[::5, ::5], np.random.default_rng(1).random((40, 60)) ** exponent
    heat_map[small] += 0.2
    heat_map /= heat_map.max()
    label = small.astype(np.uint8)[..., None]
    marked = heat_map[..., None] >= np.linspace(0, 1, 1000)
    classes = []
    for predicted, true in ((marked, label), (~marked, ~label)):
        both, either = np.logical_and(predicted, true).sum((0, 1)), np.logical_or(predicted, true).sum((0, 1))
        classes.append((both / either).max())
    curve = threshold_curve(heat_map.ravel(), small.ravel())
    assert classes[1] > 0.99
    assert iou_as_published(curve) == pytest.approx(np.mean(classes))


def test_invalid_masks_are_rejected(mask):
    heat_map = np.zeros(mask.shape)
    for wrong, message in (
        (np.zeros_like(mask), "marks no pixel"),
        (np.ones_like(mask), "marks every pixel"),
        (mask[:, 1:], r"shape \(200, 299\) and the map \(200, 300\)"),
        (mask.astype(np.uint8), "uint8"),
    ):
        with pytest.raises(InputError, match=message):
            score_map(heat_map, wrong)


@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan])
def test_a_map_outside_its_range_is_rejected(mask, value):
    heat_map = np.zeros(mask.shape)
    heat_map[0, 0] = value
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        score_map(heat_map, mask)


@pytest.mark.parametrize(
    "scores, truth",
    [([0.1, 0.2], [True]), ([0.1, 0.2], [1, 0]), ([0.1, np.nan], [True, False]), ([0.1, 0.2], [True, True])],
)
def test_a_curve_needs_finite_scores_and_both_truths(scores, truth):
    with pytest.raises(ValueError):
        threshold_curve(scores, truth)


def test_the_summary_is_the_mean_over_forged_images(mask):
    rng = np.random.default_rng(2)
    scores = [score_map(np.clip(mask * strength + rng.random(mask.shape), 0, 1), mask) for strength in (0, 0.3, 0.6)]
    summary = summarize_maps(scores)
    assert summary["p_map"] == pytest.approx(np.mean([image["average_precision"] for image in scores]))
    assert summary["best_iou"] == pytest.approx(np.mean([image["best_iou"] for image in scores]))
    low, high = summary["interval"]
    assert low < summary["p_map"] < high
    assert summary["images"] == 3
    with pytest.raises(InputError, match="no forged image"):
        summarize_maps([])


def test_the_detection_score_is_average_precision_over_images():
    rng = np.random.default_rng(3)
    forged = np.arange(60) % 3 == 0
    scores = rng.normal(forged * 1.0)
    summary = summarize_detection(scores, forged)
    assert summary["detection_map"] == pytest.approx(average_precision_score(forged, scores))
    assert summary["chance"] == pytest.approx(1 / 3) and summary["images"] == 60
    low, high = summary["interval"]
    assert low < summary["detection_map"] < high
    assert summarize_detection(forged.astype(float), forged)["interval"] == [1, 1]
    with pytest.raises(InputError, match="all images are forged; detection needs both kinds"):
        summarize_detection(scores, np.ones(60, dtype=bool))
