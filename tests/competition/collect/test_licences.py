"""Every spelling of a licence becomes one, and what is none is refused."""

import pytest

from competition.collect.licences import KNOWN, canonical, family
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
def test_one_spelling(text, expected):
    assert canonical(text) == expected


@pytest.mark.parametrize("name", KNOWN)
def test_known_names_are_their_own_spelling_and_family(name):
    assert canonical(name) == name
    assert family(name) == name


def test_the_family_has_no_version():
    assert family("CC-BY-SA-4.0") == "CC-BY-SA"


@pytest.mark.parametrize(
    "text", ["", "MIT", "CC-BY-4", "CC-BY-ND-SA", "CC", "all rights reserved", "https://creativecommons.org/"]
)
def test_what_is_no_licence_is_refused(text):
    with pytest.raises(InputError, match=r"unknown licence .*; known: CC0, "):
        canonical(text)
