"""What the app says about a photo: plain data between the networks and the page.

Tested by tests/submissions/app/test_page.py and tests/submissions/app/test_examine.py.
"""

from dataclasses import dataclass

from competition.doctor.verdicts import Verdicts


@dataclass(frozen=True)
class Picture:
    """A picture to show. data: JPEG or PNG. title, caption: texts with it. alternative: what it shows, in words."""

    data: bytes
    title: str
    caption: str
    alternative: str


@dataclass(frozen=True)
class Setting:
    """The most probable value of a camera setting, and its probability."""

    name: str
    value: str
    probability: float


@dataclass(frozen=True)
class Examination:
    """What the app says about a photo.

    Attributes:
        width, height: pixels.
        verdicts: of `doctor` on the file.
        problem: why nothing can be predicted, such as `truncated`; then the fields below are empty.
        cameras: names with calibrated probabilities, the most probable first.
        is_unknown: whether probably none of these cameras took the photo.
        little_evidence: whether the photo is almost flat or saturated.
        settings: empty if no run predicts settings.
        splice_score: from 0, all patches equal, to 2; None without an exif-language run.
        pictures: the photo and the maps.
    """

    width: int
    height: int
    verdicts: Verdicts
    problem: str | None = None
    cameras: tuple[tuple[str, float], ...] = ()
    is_unknown: bool = False
    little_evidence: bool = False
    settings: tuple[Setting, ...] = ()
    splice_score: float | None = None
    pictures: tuple[Picture, ...] = ()
