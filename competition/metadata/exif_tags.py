"""The EXIF tags of a photograph that tell of its camera and settings, as text; private ones are never read.

Tags are read by an allow-list, so a private field has no way in, whatever it is called: no thumbnail, no GPS, no
serial numbers, no names of people, no descriptions and comments, no maker's notes, no dates and times of day.
"""

import math
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from PIL.ExifTags import Base

from competition.metadata.header import DAMAGED, open_image
from competition.metadata.tiff import exif_entries, exif_stream, text_of, value_of
from competition.utils.errors import InputError

# In the order of EXIF 3.0: sections 4.6.4 (picture) and 4.6.5 (conditions, lens).
_TAGS = """
    ImageWidth ImageLength Make Model Orientation XResolution YResolution ResolutionUnit Software WhitePoint
    PrimaryChromaticities YCbCrCoefficients YCbCrSubSampling YCbCrPositioning ReferenceBlackWhite ExposureTime FNumber
    ExposureProgram SpectralSensitivity ISOSpeedRatings SensitivityType StandardOutputSensitivity
    RecommendedExposureIndex ISOSpeed ISOSpeedLatitudeyyy ISOSpeedLatitudezzz ExifVersion ComponentsConfiguration
    CompressedBitsPerPixel ShutterSpeedValue ApertureValue BrightnessValue ExposureBiasValue MaxApertureValue
    SubjectDistance MeteringMode LightSource Flash FocalLength FlashPixVersion ColorSpace ExifImageWidth
    ExifImageHeight FlashEnergy FocalPlaneXResolution FocalPlaneYResolution FocalPlaneResolutionUnit ExposureIndex
    SensingMethod FileSource SceneType CFAPattern CustomRendered ExposureMode WhiteBalance DigitalZoomRatio
    FocalLengthIn35mmFilm SceneCaptureType GainControl Contrast Saturation Sharpness SubjectDistanceRange
    LensSpecification LensMake LensModel CompositeImage Gamma
"""
ALLOWED: dict[int, str] = {Base[name].value: name for name in _TAGS.split()}
ASCII, UNDEFINED = 2, 7  # TIFF 6.0, section 2; EXIF keeps both short texts and codes in the second
SHORT = 0.25001  # seconds: below, an exposure time is written as a fraction, as exiftool does


def read_tags(path: Path | str) -> dict[str, str]:
    """Tag name (as Pillow spells it) → value as text, in the file's order; {} for a photograph without EXIF.

    Only tags of `ALLOWED` are read, and only from the main and the Exif directory. Fractions become decimals of at
    most three places, exposure times `1/50`; several numbers are joined by commas. Malformed EXIF never raises: a tag
    that is damaged, empty or a division by zero is absent. No pixel is decoded and no field longer than 64 KiB read.
    Raises `InputError` where the file cannot be read or is no JPEG, PNG or TIFF image.
    """
    try:
        with Path(path).open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # Pillow's of damaged EXIF, answered by what is absent
            return dict(_tags(exif_stream(open_image(file, path), file)))
    except DAMAGED as error:
        if isinstance(error, InputError):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "its header is damaged"
        raise InputError(f"{path} cannot be read as an image: {reason}") from None


def _tags(stream: IO[bytes]) -> Iterator[tuple[str, str]]:
    order, entries = exif_entries(stream)
    for tag, entry in entries.items():
        if tag in ALLOWED:
            (kind,) = struct.unpack_from(order + "H", entry)
            text = _as_text(ALLOWED[tag], kind, value_of(stream, order, entry))
            if text:
                yield ALLOWED[tag], text


def _as_text(name: str, kind: int, value: Any) -> str | None:
    """`value`, bytes or a tuple of numbers, as text; None where it says nothing."""
    if isinstance(value, bytes):
        told = value.rstrip(b"\0 ")
        if kind == ASCII or (kind == UNDEFINED and told.isascii() and told.decode("latin-1").isprintable()):
            return text_of(told)
        value = tuple(value)
    if not value or not all(math.isfinite(number) for number in value):
        return None
    if name == "ExposureTime" and 0 < value[0] < SHORT:
        return f"1/{1 / value[0]:.0f}"
    return ",".join(map(_decimal, value))


def _decimal(number: float) -> str:
    # Adding zero turns -0 into 0.
    return f"{round(number, 3) + 0.0:.3f}".rstrip("0").rstrip(".")
