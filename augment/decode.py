"""Decode a photo to its pixels exactly as they were coded: no EXIF orientation and no color conversion is applied."""

import io
from pathlib import Path

import numpy as np
import simplejpeg
from PIL import ExifTags, Image, ImageFile

from competition.metadata.header import DAMAGED, MAX_PIXELS, check_regular
from competition.utils.errors import InputError

EXPECTED = "expected an 8-bit RGB photo as JPEG, TIFF, PNG or BMP; convert it or remove it"
JPEG = b"\xff\xd8"

# Pillow applies the orientation tag of a TIFF file when it decodes it; these transposes undo that.
UNDO_ORIENTATION = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def read_pixels(path: Path | str) -> np.ndarray:
    """Decode a photo: uint8 (height, width, 3) RGB, in the row order of the file whatever its EXIF orientation.

    JPEG is decoded with the accurate integer DCT and fancy chroma upsampling.

    Raises:
        InputError: the file is missing, truncated, damaged, larger than `MAX_PIXELS`, not an image, or not 8-bit RGB
            (gray, 16-bit, CMYK, RGBA, palette).
    """
    check_regular(path)
    try:
        data = Path(path).read_bytes()
        if data.startswith(JPEG):
            return _decode_jpeg(path, data)
        with Image.open(io.BytesIO(data), formats=("TIFF", "PNG", "BMP")) as image:
            _check_image(path, image)
            orientation = image.getexif().get(ExifTags.Base.Orientation)
            pixels = np.asarray(image)
            if image.format == "TIFF" and orientation in UNDO_ORIENTATION:
                pixels = np.asarray(image.transpose(UNDO_ORIENTATION[orientation]))
            return pixels
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; check the path") from None
    except Image.UnidentifiedImageError:
        raise InputError(f"{path} is not an image; {EXPECTED}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large(path) from None
    except InputError:  # a subclass of ValueError, which Pillow raises for some damaged files
        raise
    except DAMAGED as error:
        raise InputError(f"{path} cannot be read ({error}); restore it or remove it") from None


def _check_image(path: Path | str, image: ImageFile.ImageFile) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise _too_large(path)
    arguments = image.tile[0].args or ""  # Pillow opens 15-bit and 16-bit RGB as RGB; only the raw mode differs
    raw_mode = arguments if isinstance(arguments, str) else str(arguments[0])
    if image.mode != "RGB" or ";1" in raw_mode:
        raise InputError(f"{path} holds {raw_mode} pixels (mode {image.mode}); {EXPECTED}")


def _too_large(path: Path | str) -> InputError:
    return InputError(f"{path} has more than {MAX_PIXELS} pixels, the limit; crop it or remove it")


def _decode_jpeg(path: Path | str, data: bytes) -> np.ndarray:
    """Decode with simplejpeg: the same bits as Pillow in half the time, and an error, not gray, for missing data."""
    try:
        height, width, color_space, _ = simplejpeg.decode_jpeg_header(data)
        if color_space not in ("YCbCr", "RGB"):
            raise InputError(f"{path} holds {color_space} pixels; {EXPECTED}")
        if height * width > MAX_PIXELS:
            raise _too_large(path)
        return np.asarray(simplejpeg.decode_jpeg(data, "RGB"))
    except InputError:  # a subclass of ValueError
        raise
    except ValueError as error:
        raise InputError(f"{path} is truncated or damaged ({error}); restore it or remove it") from None
