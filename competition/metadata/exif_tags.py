"""The EXIF tags of a photo's camera and settings, as text. Private ones are never read.

Tags are read by an allow-list, which no private field is on: no thumbnail, GPS position, serial number, name of a
person, description, comment, maker's note, date or time.
"""

import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from PIL.ExifTags import Base

from competition.metadata.header import open_header
from competition.metadata.tiff import decode_text, exif_entries, exif_stream, read_value

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
ASCII, UNDEFINED = 2, 7  # TIFF 6.0, section 2; EXIF stores both short texts and codes as UNDEFINED
MAX_FRACTION = 0.25001  # seconds: shorter exposure times are written as fractions, as by exiftool


def read_tags(path: Path | str) -> dict[str, str]:
    """Read the allowed EXIF tags of a photo: tag name (Pillow's spelling) → value as text, in the file's order.

    Only tags of `ALLOWED` are read, and only from the main and the Exif directory. Fractions become decimals with at
    most three places, exposure times `1/50`. Several numbers are joined by commas. Malformed EXIF never raises: tags
    that are damaged, empty or have a zero denominator are absent. No pixel is decoded, and no field longer than 64 KiB
    is read.

    Raises InputError if the file cannot be read or is not a JPEG, PNG or TIFF image.
    """
    with open_header(path) as (image, file):
        return dict(_tags(exif_stream(image, file)))


def _tags(stream: IO[bytes]) -> Iterator[tuple[str, str]]:
    order, entries = exif_entries(stream)
    for tag, entry in entries.items():
        if tag in ALLOWED:
            (kind,) = struct.unpack_from(order + "H", entry)
            text = _as_text(ALLOWED[tag], kind, read_value(stream, order, entry))
            if text:
                yield ALLOWED[tag], text


def _as_text(name: str, kind: int, value: Any) -> str | None:
    """Return `value`, bytes or a tuple of numbers, as text, or None if it is empty or not finite."""
    if isinstance(value, bytes):
        text = value.rstrip(b"\0 ")
        if kind == ASCII or (kind == UNDEFINED and text.isascii() and text.decode("latin-1").isprintable()):
            return decode_text(text)
        value = tuple(value)
    if not value or not all(math.isfinite(number) for number in value):
        return None
    if name == "ExposureTime" and 0 < value[0] < MAX_FRACTION:
        return f"1/{1 / value[0]:.0f}"
    return ",".join(map(_decimal, value))


def _decimal(number: float) -> str:
    # Adding zero turns -0 into 0.
    return f"{round(number, 3) + 0.0:.3f}".rstrip("0").rstrip(".")
