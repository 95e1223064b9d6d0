"""The two verdicts on a file: is it original, and is it fit for training?"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from competition.doctor.read_file import Photo, read_photo
from competition.doctor.rules import FIT, ORIGINAL, RULES, Profile

UNREADABLE = "unreadable"  # the one reason that is not a rule


@dataclass(frozen=True)
class Verdicts:
    """The verdicts on one file, with reasons such as `exif_size: the photo is …`.

    original: whether no rule found that something changed the file since the camera wrote it; None for test patches and
    for files that are not images. fit: whether size, quality and label suit training.
    """

    original: bool | None
    fit: bool
    original_reasons: tuple[str, ...]
    fit_reasons: tuple[str, ...]


def judge(photo: Photo | str, profile: Profile, rules: Iterable[str]) -> Verdicts:
    """Apply the named rules to a photo, or take the reason why the file is not an image."""
    if isinstance(photo, str):
        return Verdicts(None, False, (), (f"{UNREADABLE}: {photo}",))
    is_patch = photo.split == "test"
    reasons: dict[str, list[str]] = {ORIGINAL: [], FIT: []}
    for name in rules:
        rule = RULES[name]
        finding = rule.check(photo, profile) if rule.patches or not is_patch else None
        for verdict in rule.verdicts if finding else ():
            reasons[verdict].append(f"{name}: {finding}")
    original = None if is_patch else not reasons[ORIGINAL]
    return Verdicts(original, not reasons[FIT], () if is_patch else tuple(reasons[ORIGINAL]), tuple(reasons[FIT]))


def judge_file(path: Path) -> Verdicts:
    """Judge one file alone: rules that compare it with a collection pass. Its pixels are decoded."""
    return judge(read_photo(path.parent, True, path.name), Profile(), RULES)
