"""Canonical license names, so that a record can be filtered and cited."""

import re

from competition.utils.errors import InputError

CREATIVE_COMMONS = ("CC0", "PDM", "CC-BY", "CC-BY-SA", "CC-BY-ND", "CC-BY-NC", "CC-BY-NC-SA", "CC-BY-NC-ND")
OTHERS = ("public-domain", "own", "permission")  # own: your photos; permission: the owner allowed it
KNOWN = (*CREATIVE_COMMONS, *OTHERS)

URL = re.compile(r"https?://creativecommons\.org/(?:licenses|publicdomain)/([a-z-]+)/(\d\.\d)(?:/.*)?")
NAME = re.compile(r"(CC0|PDM|CC-BY(?:-NC)?(?:-SA|-ND)?)(?:-(\d\.\d))?")


def canonical_name(text: str) -> str:
    """Return `CC-BY-SA-4.0` for "cc by-sa 4.0" or its URL at creativecommons.org. A version is kept where given.

    Raises:
        InputError: The license is not one of `KNOWN`.
    """
    url = URL.fullmatch(text.strip())
    if url:
        name = {"zero": "CC0", "mark": "PDM"}.get(url[1], f"CC-{url[1].upper()}") + f"-{url[2]}"
    else:
        name = "-".join(text.split())
    creative_commons = NAME.fullmatch(name.upper())
    if creative_commons:
        return creative_commons[0]
    if name.lower() in OTHERS:
        return name.lower()
    raise InputError(
        f"unknown license {text!r}; known: {', '.join(KNOWN)}; those of Creative Commons also with a version "
        "(CC-BY-4.0) or as their URL"
    )


def without_version(license: str) -> str:
    """Return a canonical name without its version: `CC-BY-SA` for `CC-BY-SA-4.0`."""
    return re.sub(r"-\d\.\d$", "", license)
