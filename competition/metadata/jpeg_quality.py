"""The quality a JPEG was saved with, estimated from its quantization tables as ImageMagick's `%Q` does.

Method (John Cristy, ImageMagick's JPEG reader): tables that libjpeg scaled to quality q have a known sum, and a known
sum of a few chosen entries. The estimate is the highest q for which the file's tables exceed neither number.
ImageMagick stores both numbers for each q; here they are computed from the tables of the standard.
"""

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

# ITU-T T.81, tables K.1 and K.2, in natural order (row by row).
LUMINANCE = (
    *(16, 11, 10, 16, 24, 40, 51, 61),
    *(12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56),
    *(14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77),
    *(24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101),
    *(72, 92, 95, 98, 112, 100, 103, 99),
)
CHROMINANCE = (
    *(17, 18, 24, 47, 99, 99, 99, 99),
    *(18, 21, 26, 66, 99, 99, 99, 99),
    *(24, 26, 56, 99, 99, 99, 99, 99),
    *(47, 66, 99, 99, 99, 99, 99, 99),
    *(99,) * 32,
)
UNKNOWN = 92  # `identify -format %Q` prints this for tables that match no quality


def standard_tables(quality: int) -> tuple[np.ndarray, np.ndarray]:
    """Return libjpeg's luminance and chrominance tables for `quality` 1…100: two int64 (64,) in natural order."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    luminance, chrominance = (
        np.clip((np.array(table) * scale + 50) // 100, 1, 255) for table in (LUMINANCE, CHROMINANCE)
    )
    return luminance, chrominance


@cache
def _reference_sums(color: bool) -> tuple[tuple[int, int], ...]:
    """For quality 1…100: the sum of four (gray: two) chosen entries, and the sum of all entries."""
    sums = []
    for quality in range(1, 101):
        luminance, chrominance = standard_tables(quality)
        chosen, total = luminance[2] + luminance[53], luminance.sum()
        if color:
            chosen, total = chosen + chrominance[0] + chrominance[63], total + chrominance.sum()
        sums.append((int(chosen), int(total)))
    return tuple(sums)


def estimate_quality(tables: Mapping[int, Sequence[int]]) -> int:
    """Return the quality 1…100 that ImageMagick reports for a JPEG's quantization tables.

    `tables`: slot (0 luminance, 1 chrominance) → 64 steps in natural order, as in Pillow's `Image.quantization`. Like
    `%Q`, the estimate is 92 for tables that are coarser by one sum and finer by the other than every standard table
    below quality 50. Therefore 92 may also mean that the tables are not libjpeg's.
    """
    if 0 not in tables:
        return UNKNOWN
    chosen = tables[0][2] + tables[0][53]
    if 1 in tables:
        chosen += tables[1][0] + tables[1][63]
    total = sum(sum(table) for table in tables.values())
    for quality, (chosen_sum, total_sum) in enumerate(_reference_sums(1 in tables), start=1):
        if chosen < chosen_sum and total < total_sum:
            continue
        if (chosen <= chosen_sum and total <= total_sum) or quality > 50:
            return quality
        return UNKNOWN
    return 100
