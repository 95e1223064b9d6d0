"""The rules of `doctor`. Each is a small function, known and switched off by its name.

A rule takes one photo and the profile of the collection, and returns None or what it finds. A finding speaks against
one or both verdicts: that the file is `original`, and that it is `fit` for training.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from competition.cameras import CAMERAS, find_camera
from competition.doctor.read_file import Photo, sort_sides
from competition.doctor.software import editor_in, is_firmware
from competition.manipulation import manipulation_from_name

ORIGINAL, FIT = "original", "fit"  # the verdicts
MIN_AGREEING = 20  # photos of a group that must agree before a value counts as usual for it
MIN_QUALITY = 94  # of JPEG; the best setting of most cameras reaches it, photos from web services do not
MIN_SIDE = 512  # pixels: the competition's patch; anything smaller is a preview or cannot be trained on
SMALLEST = (160, 120)  # pixels: the smallest photos that phones wrote, about 2002; digital cameras began at 320x240
MIN_TABLE_SHARE = 0.01  # of a group's photos must share quantization tables for these to count as its own
MIN_TABLE_COVERAGE = 0.9  # of a group's photos must have such tables: cameras with a variable quality have many


@dataclass(frozen=True)
class Profile:
    """What is usual in a collection, by `Photo.group` (absent where too few photos agree), and its duplicates.

    model: EXIF model. size: (longer, shorter) side in pixels. tables: digests. software: values of the EXIF field.
    low_quality: groups of one model that mostly lie below `MIN_QUALITY`.
    copies: path → path of an earlier file with the same bytes. neighbors: path → path of a nearly equal photo in
    another split.
    """

    model: Mapping[str, str] = field(default_factory=dict)
    size: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    tables: Mapping[str, frozenset[str]] = field(default_factory=dict)
    software: Mapping[str, frozenset[str]] = field(default_factory=dict)
    low_quality: frozenset[str] = frozenset()
    copies: Mapping[str, str] = field(default_factory=dict)
    neighbors: Mapping[str, str] = field(default_factory=dict)


def complete(photo: Photo, profile: Profile) -> str | None:
    """The file reaches the end marker of its format."""
    return None if photo.header.complete else "the file is truncated"


def decodes(photo: Photo, profile: Profile) -> str | None:
    """All pixels can be decoded."""
    return photo.decode_error


def names_model(photo: Photo, profile: Profile) -> str | None:
    """EXIF names a model. Every camera writes it; web services and some editors remove it."""
    return None if photo.header.model else "EXIF names no model, which cameras write"


def camera_format(photo: Photo, profile: Profile) -> str | None:
    """The file is a JPEG or a TIFF. No camera writes PNG."""
    return f"a {photo.header.format}, which no camera writes" if photo.header.format == "PNG" else None


def test_name(photo: Photo, profile: Profile) -> str | None:
    """The name of a test patch says whether it is manipulated."""
    if photo.split != "test" or manipulation_from_name(photo.path):
        return None
    return "the name of a test patch must end in _unalt or _manip before its suffix"


def model(photo: Photo, profile: Profile) -> str | None:
    """The EXIF model, if any, is one of the camera that the folder names.

    Cameras of the catalog have known EXIF models. For any other camera, the model must be the one that most of its
    photos, and at least `MIN_AGREEING`, have.
    """
    found = photo.header.model
    if found is None:
        return None
    if photo.camera in CAMERAS:
        matches = find_camera(photo.header.make, found) == photo.camera
        return None if matches else f"EXIF names {photo.header.make or 'no make'} {found}, not {photo.camera}"
    usual = profile.model.get(photo.group, found)
    return None if found == usual else f"EXIF names {found}, most photos of {photo.camera} name {usual}"


def camera_size(photo: Photo, profile: Profile) -> str | None:
    """The photo is not smaller than any that a camera writes."""
    longer, shorter = sort_sides(photo.header.width, photo.header.height)
    return (
        f"{_size(photo)} is smaller than any camera writes" if longer < SMALLEST[0] or shorter < SMALLEST[1] else None
    )


def native_size(photo: Photo, profile: Profile) -> str | None:
    """The size is one that the camera writes, upright or not, if its sizes are known."""
    camera = photo.camera or find_camera(photo.header.make, photo.header.model)
    if camera not in CAMERAS or sort_sides(photo.header.width, photo.header.height) in CAMERAS[camera].native_sizes:
        return None
    sizes = " or ".join(f"{long}x{short}" for long, short in CAMERAS[camera].native_sizes)
    return f"{_size(photo)} is not a native size ({sizes})"


def usual_size(photo: Photo, profile: Profile) -> str | None:
    """The size is the usual one of a camera outside the catalog, upright or not."""
    usual = profile.size.get(photo.group)
    if photo.camera in CAMERAS or usual is None or sort_sides(photo.header.width, photo.header.height) == usual:
        return None
    return f"{_size(photo)}, most photos of this camera have {usual[0]}x{usual[1]}"


def patch_fits(photo: Photo, profile: Profile) -> str | None:
    """Both sides have at least `MIN_SIDE` pixels."""
    if min(photo.header.width, photo.header.height) >= MIN_SIDE:
        return None
    return f"{_size(photo)} is smaller than a patch of {MIN_SIDE}x{MIN_SIDE}"


def exif_size(photo: Photo, profile: Profile) -> str | None:
    """The size in EXIF, if any, is the size of the photo, upright or not: editors often leave EXIF unchanged."""
    width, height = photo.header.exif_width, photo.header.exif_height
    if width is None or height is None:
        return None
    if sort_sides(width, height) == sort_sides(photo.header.width, photo.header.height):
        return None
    return f"the photo is {_size(photo)}, EXIF says {width}x{height}: it was resized or cropped"


def quality(photo: Photo, profile: Profile) -> str | None:
    """A JPEG has at least `MIN_QUALITY`, by ImageMagick's estimate, unless most photos of its camera are below it."""
    estimate = photo.header.jpeg_quality
    if estimate is None or estimate >= MIN_QUALITY or photo.group in profile.low_quality:
        return None
    return f"JPEG quality {estimate}, expected at least {MIN_QUALITY}"


def table(photo: Photo, profile: Profile) -> str | None:
    """The quantization tables are those of the camera, where `MIN_AGREEING` of its photos share one set.

    A camera has several settings: a set of tables counts as its own if two photos and `MIN_TABLE_SHARE` of its photos
    have it. The rule passes for cameras that adapt their tables to each photo: fewer than `MIN_TABLE_COVERAGE` of their
    photos have such tables.
    """
    if photo.tables_digest in profile.tables.get(photo.group, (photo.tables_digest,)):
        return None
    return "hardly any other photo of this camera has its quantization tables"


def software(photo: Photo, profile: Profile) -> str | None:
    """The EXIF field Software is no editor, and firmware where the firmware of the camera is known.

    It is known for cameras of the catalog, and where `MIN_AGREEING` photos of a camera share a value.
    """
    found = photo.header.software
    if found is None:
        return None
    if editor_in(found):
        return f"written by {found}"
    usual = profile.software.get(photo.group, frozenset())
    if is_firmware(found, photo.header.model) or found in usual or not (usual or photo.camera in CAMERAS):
        return None
    return f"written by {found}, which is not known as a camera's firmware"


def duplicate(photo: Photo, profile: Profile) -> str | None:
    """No earlier file has the same bytes."""
    return f"the same bytes as {profile.copies[photo.path]}" if photo.path in profile.copies else None


def near_duplicate(photo: Photo, profile: Profile) -> str | None:
    """No validation photo looks nearly the same as this training photo."""
    neighbor = profile.neighbors.get(photo.path)
    return f"looks like {neighbor} of another split" if neighbor else None


@dataclass(frozen=True)
class Rule:
    """A check.

    verdicts: those that a finding speaks against, `ORIGINAL`, `FIT` or both. pixels: whether it needs decoded pixels.
    patches: whether it also applies to test patches, which are cut from photos and only judged as `FIT`.
    """

    check: Callable[[Photo, Profile], str | None]
    verdicts: tuple[str, ...]
    pixels: bool = False
    patches: bool = False


RULES = {
    "complete": Rule(complete, (ORIGINAL, FIT), patches=True),
    "decodes": Rule(decodes, (ORIGINAL, FIT), pixels=True, patches=True),
    "camera_format": Rule(camera_format, (ORIGINAL,)),
    "names_model": Rule(names_model, (ORIGINAL,)),
    "camera_size": Rule(camera_size, (ORIGINAL,)),
    "native_size": Rule(native_size, (ORIGINAL,)),
    "exif_size": Rule(exif_size, (ORIGINAL,)),
    "table": Rule(table, (ORIGINAL,)),
    "software": Rule(software, (ORIGINAL,)),
    "test_name": Rule(test_name, (FIT,), patches=True),
    "model": Rule(model, (FIT,)),
    "usual_size": Rule(usual_size, (FIT,)),
    "patch_fits": Rule(patch_fits, (FIT,)),
    "quality": Rule(quality, (FIT,)),
    "duplicate": Rule(duplicate, (FIT,), patches=True),
    "near_duplicate": Rule(near_duplicate, (FIT,), pixels=True),
}


def _size(photo: Photo) -> str:
    return f"{photo.header.width}x{photo.header.height}"
