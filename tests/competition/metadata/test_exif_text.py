"""Values follow the rules, texts follow the options, and private values never appear."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from competition.metadata.exif_tags import ALLOWED
from competition.metadata.exif_text import (
    DISALLOWED,
    MAX_LENGTH,
    ORDERS,
    TextOptions,
    clean_tags,
    common_parts,
    common_tags,
    exif_text,
    has_enough_tags,
)
from competition.utils.errors import InputError

names = st.sampled_from(sorted(ALLOWED.values()))
cleaned = st.dictionaries(names, st.text("aZ09.,/-", min_size=1, max_size=20), max_size=20)
TAGS = {"Model": "M", "Make": "Canon", "FNumber": "2.8"}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("XResolution", "72.9", "72"),
        ("FocalPlaneYResolution", "4786.555", "4786"),
        ("ExposureBiasValue", "-0.667", "-1"),
        ("ExposureBiasValue", "0.333", "0"),
        ("XResolution", "many", "many"),
        ("XResolution", "inf", "inf"),
        ("FocalLength", "35", "35.0"),
        ("FocalLength", "3.81", "3.8"),
        ("ISOSpeedRatings", "200,100", "200"),
        ("ISOSpeedRatings", " 64 0", "64"),
        ("FNumber", "2.8", "2.8"),
        ("Model", "x" * 20, "x" * 20),
        ("Model", "x" * 21, "Unknown"),
        ("Model", "?" * 21, "Unknown"),
        ("Software", "v1.2 (2016:07:28)", "v1.220160728"),
        ("LensModel", "EF f/3.5-5.6 II", "EFf/3.5-5.6II"),
        ("ExposureTime", "1/50", "1/50"),
    ],
)
def test_values_are_cleaned_by_rules(name, value, expected):
    assert clean_tags({name: value}) == {name: expected}


@pytest.mark.parametrize("value", ["", "  ", "カメラ", ","])
def test_a_tag_with_an_empty_value_is_dropped(value):
    assert "ISOSpeedRatings" not in clean_tags({"ISOSpeedRatings": value, "Make": "Canon"})


@given(st.dictionaries(names, st.text("aZ9.: ,é\0カ", max_size=30), max_size=8))
def test_cleaned_values_are_short_and_have_allowed_characters(tags):
    for value in clean_tags(tags).values():
        assert 0 < len(value) <= MAX_LENGTH and not DISALLOWED.search(value)


unusual_names = st.one_of(
    st.text("GPSmake \0", max_size=8),
    st.sampled_from(
        [
            "GPSLatitude",
            "GPS Position",
            "Body Serial Number",
            "make",
            "Make ",
            "Make\0",
            "MAKE",
            "Artist",
            "UserComment",
        ]
    ),
).filter(lambda name: name not in ALLOWED.values())


@given(st.dictionaries(unusual_names, st.just("SECRET"), max_size=6), st.sampled_from(ORDERS), st.booleans())
def test_no_unusual_name_lets_a_private_value_through(private, order, with_names):
    options, rng = TextOptions(order, with_names), np.random.default_rng(0)
    tags = private | TAGS
    assert clean_tags(tags) == TAGS
    for given_tags in (tags, clean_tags(tags)):
        assert "SECRET" not in exif_text(given_tags, tuple(tags), options, rng)
    assert set(common_tags([tags], 0)) == set(TAGS)


@given(st.lists(cleaned, min_size=1, max_size=6), st.floats(0, 1))
def test_common_tags_occur_in_a_share_of_photos_the_most_frequent_first(photos, share):
    counts = {name: sum(name in tags for tags in photos) for name in ALLOWED.values()}
    expected = {name for name, count in counts.items() if count and count >= share * len(photos)}
    if not expected:
        with pytest.raises(InputError, match="EXIF"):
            common_tags(photos, share)
        return
    kept = common_tags(photos, share)
    assert set(kept) == expected
    assert list(kept) == sorted(kept, key=lambda name: (-counts[name], name))
    assert common_tags(photos[::-1], share) == kept


def test_common_tags_occur_in_half_of_the_photos_by_default():
    assert common_tags([{"Make": "a", "Model": "b"}, {"Make": "c"}, {"Make": "d"}, {"Model": "e"}]) == ("Make", "Model")


def test_more_than_ten_of_the_kept_tags_are_needed():
    kept = tuple(ALLOWED.values())[:20]
    photo = dict.fromkeys(kept[:10], "1") | dict.fromkeys(tuple(ALLOWED.values())[20:], "1")
    assert not has_enough_tags(photo, kept)
    assert has_enough_tags(photo | {kept[10]: "1"}, kept)
    assert has_enough_tags(photo, kept, more_than=9)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (TextOptions(), "FNumber: 2.8, Make: Canon"),
        (TextOptions("file"), "Make: Canon, FNumber: 2.8"),
        (TextOptions(names=False), "2.8, Canon"),
    ],
)
def test_texts_follow_the_options(options, text):
    assert exif_text(TAGS, ("FNumber", "Make", "Gamma"), options) == text


@given(cleaned, st.sampled_from(ORDERS), st.integers(0, 99))
def test_every_order_has_the_same_tags(tags, order, seed):
    text = exif_text(tags, sorted(tags), TextOptions(order), np.random.default_rng(seed))
    parts = text.split(", ") if text else []
    assert dict(part.split(": ") for part in parts) == tags and len(parts) == len(tags)


def test_shuffling_and_dropping_follow_the_generator():
    tags = dict.fromkeys(tuple(ALLOWED.values())[:40], "1")
    options = TextOptions("shuffled", drop=0.25)
    texts = [exif_text(tags, tuple(tags), options, np.random.default_rng(seed)) for seed in range(200)]
    assert texts == [exif_text(tags, tuple(tags), options, np.random.default_rng(seed)) for seed in range(200)]
    assert len(set(texts)) == len(texts)
    assert 0.72 < sum(text.count(":") for text in texts) / (200 * 40) < 0.78
    firsts = {text.partition(":")[0] for text in texts}
    assert len(firsts) > 30


@pytest.mark.parametrize(("order", "drop"), [("random", 0), ("fixed", 1), ("fixed", -0.1), ("fixed", float("nan"))])
def test_invalid_options_are_rejected(order, drop):
    with pytest.raises(InputError):
        TextOptions(order, drop=drop)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_outside_0_to_1_is_rejected(share):
    with pytest.raises(InputError, match="0 to 1"):
        common_tags([TAGS], share)


@pytest.mark.parametrize("options", [TextOptions("shuffled"), TextOptions(drop=0.1)])
def test_random_options_need_a_generator(options):
    with pytest.raises(ValueError, match="generator"):
        exif_text(TAGS, tuple(TAGS), options)


def test_common_parts_are_those_that_enough_texts_have():
    texts = ["Make: A, FNumber: 2", "Make: A, FNumber: 4", "Make: B, Make: B", ""]
    assert common_parts(texts, 2) == ("Make: A",)
    assert common_parts(texts, 1) == ("FNumber: 2", "FNumber: 4", "Make: A", "Make: B")
    assert common_parts([], 1) == ()
