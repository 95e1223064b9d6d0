"""The lens: defocus by depth, motion during the exposure, softness and vignetting by aperture."""

import cv2
import numpy as np

from competition.virtual.cameras import Camera
from competition.virtual.exposure import Settings
from competition.virtual.scenes import Scene

_LONGEST_BLUR = 24.0  # pixels at scale 1: beyond it detail is gone anyway, and kernels would become slow


def defocus_radius(camera: Camera, focal_35: float, f_number: float, focus: float, depth: float, width: int) -> float:
    """Radius in pixels of the circle of confusion of a point at `depth` metres, lens focused at `focus` metres.

    Thin lens: diameter = focal length in pixels × pupil in metres × |1/focus − 1/depth|.
    """
    pupil = focal_35 / camera.crop_factor / 1000 / f_number
    return 0.5 * focal_35 / 36 * width * pupil * abs(1 / focus - 1 / depth)


def form_image(
    scene: Scene,
    settings: Settings,
    camera: Camera,
    focal_35: float,
    focus: float,
    shake: tuple[float, float],
    scale: float,
) -> np.ndarray:
    """Radiance (h, w, 3) on the sensor: each layer blurred by its own kernel, then laid over those behind it.

    `focal_35` in millimetres, `focus` in metres, `shake` of the hand in pixels a second.
    """
    height, width = scene.layers[0].alpha.shape
    softness = lens_softness(settings.f_number)
    time, longest = float(settings.exposure_time), _LONGEST_BLUR * scale
    image = np.zeros((height, width, 3), np.float32)
    for number, layer in enumerate(scene.layers):
        radius = defocus_radius(camera, focal_35, settings.f_number, focus, layer.depth, width)
        motion = np.add(layer.velocity, shake) * time
        length = float(np.hypot(*motion))
        motion = motion * min(1.0, longest / max(length, 1e-9))
        spread = min(radius, longest / 2), (float(motion[0]), float(motion[1])), softness
        if number == 0:
            image = _blur(layer.radiance, *spread)
            continue
        alpha = _blur(layer.alpha, *spread)
        image *= (1 - alpha)[..., None]
        image += _blur(layer.radiance * layer.alpha[..., None], *spread)
    return image * vignetting(height, width, settings.f_number)[..., None]


def lens_softness(f_number: float) -> float:
    """Standard deviation in pixels of the lens and pixel aperture: aberrations wide open, diffraction when closed."""
    return float(np.sqrt(0.42**2 + (1.3 / f_number) ** 2 + (0.05 * f_number) ** 2))


def vignetting(height: int, width: int, f_number: float) -> np.ndarray:
    """(h, w) relative illumination: 1 in the center, darker in the corners of a wide open lens."""
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    return (1 - np.float32(min(0.3, 0.4 / f_number)) * (x * x + y * y) / 2).astype(np.float32)


def blur_kernel(radius: float, motion: tuple[float, float], sigma: float) -> np.ndarray:
    """Point spread of sum 1: a disc of `radius`, moved along `motion` (x, y), softened by a Gaussian; all in pixels."""
    half = int(np.ceil(radius + max(abs(motion[0]), abs(motion[1])) / 2 + 2.5 * sigma))
    axis = np.arange(-half, half + 1, dtype=np.float32)
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    steps = 1 + 2 * int(np.ceil(np.hypot(*motion)))
    for part in np.linspace(-0.5, 0.5, steps) if steps > 1 else [0.0]:
        distance = np.hypot(axis[None, :] - part * motion[0], axis[:, None] - part * motion[1])
        kernel += np.clip(radius + 0.5 - distance, 0, 1)
    soft = cv2.GaussianBlur(kernel, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
    return soft / soft.sum()


def _blur(image: np.ndarray, radius: float, motion: tuple[float, float], sigma: float) -> np.ndarray:
    """Blur (h, w, c); strong blur is computed at half resolution, which it makes indistinguishable."""
    if radius + 0.5 * float(np.hypot(*motion)) < 5:
        return cv2.filter2D(image, -1, blur_kernel(radius, motion, sigma), borderType=cv2.BORDER_REFLECT)
    height, width = image.shape[:2]
    small = cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    kernel = blur_kernel(radius / 2, (motion[0] / 2, motion[1] / 2), sigma / 2)
    small = cv2.filter2D(small, -1, kernel, borderType=cv2.BORDER_REFLECT)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
