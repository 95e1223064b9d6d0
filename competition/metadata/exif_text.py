"""EXIF as language: the tags of a photograph as `Tag: value, Tag: value, …`.

After Zheng, Shrivastava and Owens, "EXIF as Language" (CVPR 2023), section 3.1. Which tags take part follows from the
training photographs: `common_tags`. Values are cleaned by fixed rules: `clean_tags`. How a text is made of them is a
matter of `TextOptions`, because the ablations (order, names, dropped tags) matter.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from competition.metadata.exif_tags import ALLOWED
from competition.utils.errors import InputError, unknown_name

NAMES = frozenset(ALLOWED.values())
FLOORED = frozenset(
    {"XResolution", "YResolution", "FocalPlaneXResolution", "FocalPlaneYResolution", "ExposureBiasValue"}
)
LONGEST_VALUE = 20  # characters
UNKNOWN = "Unknown"
DROPPED = re.compile(r"[^A-Za-z0-9.,/-]")
AFTER_NAME, BETWEEN = ": ", ", "  # neither can occur in a cleaned value, for it holds no space

ORDERS = ("fixed", "file", "shuffled")


@dataclass(frozen=True)
class TextOptions:
    """How a text is made. order: `fixed` (that of the kept tags), `file` or `shuffled`; names: whether tag names are
    told or values only; drop: the probability with which each tag is left out."""

    order: str = "fixed"
    names: bool = True
    drop: float = 0.0

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            raise unknown_name("tag order", self.order, ORDERS)
        if not 0 <= self.drop < 1:
            raise InputError(f"tags are dropped with a probability of {self.drop}; give at least 0 and less than 1")

    @property
    def random(self) -> bool:
        """Whether two texts of the same photograph may differ."""
        return self.order == "shuffled" or self.drop > 0


def clean_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """`read_tags`'s answer under the rules for values; what is no tag of `ALLOWED` is dropped, whatever its name.

    Resolutions and the exposure bias are floored to integers, the focal length has one decimal, of several ISO speeds
    the first counts; then a value of more than 20 characters becomes `Unknown` and characters outside [A-Za-z0-9.,/-]
    are dropped. A tag of whose value nothing is left is dropped too.
    """
    values = {name: _clean(name, value) for name, value in tags.items() if name in NAMES}
    return {name: value for name, value in values.items() if value}


def _clean(name: str, value: str) -> str:
    if name in FLOORED:
        number = _number(value)
        value = value if number is None else str(math.floor(number))
    elif name == "FocalLength":
        number = _number(value)
        value = value if number is None else f"{number:.1f}"
    elif name == "ISOSpeedRatings":
        value = next(iter(re.findall(r"[^\s,]+", value)), "")
    return UNKNOWN if len(value) > LONGEST_VALUE else DROPPED.sub("", value)


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def common_tags(photographs: Iterable[Mapping[str, str]], share: float = 0.5) -> tuple[str, ...]:
    """The tags present in at least `share` of the photographs' cleaned tags: the most frequent first, then by name.

    This is the `fixed` order. Raises `InputError` where `share` is not within 0…1, and where no tag is that common.
    """
    if not 0 <= share <= 1:
        raise InputError(f"tags are kept from a share of {share} of the photographs; give 0 to 1")
    counts: Counter[str] = Counter()
    total = 0
    for tags in photographs:
        counts.update(NAMES.intersection(tags))
        total += 1
    kept = sorted((name for name in counts if counts[name] >= share * total), key=lambda name: (-counts[name], name))
    if not kept:
        raise InputError(
            f"none of the EXIF tags is in at least {share:.0%} of {total} photographs; use photographs with EXIF"
        )
    return tuple(kept)


def takes_part(tags: Mapping[str, str], kept: Sequence[str], more_than: int = 10) -> bool:
    """Whether a photograph has more than `more_than` of the `kept` tags."""
    return sum(name in tags for name in kept) > more_than


def exif_text(
    tags: Mapping[str, str],
    kept: Sequence[str],
    options: TextOptions | None = None,
    rng: np.random.Generator | None = None,
) -> str:
    """The text of a photograph's cleaned tags: those of `kept`, e.g. `Make: Canon, FNumber: 2.8`.

    `rng` is needed where `options.random`. Dropping may leave the text empty, with a probability that is negligible
    for a photograph that `takes_part`. Tags outside `ALLOWED` never appear, even where `kept` names them.
    """
    options = options or TextOptions()
    names = [name for name in (tags if options.order == "file" else kept) if name in tags and name in kept]
    names = [name for name in names if name in NAMES]
    if options.random:
        if rng is None:
            raise ValueError("shuffling and dropping tags need a random generator")
        if options.order == "shuffled":
            names = [names[index] for index in rng.permutation(len(names))]
        names = [name for name, chance in zip(names, rng.random(len(names)), strict=True) if chance >= options.drop]
    return BETWEEN.join(f"{name}{AFTER_NAME}{tags[name]}" if options.names else tags[name] for name in names)
