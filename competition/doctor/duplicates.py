"""Checks that need decoded pixels: whether a file decodes completely, and which photos look the same."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from competition.metadata.header import DAMAGED, MAX_PIXELS, open_image

THUMBNAIL_SIDE = 32  # pixels
FREQUENCIES = 8  # lowest ones along each side; their signs are the perceptual hash
# Rows of the cosine transform (DCT-II) for the lowest frequencies.
COSINES = np.cos(np.pi / THUMBNAIL_SIDE * np.outer(np.arange(FREQUENCIES), np.arange(THUMBNAIL_SIDE) + 0.5))
MAX_DISTANCE = 6  # of 64 bits; two photos of different scenes differ in about 32


def perceptual_hash(path: Path) -> tuple[int | None, str | None]:
    """Decode a photo and compute its perceptual hash of 64 bits.

    A bit says whether one of the lowest 8×8 frequencies of a 32×32 gray thumbnail exceeds their median. Resizing and
    compression hardly change it. Source: Zauner, "Implementation and Benchmarking of Perceptual Image Hash
    Functions" (2010).

    Returns:
        (hash, None), or (None, reason) if the file does not decode completely.
    """
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about corrupt EXIF, which `read_header` handles
            image = open_image(file, path)
            if image.width * image.height > MAX_PIXELS:
                return None, f"has more than {MAX_PIXELS} pixels, the limit"
            image.draft("L", (2 * THUMBNAIL_SIDE, 2 * THUMBNAIL_SIDE))  # reads all of a JPEG, computes an eighth
            gray = image.convert("L").resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.BOX)
    except DAMAGED as error:
        return None, f"does not decode completely ({error})"
    low = (COSINES @ np.asarray(gray, dtype=np.float64) @ COSINES.T).ravel()
    bits = low > np.median(low[1:])  # without the mean, which is brightness alone
    return int.from_bytes(np.packbits(bits).tobytes(), "big"), None


def near_duplicates(queries: Sequence[int], references: Sequence[int]) -> dict[int, int]:
    """Map the index of each query within `MAX_DISTANCE` bits of a reference to the index of the nearest reference.

    The first of equally near references is taken. Time grows with the product of both lengths, memory with the number
    of references.
    """
    hashes = np.array(references, dtype=np.uint64)
    pairs = {}
    for index, query in enumerate(np.array(queries, dtype=np.uint64)):
        distances = np.bitwise_count(hashes ^ query)
        if len(hashes) and distances.min() <= MAX_DISTANCE:
            pairs[index] = int(distances.argmin())
    return pairs
