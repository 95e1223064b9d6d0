"""EXIF as language: the tags of a photo as `Tag: value, Tag: value, …`.

After Zheng, Shrivastava and Owens, "EXIF as Language" (CVPR 2023), section 3.1. `common_tags` chooses tags from the
training photos. `clean_tags` cleans values by fixed rules. `exif_text` joins them; `TextOptions` selects the variants
(order, names, dropped tags) of the paper's ablations. `common_parts` finds what a vocabulary should know.
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
INTEGER_TAGS = frozenset(
    {"XResolution", "YResolution", "FocalPlaneXResolution", "FocalPlaneYResolution", "ExposureBiasValue"}
)
MAX_LENGTH = 20  # characters of a value
UNKNOWN = "Unknown"
DISALLOWED = re.compile(r"[^A-Za-z0-9.,/-]")
AFTER_NAME, BETWEEN = ": ", ", "  # neither occurs in a cleaned value, which has no spaces

ORDERS = ("fixed", "file", "shuffled")


@dataclass(frozen=True)
class TextOptions:
    """Options of `exif_text`.

    Attributes:
        order: of the tags: `fixed` (that of the kept tags), `file` or `shuffled`.
        names: whether the text has tag names or values alone.
        drop: probability of leaving out each tag.

    Raises:
        InputError: unknown order, or a probability outside [0, 1).
    """

    order: str = "fixed"
    names: bool = True
    drop: float = 0.0

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            raise unknown_name("tag order", self.order, ORDERS)
        if not 0 <= self.drop < 1:
            raise InputError(f"the probability of dropping a tag is {self.drop}; expected at least 0 and less than 1")

    @property
    def random(self) -> bool:
        """Whether two texts of the same photo may differ."""
        return self.order == "shuffled" or self.drop > 0


def clean_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Clean the values of the tags from `read_tags`. Tags outside `ALLOWED` are dropped.

    Resolutions and the exposure bias are rounded down to integers, the focal length gets one decimal, and the first of
    several ISO speeds is kept. Then values of more than 20 characters become `Unknown`, and characters outside
    [A-Za-z0-9.,/-] are removed. Tags with empty values are dropped.
    """
    values = {name: _clean(name, value) for name, value in tags.items() if name in NAMES}
    return {name: value for name, value in values.items() if value}


def _clean(name: str, value: str) -> str:
    if name in INTEGER_TAGS:
        number = _number(value)
        value = value if number is None else str(math.floor(number))
    elif name == "FocalLength":
        number = _number(value)
        value = value if number is None else f"{number:.1f}"
    elif name == "ISOSpeedRatings":
        value = next(iter(re.findall(r"[^\s,]+", value)), "")
    return UNKNOWN if len(value) > MAX_LENGTH else DISALLOWED.sub("", value)


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def common_tags(photos: Iterable[Mapping[str, str]], share: float = 0.5) -> tuple[str, ...]:
    """Return the tags that at least `share` of the photos have: the most frequent first, then by name.

    This is the `fixed` order. `photos`: cleaned tags of each photo. Raises InputError if `share` is outside [0, 1], or
    if no tag is that common.
    """
    if not 0 <= share <= 1:
        raise InputError(f"the share of photos with a tag is {share}; expected 0 to 1")
    counts: Counter[str] = Counter()
    total = 0
    for tags in photos:
        counts.update(NAMES.intersection(tags))
        total += 1
    kept = sorted((name for name in counts if counts[name] >= share * total), key=lambda name: (-counts[name], name))
    if not kept:
        raise InputError(f"no EXIF tag is in at least {share:.0%} of {total} photos; use photos with EXIF")
    return tuple(kept)


def common_parts(texts: Iterable[str], least: int = 10) -> tuple[str, ...]:
    """Return the parts of texts, such as `FNumber: 2.8`, that at least `least` of them have, in alphabetical order."""
    counts = Counter(part for text in texts for part in set(text.split(BETWEEN)) if part)
    return tuple(sorted(part for part, count in counts.items() if count >= least))


def has_enough_tags(tags: Mapping[str, str], kept: Sequence[str], more_than: int = 10) -> bool:
    """Whether a photo has more than `more_than` of the `kept` tags."""
    return sum(name in tags for name in kept) > more_than


def exif_text(
    tags: Mapping[str, str],
    kept: Sequence[str],
    options: TextOptions | None = None,
    rng: np.random.Generator | None = None,
) -> str:
    """Return the text of a photo's cleaned tags that are in `kept`, such as `Make: Canon, FNumber: 2.8`.

    Tags outside `ALLOWED` never appear, even if `kept` names them. The text is empty if all tags are dropped, which is
    very unlikely for a photo that `has_enough_tags`.

    Args:
        tags: cleaned tags of one photo.
        kept: names of tags, in the fixed order.
        options: default: `TextOptions()`.
        rng: required if `options.random`.
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
