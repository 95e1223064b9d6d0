"""Settings become the bins of Laurence & Murphy (2018), table 1; implausible values become unknown."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from competition.settings import (
    SETTINGS,
    UNKNOWN,
    assign_bins,
    bin_edges,
    bin_labels,
    bin_names,
    find_setting,
    joint_cells,
    quantile_edges,
)
from competition.utils.errors import InputError

COUNTS = (2, 3, 5, 10)
ALL_CASES = [(name, bins) for name in SETTINGS for bins in COUNTS]


@pytest.mark.parametrize(
    ("name", "edges"), [("aperture", [2.8, 4.9]), ("iso", [215.4, 464.2]), ("exposure_time", [0.002154, 0.04642])]
)
def test_three_bins_are_those_of_table_1(name, edges):
    assert bin_edges(name, 3).tolist() == edges


@pytest.mark.parametrize(("name", "bins"), ALL_CASES)
def test_edges_ascend_within_the_range_and_divide_it_evenly(name, bins):
    known, edges = SETTINGS[name], bin_edges(name, bins)
    assert edges.shape == (bins - 1,)
    scale = np.log if known.logarithmic else np.asarray
    marks = scale([known.low, *edges, known.high])
    steps = np.diff(marks)
    assert (steps > 0).all()
    np.testing.assert_allclose(steps, (marks[-1] - marks[0]) / bins, rtol=2e-3)  # four digits


@pytest.mark.parametrize(("name", "bins"), ALL_CASES)
def test_a_value_on_an_edge_belongs_to_the_bin_above(name, bins):
    edges = bin_edges(name, bins)
    assert assign_bins(name, edges, edges).tolist() == list(range(1, bins))
    assert assign_bins(name, edges * (1 - 1e-9), edges).tolist() == list(range(bins - 1))


@pytest.mark.parametrize(("f_number", "bin"), [(28 / 10, 1), (14 / 5, 1), ("2.8", 1), (49 / 10, 2), (2.7, 0)])
def test_common_apertures_on_an_edge_belong_to_the_bin_above(f_number, bin):
    assert assign_bins("aperture", [f_number], bin_edges("aperture", 3)).tolist() == [bin]


@pytest.mark.parametrize(("name", "bins"), ALL_CASES)
def test_values_outside_the_papers_range_belong_to_the_outermost_bins(name, bins):
    known = SETTINGS[name]
    outside = [known.minimum, known.low, known.high, known.maximum]
    assert assign_bins(name, outside, bin_edges(name, bins)).tolist() == [0, 0, bins - 1, bins - 1]


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize(
    "value", [0, 0.0, None, pd.NA, np.nan, np.inf, -np.inf, -2.8, 1e300, 1e-300, "", "auto"], ids=repr
)
def test_implausible_values_are_unknown(name, value):
    """Warnings are errors in tests, so this also shows that no warning is raised."""
    edges = bin_edges(name, 3)
    good = edges[0]
    found = assign_bins(name, [value, good, value], edges)
    assert found.tolist() == [UNKNOWN, 1, UNKNOWN]
    assert found.dtype == np.int32
    assert assign_bins(name, [value], edges).tolist() == [UNKNOWN]


@pytest.mark.parametrize("name", SETTINGS)
def test_values_at_the_limits_are_plausible_and_values_beyond_are_not(name):
    known, edges = SETTINGS[name], bin_edges(name, 2)
    beyond = [known.minimum * 0.99, known.maximum * 1.01]
    assert assign_bins(name, beyond, edges).tolist() == [UNKNOWN, UNKNOWN]
    assert UNKNOWN not in assign_bins(name, [known.minimum, known.maximum], edges)


def test_no_values_give_no_bins():
    assert assign_bins("iso", [], bin_edges("iso", 3)).shape == (0,)


@pytest.mark.parametrize("bins", [-1, 0, 1])
@pytest.mark.parametrize("edges", [bin_edges, lambda name, bins: quantile_edges(name, [100, 200, 400], bins)])
def test_fewer_than_two_bins_are_rejected(edges, bins):
    with pytest.raises(InputError, match=rf"received {bins} bin\(s\); settings need at least 2"):
        edges("iso", bins)


def test_the_error_about_an_unknown_setting_lists_the_known_ones():
    for make in (find_setting, lambda name: bin_edges(name, 3), lambda name: assign_bins(name, [1], [2])):
        with pytest.raises(InputError, match="unknown setting 'shutter'; known: aperture, iso, exposure_time"):
            make("shutter")


@pytest.mark.parametrize("bins", COUNTS)
def test_quantile_bins_of_continuous_values_have_equal_populations(bins):
    values = np.exp(np.random.default_rng(0).normal(np.log(1 / 60), 1.5, 1000))
    population = np.bincount(assign_bins("exposure_time", values, quantile_edges("exposure_time", values, bins)))
    assert len(population) == bins
    assert np.ptp(population) <= 2


@pytest.mark.parametrize(
    ("population", "bins", "expected"),
    [
        ({100: 10, 200: 60, 400: 30}, 2, [70, 30]),  # the edge nearest in value would give 10 and 90
        ({100: 10, 200: 60, 400: 30}, 3, [10, 60, 30]),
        ({100: 97, 200: 1, 400: 1, 800: 1}, 3, [97, 1, 2]),  # most photos in daylight
        ({100: 1, 200: 1, 400: 1, 800: 97}, 3, [2, 1, 97]),
        ({80: 25, 100: 25, 125: 25, 160: 25}, 2, [50, 50]),
    ],
)
def test_quantile_bins_of_repeated_values_are_as_equal_as_possible(population, bins, expected):
    values = np.repeat(list(population), list(population.values()))
    edges = quantile_edges("iso", values, bins)
    assert np.bincount(assign_bins("iso", values, edges)).tolist() == expected


@given(
    st.lists(st.sampled_from([1 / 8000, 1 / 125, 1 / 60, 0.0166667, 1 / 30, 0.5, 1.0, 30.0]), min_size=1),
    st.integers(2, 5),
)
def test_quantile_edges_ascend_between_values_and_leave_no_bin_empty(values, bins):
    different = set(values)
    if len(different) < bins:
        with pytest.raises(InputError, match=rf"{len(different)} different values of exposure_time do not fill {bins}"):
            quantile_edges("exposure_time", values, bins)
        return
    edges = quantile_edges("exposure_time", values, bins)
    assert (np.diff(edges) > 0).all()
    assert not different & set(edges.tolist())
    assert (np.bincount(assign_bins("exposure_time", values, edges), minlength=bins) > 0).all()


def test_values_that_differ_in_the_sixth_digit_get_different_bins():
    values = [0.0100001] * 5 + [0.0100002] * 5
    edges = quantile_edges("exposure_time", values, 2)
    assert assign_bins("exposure_time", values, edges).tolist() == [0] * 5 + [1] * 5


def test_unknown_values_do_not_affect_quantiles():
    values = [1.8] * 4 + [8.0] * 4
    with_unknown = pd.Series([*values, 0, np.nan, None, -1, 1e9], dtype=object)
    assert quantile_edges("aperture", with_unknown, 2).tolist() == quantile_edges("aperture", values, 2).tolist()
    with pytest.raises(InputError, match="0 different values of aperture do not fill 2 bins"):
        quantile_edges("aperture", [0, np.nan], 2)


@pytest.mark.parametrize(
    ("name", "edges", "names"),
    [
        ("aperture", [2.8, 4.9], ("below f/2.8", "f/2.8 to f/4.9", "from f/4.9")),
        ("iso", [316.2], ("below ISO 316.2", "from ISO 316.2")),
        ("iso", [14142.1356], ("below ISO 14140", "from ISO 14140")),
        (
            "exposure_time",
            [0.002154, 0.04642],
            ("below 0.002154 s", "0.002154 s to 0.04642 s", "from 0.04642 s"),
        ),
    ],
)
def test_bin_names_have_the_usual_units(name, edges, names):
    assert bin_names(name, edges) == names


@pytest.mark.parametrize(("name", "bins"), ALL_CASES)
def test_bin_names_are_unique(name, bins):
    assert len(set(bin_names(name, bin_edges(name, bins).tolist()))) == bins


def test_bin_labels_come_from_the_columns_of_the_manifest():
    table = pd.DataFrame({"f_number": [2.8, np.nan], "iso": [100.0, 800.0], "exposure_time": [0.0, 1.0]})
    found = bin_labels(table, {name: bin_edges(name, 3) for name in SETTINGS})
    assert {name: one.tolist() for name, one in found.items()} == {
        "aperture": [1, UNKNOWN],
        "iso": [0, 2],
        "exposure_time": [UNKNOWN, 2],
    }


@pytest.mark.parametrize("counts", [(2, 2, 2), (3, 3, 3), (2, 3, 4)])
def test_joint_cells_are_numbered_like_nested_loops(counts):
    every = list(itertools.product(*map(range, counts)))
    bins = dict(zip("abc", np.array(every, np.int32).T, strict=True))
    found = joint_cells(bins, counts)
    assert found.tolist() == list(range(len(every)))
    assert found.dtype == np.int32


def test_the_joint_cell_is_unknown_if_any_setting_is():
    bins = np.array([[0, UNKNOWN, 2, 2], [1, 1, UNKNOWN, 2], [1, 1, UNKNOWN, 2]], np.int32)
    assert joint_cells(dict(zip(SETTINGS, bins, strict=True)), (3, 3, 3)).tolist() == [4, UNKNOWN, UNKNOWN, 26]
