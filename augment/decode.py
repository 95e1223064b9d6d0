"""From a file to its pixels, exactly as they were coded: no orientation applied, nothing converted."""

import io
from pathlib import Path

import numpy as np
import simplejpeg
from PIL import ExifTags, Image, ImageFile

from competition.utils.errors import InputError

EXPECTED = "expected an 8-bit RGB photograph as JPEG, TIFF, PNG or BMP; convert it or remove it"
MAX_PIXELS = 89_478_485  # where Pillow begins to warn of files made to fill the memory
JPEG = b"\xff\xd8"

# Pillow turns a TIFF upright by its orientation tag, unasked; this undoes it.
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
    """Decode a photograph: uint8 (height, width, 3) RGB, in the file's own order whatever its orientation.

    JPEG is decoded with the accurate integer DCT and smooth chroma upsampling. Raises `InputError` where the
    file is missing, truncated, too large, or anything but 8-bit RGB (gray, 16-bit, CMYK, RGBA, palette, no
    image).
    """
    try:
        data = Path(path).read_bytes()
        if data.startswith(JPEG):
            return _decode_jpeg(path, data)
        with Image.open(io.BytesIO(data), formats=("TIFF", "PNG", "BMP")) as image:
            _check_kind(path, image)
            orientation = image.getexif().get(ExifTags.Base.Orientation)
            pixels = np.asarray(image)
            if image.format == "TIFF" and orientation in UNDO_ORIENTATION:
                pixels = np.asarray(image.transpose(UNDO_ORIENTATION[orientation]))
            return pixels
    except FileNotFoundError:
        raise InputError(f"{path} does not exist") from None
    except Image.UnidentifiedImageError:
        raise InputError(f"{path} is not an image; {EXPECTED}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large(path) from None
    except (OSError, SyntaxError) as error:  # what Pillow raises for a file that breaks off or is damaged
        raise InputError(f"{path} cannot be read ({error}); restore it or remove it") from None


def _check_kind(path: Path | str, image: ImageFile.ImageFile) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise _too_large(path)
    arguments = image.tile[0].args or ""  # Pillow opens RGB of 15 and 16 bits as RGB; only the raw mode tells
    raw_mode = arguments if isinstance(arguments, str) else str(arguments[0])
    if image.mode != "RGB" or ";1" in raw_mode:
        raise InputError(f"{path} holds {raw_mode} pixels of mode {image.mode}; {EXPECTED}")


def _too_large(path: Path | str) -> InputError:
    return InputError(f"{path} has more than {MAX_PIXELS} pixels; crop it or remove it")


def _decode_jpeg(path: Path | str, data: bytes) -> np.ndarray:
    """simplejpeg gives Pillow's bits in half of the time, and refuses to fill what is missing with gray."""
    try:
        height, width, colors, _ = simplejpeg.decode_jpeg_header(data)
        if colors not in ("YCbCr", "RGB"):
            raise InputError(f"{path} holds {colors} pixels; {EXPECTED}")
        if height * width > MAX_PIXELS:
            raise _too_large(path)
        return np.asarray(simplejpeg.decode_jpeg(data, "RGB"))
    except InputError:  # is a ValueError as well
        raise
    except ValueError as error:
        raise InputError(f"{path} is truncated or damaged ({error}); restore it or remove it") from None
