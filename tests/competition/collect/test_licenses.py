"""Every spelling of a license has one canonical name; unknown licenses raise an error."""

import pytest

from competition.collect.licenses import KNOWN, canonical_name, without_version
from competition.utils.errors import InputError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CC-BY-SA-4.0", "CC-BY-SA-4.0"),
        (" cc by-nc-nd  2.0 ", "CC-BY-NC-ND-2.0"),
        ("https://creativecommons.org/licenses/by-nc/2.0/", "CC-BY-NC-2.0"),
        ("http://creativecommons.org/licenses/by/4.0/deed.de", "CC-BY-4.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/", "PDM-1.0"),
        ("Own", "own"),
        ("public domain", "public-domain"),
    ],
)
def test_spellings_map_to_the_canonical_name(text, expected):
    assert canonical_name(text) == expected


@pytest.mark.parametrize("name", KNOWN)
def test_canonical_names_are_fixed_points(name):
    assert canonical_name(name) == name
    assert without_version(name) == name


def test_the_version_is_removed():
    assert without_version("CC-BY-SA-4.0") == "CC-BY-SA"


@pytest.mark.parametrize(
    "text", ["", "MIT", "CC-BY-4", "CC-BY-ND-SA", "CC", "all rights reserved", "https://creativecommons.org/"]
)
def test_unknown_licenses_are_rejected(text):
    with pytest.raises(InputError, match=r"unknown license .*; known: CC0, "):
        canonical_name(text)
