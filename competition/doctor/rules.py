"""The rules: what speaks against a photograph. Each is a small function, known and switched off by its name.

A rule gets one photograph and what was learned from the whole collection, and answers None or what is wrong.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from competition.cameras import CAMERAS, camera_of
from competition.doctor.read_file import Photo, sides
from competition.doctor.software import editor_in, is_firmware
from competition.manifest import manipulation_of

AGREE = 20  # so many photographs of a camera must agree before it is learned what is usual for it
LEAST_QUALITY = 93  # a JPEG must be better than this: cameras' best setting is, what the web sends is not
LEAST_SIDE = 512  # pixels: the competition's patch; anything smaller is a preview or cannot be trained on
TABLE_SHARE = 0.01  # of a camera's photographs must have a quantization table for it to count as the camera's own


@dataclass(frozen=True)
class Learned:
    """What is usual in a collection, by `Photo.kind` (absent where too few agree), and which files are copies.

    model: the EXIF model. size: (longer, shorter) side. tables: digests. software: EXIF fields. copies,
    neighbours: path → the path of the file with the same bytes, or of the nearly equal photograph in another
    split.
    """

    model: Mapping[str, str] = field(default_factory=dict)
    size: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    tables: Mapping[str, frozenset[str]] = field(default_factory=dict)
    software: Mapping[str, frozenset[str]] = field(default_factory=dict)
    copies: Mapping[str, str] = field(default_factory=dict)
    neighbours: Mapping[str, str] = field(default_factory=dict)


def complete(photo: Photo, learned: Learned) -> str | None:
    """The file goes on to its format's end mark."""
    return None if photo.header.complete else "the file is truncated"


def decodes(photo: Photo, learned: Learned) -> str | None:
    """The pixels can be decoded to the last one."""
    return photo.fault


def test_name(photo: Photo, learned: Learned) -> str | None:
    """A test patch says in its name whether it was manipulated."""
    if photo.split != "test" or manipulation_of(photo.path):
        return None
    return "the name of a test patch must end in _unalt or _manip before its suffix"


def model(photo: Photo, learned: Learned) -> str | None:
    """The EXIF model is one of the claimed camera's.

    A camera of the catalogue has its aliases; any other one the model that at least `AGREE` of its
    photographs, and most of them, name. Where no camera is claimed, some model must be named.
    """
    named = photo.header.model
    if named is None:
        return "EXIF names no model"
    if photo.camera in CAMERAS:
        matches = camera_of(photo.header.make, named) == photo.camera
        return None if matches else f"EXIF says {photo.header.make or 'no make'} {named}, which is no {photo.camera}"
    usual = learned.model.get(photo.kind, named)
    return None if named == usual else f"EXIF says {named}, most of {photo.camera} say {usual}"


def native_size(photo: Photo, learned: Learned) -> str | None:
    """The size is one that the camera writes, upright or not; learned for cameras outside the catalogue."""
    label = photo.camera or camera_of(photo.header.make, photo.header.model)
    if label in CAMERAS:
        native: tuple[tuple[int, int], ...] = CAMERAS[label].native_sizes
    elif photo.kind in learned.size:
        native = (learned.size[photo.kind],)
    else:
        return None
    if sides(photo.header.width, photo.header.height) in native:
        return None
    return f"{_size(photo)} is not native ({' or '.join(f'{long}x{short}' for long, short in native)})"


def patch_fits(photo: Photo, learned: Learned) -> str | None:
    """Both sides have at least `LEAST_SIDE` pixels."""
    if min(photo.header.width, photo.header.height) >= LEAST_SIDE:
        return None
    return f"{_size(photo)} cannot hold a patch of {LEAST_SIDE}x{LEAST_SIDE}"


def exif_size(photo: Photo, learned: Learned) -> str | None:
    """The size that EXIF tells, if any, is the picture's, upright or not: who resizes often forgets EXIF."""
    width, height = photo.header.exif_width, photo.header.exif_height
    if width is None or height is None or sides(width, height) == sides(photo.header.width, photo.header.height):
        return None
    return f"the picture is {_size(photo)}, EXIF says {width}x{height}: it was resized or cropped"


def quality(photo: Photo, learned: Learned) -> str | None:
    """A JPEG of a quality above `LEAST_QUALITY`, by ImageMagick's estimate."""
    estimate = photo.header.jpeg_quality
    if estimate is None:
        return f"a {photo.header.format}, not a camera's JPEG"
    if estimate > LEAST_QUALITY:
        return None
    return f"JPEG quality {estimate}, not above {LEAST_QUALITY}: compressed too hard to train on"


def table(photo: Photo, learned: Learned) -> str | None:
    """The quantization tables are the camera's, where `AGREE` of its photographs share one.

    Tables of two photographs and of `TABLE_SHARE` of the camera's count as its own: cameras have several
    settings.
    """
    if photo.table in learned.tables.get(photo.kind, (photo.table,)):
        return None
    return "hardly any other photograph of this camera has its quantization tables"


def software(photo: Photo, learned: Learned) -> str | None:
    """EXIF names no program, a camera's firmware, or what `AGREE` photographs of the camera name; never an editor."""
    named = photo.header.software
    if named is None:
        return None
    if editor_in(named):
        return f"written by {named}"
    if is_firmware(named, photo.header.model) or named in learned.software.get(photo.kind, ()):
        return None
    return f"written by {named}, which is not known as a camera's firmware"


def duplicate(photo: Photo, learned: Learned) -> str | None:
    """No file earlier in the list has the same bytes."""
    return f"the same bytes as {learned.copies[photo.path]}" if photo.path in learned.copies else None


def near_duplicate(photo: Photo, learned: Learned) -> str | None:
    """No photograph to validate with looks nearly the same as this one to train with."""
    near = learned.neighbours.get(photo.path)
    return f"looks like {near}, which is not in its split" if near else None


@dataclass(frozen=True)
class Rule:
    """pixels: the check needs them decoded. patches: it also holds for test patches, which claim no camera."""

    check: Callable[[Photo, Learned], str | None]
    pixels: bool = False
    patches: bool = False


RULES = {
    "complete": Rule(complete, patches=True),
    "decodes": Rule(decodes, pixels=True, patches=True),
    "test_name": Rule(test_name, patches=True),
    "model": Rule(model),
    "native_size": Rule(native_size),
    "patch_fits": Rule(patch_fits),
    "exif_size": Rule(exif_size),
    "quality": Rule(quality),
    "table": Rule(table),
    "software": Rule(software),
    "duplicate": Rule(duplicate, patches=True),
    "near_duplicate": Rule(near_duplicate, pixels=True),
}


def _size(photo: Photo) -> str:
    return f"{photo.header.width}x{photo.header.height}"
