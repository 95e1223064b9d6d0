"""The whole photo resized to a square, as Laurence & Murphy (2018) feed it to their network."""

import cv2
import numpy as np


def squash(pixels: np.ndarray, size: int, padding: int = 0) -> np.ndarray:
    """Resize an image to a square, without keeping its aspect ratio.

    Args:
        pixels: uint8 (height, width, 3).
        size: side of the square, pixels, including the padding.
        padding: width of the border of zeros, pixels.

    Returns:
        uint8 (size, size, 3). Along a side that shrinks, each pixel is the mean of the area that it covers; sides that
        grow are interpolated linearly.
    """
    inner = size - 2 * padding
    height, width = pixels.shape[:2]
    # Shrink first: OpenCV averages areas only if neither side grows, and otherwise skips pixels.
    small = cv2.resize(pixels, (min(width, inner), min(height, inner)), interpolation=cv2.INTER_AREA)
    square = cv2.resize(small, (inner, inner), interpolation=cv2.INTER_LINEAR)
    return np.pad(square, ((padding, padding), (padding, padding), (0, 0)))


def rotate(image: np.ndarray, degrees: float) -> np.ndarray:
    """Rotate a square image counterclockwise about its center, with bilinear interpolation.

    Pixels from outside the image are zero. Returns an array of the same shape and dtype.
    """
    center = (len(image) - 1) / 2  # in pixel centers: size / 2 would shift the image by half a pixel
    rotated = cv2.warpAffine(image, cv2.getRotationMatrix2D((center, center), degrees, 1), image.shape[1::-1])
    return np.asarray(rotated)
