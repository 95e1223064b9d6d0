"""One spelling for each licence, so that a record can be filtered and cited."""

import re

from competition.utils.errors import InputError

CREATIVE_COMMONS = ("CC0", "PDM", "CC-BY", "CC-BY-SA", "CC-BY-ND", "CC-BY-NC", "CC-BY-NC-SA", "CC-BY-NC-ND")
OTHERS = ("public-domain", "own", "permission")  # own: your photographs; permission: their owner allowed it
KNOWN = (*CREATIVE_COMMONS, *OTHERS)

ADDRESS = re.compile(r"https?://creativecommons\.org/(?:licenses|publicdomain)/([a-z-]+)/(\d\.\d)(?:/.*)?")
NAME = re.compile(r"(CC0|PDM|CC-BY(?:-NC)?(?:-SA|-ND)?)(?:-(\d\.\d))?")


def canonical(text: str) -> str:
    """`CC-BY-SA-4.0` for "cc by-sa 4.0" or its address at creativecommons.org; the version is kept where given.

    Raises `InputError` for what is no licence of `KNOWN`.
    """
    address = ADDRESS.fullmatch(text.strip())
    if address:
        kind = {"zero": "CC0", "mark": "PDM"}.get(address[1], f"CC-{address[1].upper()}")
        spelled = f"{kind}-{address[2]}"
    else:
        spelled = "-".join(text.split())
    named = NAME.fullmatch(spelled.upper())
    if named:
        return named[0]
    if spelled.lower() in OTHERS:
        return spelled.lower()
    raise InputError(
        f"unknown licence {text!r}; known: {', '.join(KNOWN)}, those of Creative Commons also with a version "
        "(CC-BY-4.0) or as their address"
    )


def family(licence: str) -> str:
    """A canonical licence without its version: `CC-BY-SA` for `CC-BY-SA-4.0`."""
    return re.sub(r"-\d\.\d$", "", licence)
