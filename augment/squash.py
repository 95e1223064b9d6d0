"""The whole photograph, squashed into a square, as Laurence & Murphy (2018) show it to their network."""

import cv2
import numpy as np


def squash(pixels: np.ndarray, size: int, padding: int = 0) -> np.ndarray:
    """Shrink uint8 (height, width, 3) to a square of `size` pixels, of which `padding` at each side are zeros.

    Every pixel of the result is the mean of the area it covers; sides below `size` are enlarged bilinearly.
    """
    inner = size - 2 * padding
    height, width = pixels.shape[:2]
    # First what shrinks: OpenCV averages only where neither side grows, and otherwise leaves out pixels.
    small = cv2.resize(pixels, (min(width, inner), min(height, inner)), interpolation=cv2.INTER_AREA)
    square = cv2.resize(small, (inner, inner), interpolation=cv2.INTER_LINEAR)
    return np.pad(square, ((padding, padding), (padding, padding), (0, 0)))


def rotate(image: np.ndarray, degrees: float) -> np.ndarray:
    """Turn a square image about its middle, bilinearly; what comes from outside is zero. Same shape and dtype."""
    middle = (len(image) - 1) / 2  # of the centers of pixels: size / 2 would shift the picture by half a pixel
    turned = cv2.warpAffine(image, cv2.getRotationMatrix2D((middle, middle), degrees, 1), image.shape[1::-1])
    return np.asarray(turned)
