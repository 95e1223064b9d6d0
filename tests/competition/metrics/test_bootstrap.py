"""Resampling keeps groups together and strata at their sizes; intervals are as wide as statistics predicts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from competition.metrics.bootstrap import paired_interval, percentile_interval, resample, resample_sums, sum_groups

strata_of_groups = st.lists(st.integers(0, 2), min_size=1, max_size=8)


def share(sums):
    """The mean of column 0 over all strata: (strata, draws, 2) → (draws,)."""
    return sums[..., 0].sum(axis=0) / sums[..., 1].sum(axis=0)


@given(strata_of_groups, st.lists(st.integers(0, 7), max_size=12), st.integers(0, 9))
def test_resampled_sets_have_complete_groups_and_strata_of_the_same_sizes(of_group, more, seed):
    groups = np.array([*range(len(of_group)), *(number % len(of_group) for number in more)])  # every group occurs
    strata = np.array(of_group)[groups]
    for drawn in resample(groups, strata, seed, draws=3):
        times = np.bincount(drawn, minlength=len(groups))
        for name in np.unique(groups):
            assert len(set(times[groups == name])) == 1
        first = np.unique(groups, return_index=True)[1]
        for name in np.unique(strata):
            chosen = first[strata[first] == name]
            assert times[chosen].sum() == len(chosen)
        assert (np.diff(drawn) >= 0).all()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=12))
def test_group_sums_are_those_of_a_loop(rows):
    groups, values = (np.array(part) for part in zip(*rows, strict=True))
    expected = [[values[groups == name].sum(), (groups == name).sum()] for name in np.unique(groups)]
    assert sum_groups(np.stack([values, np.ones_like(values)], axis=1), groups).tolist() == expected


@given(strata_of_groups, st.integers(0, 9))
def test_resampled_sums_have_as_many_groups_per_stratum(of_group, seed):
    sums = np.stack([np.arange(len(of_group)), np.ones(len(of_group))], axis=1)
    drawn = resample_sums(sums, of_group, seed, draws=5)
    assert drawn.shape == (len(set(of_group)), 5, 2)
    for of_stratum, name in zip(drawn, sorted(set(of_group)), strict=True):
        members = np.flatnonzero(np.array(of_group) == name)
        assert (of_stratum[:, 1] == len(members)).all()
        assert (of_stratum[:, 0] >= members.min() * len(members)).all()
        assert (of_stratum[:, 0] <= members.max() * len(members)).all()


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution():
    values = np.random.default_rng(4).normal(0, 1, 400)
    low, high = percentile_interval([values[drawn].mean() for drawn in resample(np.arange(400))])
    assert high - low == pytest.approx(2 * 1.96 / 20, rel=0.15)
    low, high = percentile_interval(share(resample_sums(np.stack([values, np.ones(400)], axis=1))))
    assert high - low == pytest.approx(2 * 1.96 / 20, rel=0.15)


def test_both_ways_of_resampling_give_the_same_distribution():
    rng = np.random.default_rng(0)
    groups, strata = np.arange(90) // 3, np.arange(90) // 45
    correct = rng.random(90) < 0.7
    by_index = [correct[drawn].mean() for drawn in resample(groups, strata, draws=4000)]
    sums = sum_groups(np.stack([correct, np.ones(90)], axis=1), groups)
    by_sums = share(resample_sums(sums, strata[::3], draws=4000))
    np.testing.assert_allclose(percentile_interval(by_index), percentile_interval(by_sums), atol=0.012)
    assert np.std(by_index) == pytest.approx(np.std(by_sums), rel=0.08)


def test_the_percentile_interval_takes_samples_of_any_shape():
    samples = np.arange(101)[:, None] * np.array([1, 10])
    np.testing.assert_allclose(percentile_interval(samples, level=0.9), [[5, 50], [95, 950]])


def test_the_same_seed_gives_the_same_sets():
    first, again, other = (np.stack(list(resample(np.arange(20), seed=seed, draws=3))) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_a_paired_interval_is_narrow_for_entries_that_fail_together():
    rng = np.random.default_rng(1)
    ones = np.ones(300)
    first = rng.random(300) < 0.7
    similar = np.where(rng.random(300) < 0.03, ~first, first)
    unrelated = rng.random(300) < 0.7
    widths = []
    for second in (similar, unrelated):
        one, other = (np.stack([correct, ones], axis=1) for correct in (first, second))
        low, high = paired_interval(one, other, share)
        difference = first.mean() - second.mean()
        assert low <= difference <= high
        assert paired_interval(other, one, share) == pytest.approx([-high, -low], abs=0.02)
        widths.append(high - low)
    assert widths[0] < 0.4 * widths[1]


def test_the_paired_interval_of_an_entry_with_itself_is_zero():
    sums = np.stack([np.arange(10) % 2, np.ones(10)], axis=1)
    assert paired_interval(sums, sums, share, strata=np.arange(10) // 5).tolist() == [0, 0]


def test_a_paired_interval_contains_the_true_difference_as_often_as_it_claims():
    rng = np.random.default_rng(2)
    inside = 0
    for seed in range(200):
        hard = rng.random(150) < 0.5
        one, other = (np.stack([rng.random(150) < np.where(hard, p, 0.95), np.ones(150)], axis=1) for p in (0.6, 0.4))
        low, high = paired_interval(one, other, share, seed=seed)
        inside += low <= 0.1 <= high
    assert 0.88 <= inside / 200 <= 0.99


def test_entries_with_different_groups_are_rejected():
    with pytest.raises(ValueError, match=r"shapes \(3, 2\) and \(4, 2\)"):
        paired_interval(np.ones((3, 2)), np.ones((4, 2)), share)
