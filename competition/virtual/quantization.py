"""JPEG quantization tables: every camera model has its own, made from a shape and a quality."""

import numpy as np

from competition.virtual.cameras import Compression

_STANDARD_LUMA = np.array(
    [16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29,
     51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121,
     120, 101, 72, 92, 95, 98, 112, 100, 103, 99]
)  # ITU-T T.81, Annex K.1  # fmt: skip
_STANDARD_CHROMA = np.full((8, 8), 99)
_STANDARD_CHROMA[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]  # Annex K.2

_FREQUENCY = np.add.outer(np.arange(8), np.arange(8))
_RADIUS = np.hypot.outer(np.arange(8), np.arange(8))

SHAPES: dict[str, tuple[np.ndarray, np.ndarray]] = {
    "standard": (_STANDARD_LUMA, _STANDARD_CHROMA.ravel()),
    "flat": ((22 + 2.5 * _FREQUENCY).ravel(), (26 + 4.0 * _FREQUENCY).ravel()),
    "steep": ((9 + 1.6 * _RADIUS**2).ravel(), (12 + 2.0 * _RADIUS**2).ravel()),
    "diagonal": ((12 + 7.0 * _FREQUENCY).ravel(), (15 + 9.0 * np.maximum.outer(np.arange(8), np.arange(8))).ravel()),
}


def quantization_tables(compression: Compression) -> list[list[int]]:
    """Return the tables of luminance and chroma: 64 integers in 1–255 each, row by row, as Pillow expects them.

    The quality is on libjpeg's scale.
    """
    quality = compression.quality
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    return [
        np.clip(np.floor((table * percent + 50) / 100), 1, 255).astype(int).tolist()
        for table in SHAPES[compression.table]
    ]
