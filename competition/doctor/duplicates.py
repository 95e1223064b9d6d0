"""What only the pixels tell: whether a file decodes to its end, and which photographs look the same."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from competition.metadata.header import DAMAGED, open_image

SIDE = 32  # pixels of the thumbnail whose lowest frequencies are the fingerprint
BANDS = 8
# The lowest frequencies of the cosine transform (DCT-II), one a row.
COSINES = np.cos(np.pi / SIDE * np.outer(np.arange(BANDS), np.arange(SIDE) + 0.5))
NEAR = 6  # of 64 bits may differ; two photographs of different scenes differ by about 32


def fingerprint(path: Path) -> tuple[int | None, str | None]:
    """A perceptual hash of 64 bits, and None; or None, and why the file does not decode to its end.

    The hash holds the signs, about their median, of the lowest 8×8 frequencies of a 32×32 gray thumbnail
    (Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010): resizing and
    compression hardly change it.
    """
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of corrupt EXIF: `read_header` tells
            image = open_image(file, path)
            image.draft("L", (2 * SIDE, 2 * SIDE))  # a JPEG is read to its end, but only an eighth is computed
            gray = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    except DAMAGED as error:
        return None, f"does not decode to the end ({error})"
    low = (COSINES @ np.asarray(gray, dtype=np.float64) @ COSINES.T).ravel()
    bits = low > np.median(low[1:])  # without the mean, which says only how bright it is
    return int.from_bytes(np.packbits(bits).tobytes(), "big"), None


def near_pairs(ours: Sequence[int], others: Sequence[int]) -> dict[int, int]:
    """For each fingerprint of `ours` that differs from one of `others` in at most `NEAR` bits: index → its index.

    Where several do, the nearest (of equals, the first). Time grows with the product of both lengths, memory
    with `others`.
    """
    against = np.array(others, dtype=np.uint64)
    pairs = {}
    for index, mine in enumerate(np.array(ours, dtype=np.uint64)):
        distances = np.bitwise_count(against ^ mine)
        if len(against) and distances.min() <= NEAR:
            pairs[index] = int(distances.argmin())
    return pairs
