"""Every training photo is in one fold, and folds share no device, day or burst if possible."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from competition.folds import FEW_DEVICES, assign_folds
from competition.splits import BURST_GAP, SAME_BURST, SAME_DAY, SAME_DEVICE, UNKNOWN_DATE, UNKNOWN_DEVICE
from competition.utils.errors import InputError
from tests.manifests import manifest, manifests

DAY = 24 * 60  # minutes


def folds_of(values: pd.Series, folds: pd.Series) -> int:
    """The largest number of folds that share one of the known values."""
    return int(folds.groupby(values).nunique().max()) if values.notna().any() else 0


@settings(max_examples=100, deadline=None)
@given(manifests, st.integers(2, 4), st.integers(0, 9))
def test_each_photo_has_one_fold_and_folds_share_nothing_but_what_the_notes_say(table, count, seed):
    try:
        found, notes = assign_folds(table, count, seed)
    except InputError:
        assume(False)
    assert sorted(found.index) == sorted(table["path"])
    noted: dict[str, set[str]] = {"x": set(), "y": set()}
    for reason, cameras in (note.split(": ") for note in notes):
        for camera in table["camera"].unique() if cameras == "every camera" else cameras.split(", "):
            noted[camera].add(reason)
    for camera, rows in table.groupby("camera"):
        folds = rows["path"].map(found)
        assert set(folds) == set(range(count))
        if not noted[camera] & {SAME_DEVICE, FEW_DEVICES, UNKNOWN_DEVICE}:
            assert folds_of(rows["device"], folds) == 1
        if SAME_BURST not in noted[camera] and noted[camera] & {SAME_DEVICE, FEW_DEVICES}:
            dated = rows.dropna(subset="taken_at").sort_values(["taken_at", "path"])
            burst = (pd.to_datetime(dated["taken_at"]).diff() > BURST_GAP).cumsum()
            assert folds_of(burst, folds.loc[dated.index]) <= 1


def test_folds_do_not_depend_on_the_order_of_the_rows():
    table = manifest({"x": [("a", DAY * day) for day in range(9)], "y": [(None, None)] * 9})
    first, _ = assign_folds(table, 3, seed=1)
    second, _ = assign_folds(table.sample(frac=1, random_state=0), 3, seed=1)
    pd.testing.assert_series_equal(first, second)
    assert not first.equals(assign_folds(table, 3, seed=2)[0])


def test_folds_are_about_equally_large_for_each_camera_and_in_total():
    table = manifest({name: [("a", DAY * day) for day in range(7)] for name in ("x", "y", "z")})
    found, notes = assign_folds(table, 3, seed=0)
    assert notes == [f"{SAME_DEVICE}: every camera"]
    assert found.groupby(found.index.str[:7]).value_counts().max() == 3
    assert found.value_counts().tolist() == [7, 7, 7]


@pytest.mark.parametrize(
    ("shots", "note"),
    [
        ([("a", DAY * n) for n in range(3)] + [("b", DAY * n) for n in range(3)], FEW_DEVICES),
        ([("a", 60 * n) for n in range(6)], SAME_DAY),
        ([("a", n) for n in range(6)], SAME_BURST),
        ([("a", None)] * 6, UNKNOWN_DATE),
        ([(None, DAY * n) for n in range(6)], UNKNOWN_DEVICE),
    ],
)
def test_notes_say_what_folds_share(shots, note):
    assert f"{note}: every camera" in assign_folds(manifest({"x": shots}), 3, seed=0)[1]


def test_photos_of_one_burst_are_divided_in_the_order_of_time():
    found, _ = assign_folds(manifest({"x": [("a", minute) for minute in range(6)]}), 3, seed=0)
    assert found.tolist() == np.repeat(found.unique(), 2).tolist()
    assert found.nunique() == 3


def test_more_folds_than_groups_raise_in_one_line():
    table = manifest({"x": [("a", 0), ("a", 1), ("a", DAY), ("a", DAY + 1)], "y": [("a", DAY * n) for n in range(4)]})
    with pytest.raises(InputError, match=r"3 folds need 3 groups .* but x has 2; choose fewer folds") as caught:
        assign_folds(table, 3, seed=0)
    assert "\n" not in str(caught.value)


def test_one_fold_raises():
    with pytest.raises(InputError, match="received 1 folds; expected at least 2"):
        assign_folds(manifest({"x": [("a", 0)] * 3}), 1, seed=0)
