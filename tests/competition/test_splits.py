"""Validation shares no device, day or burst with training if possible, and notes say so otherwise."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from competition.splits import (
    BURST_GAP,
    SAME_BURST,
    SAME_DAY,
    SAME_DEVICE,
    UNKNOWN_DATE,
    UNKNOWN_DEVICE,
    assign_validation,
    limit_photos,
    validation_images,
)
from competition.utils.errors import InputError
from tests.manifests import manifest, manifests

fractions = st.floats(0.05, 0.95)


def bursts(rows: pd.DataFrame) -> pd.Series:
    """The number of each dated row's burst, by path."""
    dated = rows.dropna(subset="taken_at").sort_values(["taken_at", "path"])
    return pd.Series((pd.to_datetime(dated["taken_at"]).diff() > BURST_GAP).cumsum().to_numpy(), index=dated["path"])


@settings(max_examples=100, deadline=None)
@given(manifests, fractions, st.integers(0, 9))
def test_validation_and_training_share_nothing_avoidable(table, fraction, seed):
    split, notes = assign_validation(table, seed=seed, fraction=fraction)
    noted: dict[str, set[str]] = {"x": set(), "y": set()}
    for reason, cameras in (note.split(": ") for note in notes):
        for camera in table["camera"].unique() if cameras == "every camera" else cameras.split(", "):
            noted[camera].add(reason)
    for camera, rows in split.groupby("camera"):
        validation, training = (rows[rows["split"] == name] for name in ("validation", "train"))
        assert len(validation) >= 1
        assert len(training) >= 2
        devices = set(rows["device"].dropna())
        if len(devices) > 1:
            assert not set(validation["device"]) & set(training["device"])
            assert (UNKNOWN_DEVICE in noted[camera]) == rows["device"].isna().any()
            continue
        assert (SAME_DEVICE in noted[camera]) == rows["device"].notna().all()
        assert (UNKNOWN_DATE in noted[camera]) == rows["taken_at"].isna().any()
        burst = bursts(rows)
        if len(set(burst)) > 1:
            assert not set(burst.reindex(validation["path"])) & set(burst.reindex(training["path"]).dropna())
            days = {name: set(part["taken_at"].str[:10].dropna()) for name, part in rows.groupby("split")}
            assert SAME_DAY in noted[camera] or len(days["validation"] & days["train"]) <= 1  # a burst past midnight
        else:
            assert (SAME_BURST in noted[camera]) == (len(burst) > 0)


@settings(max_examples=30, deadline=None)
@given(manifests, st.randoms(use_true_random=False))
def test_the_order_of_rows_has_no_effect(table, random):
    order = random.sample(range(len(table)), len(table))
    one, notes = assign_validation(table, seed=1)
    other, other_notes = assign_validation(table.iloc[order], seed=1)
    pd.testing.assert_frame_equal(other.sort_index(), one)
    assert notes == other_notes


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 300), min_size=20, max_size=60, unique=True), st.integers(0, 9))
def test_about_a_fifth_becomes_validation_if_groups_are_small(hours, seed):
    table = manifest({"x": [("a", 60 * hour) for hour in hours]})
    split, _ = assign_validation(table, seed=seed)
    assert 0.1 <= (split["split"] == "validation").mean() <= 0.4


def test_days_are_kept_together_if_there_are_many():
    table = manifest({"x": [("a", 1440 * day + 20 * shot) for day in range(10) for shot in range(3)]})
    split, notes = assign_validation(table, seed=0)
    assert all(len(set(day)) == 1 for _, day in split.groupby(split["taken_at"].str[:10])["split"])
    assert notes == [f"{SAME_DEVICE}: every camera"]


def test_other_seeds_choose_other_photos():
    table = manifest({"x": [("a", 60 * hour) for hour in range(100)]})
    assert len({tuple(assign_validation(table, seed=seed)[0]["split"]) for seed in range(5)}) > 1


def test_test_rows_are_unchanged():
    table = manifest({"x": [(None, None)] * 5})
    test = table.head(1).assign(path="test/a_unalt.tif", camera=None, split="test")
    split, _ = assign_validation(pd.concat([table, test], ignore_index=True), seed=0)
    assert split["split"].tolist().count("test") == 1
    assert split.loc[split["split"] == "test", "path"].tolist() == ["test/a_unalt.tif"]


def test_too_few_photos_are_rejected():
    with pytest.raises(InputError, match=r"y has 2; each camera needs at least 3"):
        assign_validation(manifest({"x": [("a", 0)] * 9, "y": [("a", 0)] * 2}), seed=0)


def test_photos_beyond_the_limit_of_a_split_are_left_out():
    table, _ = assign_validation(manifest({"x": [("a", 60 * hour) for hour in range(100)]}), seed=0)
    counts = table["split"].value_counts()
    limited = limit_photos(table, "validation", 3, seed=0)
    assert limited["split"].value_counts().to_dict() == {"train": counts["train"], "validation": 3}
    pd.testing.assert_frame_equal(limited, table.loc[limited.index])
    assert limit_photos(table, "train", None, seed=0) is table
    assert limit_photos(table, "train", int(counts["train"]), seed=0) is table


@pytest.mark.parametrize("fraction", [0.0, 1.0, -1.0, float("nan")])
def test_a_fraction_out_of_range_is_rejected(fraction):
    with pytest.raises(InputError, match="between 0 and 1"):
        assign_validation(manifest({"x": [("a", 0)] * 9}), seed=0, fraction=fraction)


NAMES = ("jpeg70", "resize0.5", "gamma0.8")


@settings(max_examples=30, deadline=None)
@given(manifests, st.integers(0, 9))
def test_every_validation_photo_is_listed_unaltered_and_manipulated(table, seed):
    split, _ = assign_validation(table, seed=0)
    images = validation_images(split, NAMES, lambda height, width, name: True, seed)
    paths = sorted(split.loc[split["split"] == "validation", "path"])
    assert images["path"].tolist() == np.repeat(paths, 2).tolist()
    assert images["is_manipulated"].tolist() == [False, True] * len(paths)
    assert (images.loc[~images["is_manipulated"], "manipulation"] == "unaltered").all()
    assert list(images.columns) == ["path", "camera", "manipulation", "is_manipulated"]
    for _, rows in images[images["is_manipulated"]].groupby("camera"):
        counts = rows["manipulation"].value_counts().reindex(NAMES, fill_value=0)
        assert counts.max() - counts.min() <= 1
    again = validation_images(split.sample(frac=1, random_state=seed), NAMES, lambda *_: True, seed)
    pd.testing.assert_frame_equal(images, again)


def test_only_manipulations_that_fit_are_chosen():
    split, _ = assign_validation(manifest({"x": [("a", 60 * hour) for hour in range(50)]}), seed=0)
    images = validation_images(split, NAMES, lambda height, width, name: height > 480 or name == "gamma0.8", 0)
    assert set(images["manipulation"]) == {"unaltered", "gamma0.8"}
    with pytest.raises(InputError, match=r"640x480\) is too small"):
        validation_images(split, NAMES, lambda height, width, name: False, 0)
