"""The lens: defocus by depth, motion during the exposure, softness and vignetting by aperture."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from competition.virtual.cameras import Camera
from competition.virtual.exposure import Settings
from competition.virtual.scenes import Layer, LayerImage, View
from competition.virtual.sensor import mosaic
from competition.virtual.window import Window

_LONGEST_BLUR = 24.0  # pixels at scale 1: a longer blur removes all detail anyway, and larger kernels are slow
_STEPS = 1, 2, 4
_LEAST_SPAN = 1.5  # samples of blur to each side
_RESIZE_REACH = 2  # samples that cubic enlargement needs around its result
_SEPARABLE = 1e-3  # share of a kernel's second singular value below which it is the product of two vectors


@dataclass(frozen=True)
class Blur:
    """Point spread of one layer: defocus `radius`, `motion` (x, y) and softness `sigma`, all in pixels."""

    radius: float
    motion: tuple[float, float]
    sigma: float

    @property
    def motion_length(self) -> float:
        """Length of the motion, pixels."""
        return float(np.hypot(*self.motion))

    @property
    def step(self) -> int:
        """Pixels between samples: a strong blur is computed at a half or a quarter of the resolution, which makes no
        visible difference."""
        span = self.radius + 0.5 * self.motion_length
        return max(step for step in _STEPS if step == 1 or span >= step * _LEAST_SPAN)

    def kernel(self) -> np.ndarray:
        """The point spread in samples."""
        step = self.step
        return blur_kernel(self.radius / step, (self.motion[0] / step, self.motion[1] / step), self.sigma / step)

    def reach(self) -> int:
        """Pixels around a window that influence it: an even number."""
        samples = len(self.kernel()) // 2 + (_RESIZE_REACH if self.step > 1 else 0)
        return self.step * samples if self.step > 1 else samples + samples % 2

    def apply(self, planes: Iterable[np.ndarray]) -> list[np.ndarray]:
        """Blur samples (h, w), float32, and enlarge them to pixels (h * step, w * step)."""
        filtered = _filter(planes, self.kernel())
        if self.step == 1:
            return filtered
        return [
            cv2.resize(plane, None, fx=self.step, fy=self.step, interpolation=cv2.INTER_CUBIC) for plane in filtered
        ]


def layer_blurs(
    layers: Sequence[Layer],
    settings: Settings,
    camera: Camera,
    focal_35: float,
    focus: float,
    shake: tuple[float, float],
    scale: float,
) -> list[Blur]:
    """Return the blur of each layer.

    `focal_35` is in millimeters, `focus` in meters, `shake` (x, y) of the hand in pixels per second.
    """
    width = camera.native_size(scale)[1]
    longest = _LONGEST_BLUR * scale
    softness = lens_softness(settings.f_number)
    blurs = []
    for layer in layers:
        radius = defocus_radius(camera, focal_35, settings.f_number, focus, layer.depth, width)
        motion = np.add(layer.velocity, shake) * float(settings.exposure_time)
        motion = motion * min(1.0, longest / max(float(np.hypot(*motion)), 1e-9))
        blurs.append(Blur(min(radius, longest / 2), (float(motion[0]), float(motion[1])), softness))
    return blurs


def layer_views(window: Window, blurs: Sequence[Blur]) -> list[View]:
    """Return the part of each layer that influences `window`. It is the same for all layers of one step."""
    reach = {step: max(blur.reach() for blur in blurs if blur.step == step) for step in {b.step for b in blurs}}
    return [View(window.grown(reach[blur.step]).coarse(blur.step), blur.step) for blur in blurs]


def form_image(
    layers: Iterable[LayerImage], views: Sequence[View], blurs: Sequence[Blur], window: Window, pattern: str
) -> np.ndarray:
    """Return the radiance (h, w) behind the color filters, on a window of the sensor with even first row and column.

    Each layer is blurred by its own kernel and composited over the layers behind it.
    """
    image = np.zeros((window.height, window.width), np.float32)
    for layer, view, blur in zip(layers, views, blurs, strict=True):
        box = view.window if layer.alpha is None else _covered(layer.alpha, view.window, blur.reach() // view.step)
        part, drawn = box.place_in(view.window), box.fine(view.step)
        seen = drawn.clipped(window)
        if seen.height <= 0 or seen.width <= 0:
            continue
        source, target = seen.place_in(drawn), seen.place_in(window)
        planes = blur.apply([plane[part] for plane in layer.planes])
        if layer.alpha is not None:
            (alpha,) = blur.apply([layer.alpha[part]])
            image[target] *= 1 - alpha[source]
        image[target] += mosaic([plane[source] for plane in planes], pattern)
    return image


def _covered(alpha: np.ndarray, window: Window, margin: int) -> Window:
    """The part of `window` where `alpha` (h, w) is not 0, and `margin` samples around it, from an even row and column
    to an even one."""
    rows, columns = (np.flatnonzero(alpha.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return Window(window.top, window.left, 0, 0)
    top, left = window.top + int(rows[0]), window.left + int(columns[0])
    covered = Window(top, left, int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1)
    return covered.grown(margin).coarse(2).fine(2).clipped(window)


def defocus_radius(camera: Camera, focal_35: float, f_number: float, focus: float, depth: float, width: int) -> float:
    """Return the radius in pixels of the circle of confusion of a point at `depth` meters, focused at `focus` meters.

    Thin lens: diameter = focal length in pixels × pupil in meters × |1/focus − 1/depth|.
    """
    pupil = focal_35 / camera.crop_factor / 1000 / f_number
    return 0.5 * focal_35 / 36 * width * pupil * abs(1 / focus - 1 / depth)


def lens_softness(f_number: float) -> float:
    """Return the standard deviation in pixels of the blur by the lens (aberrations, diffraction) and pixel aperture."""
    return float(np.sqrt(0.42**2 + (1.3 / f_number) ** 2 + (0.05 * f_number) ** 2))


def vignetting(window: Window, frame: Window, f_number: float) -> np.ndarray:
    """Return the relative illumination (h, w) of a window: 1 in the center of the frame, and lower towards the corners,
    the more the wider the aperture is."""
    rows, columns = window.place_in(frame)
    x = np.linspace(-1, 1, frame.width, dtype=np.float32)[None, columns]
    y = np.linspace(-1, 1, frame.height, dtype=np.float32)[rows, None]
    strength = np.float32(min(0.3, 0.4 / f_number) / 2)
    return (1 - strength * y * y) - strength * x * x


def blur_kernel(radius: float, motion: tuple[float, float], sigma: float) -> np.ndarray:
    """Return a point spread of sum 1: a disc moved along `motion` (x, y), blurred with `sigma`; all in pixels."""
    half = int(np.ceil(radius + max(abs(motion[0]), abs(motion[1])) / 2 + 2.5 * sigma))
    axis = np.arange(-half, half + 1, dtype=np.float32)
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    steps = 1 + 2 * int(np.ceil(np.hypot(*motion)))
    for part in np.linspace(-0.5, 0.5, steps) if steps > 1 else [0.0]:
        distance = np.hypot(axis[None, :] - part * motion[0], axis[:, None] - part * motion[1])
        kernel += np.clip(radius + 0.5 - distance, 0, 1)
    soft = cv2.GaussianBlur(kernel, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT)
    return soft / soft.sum()


def _filter(planes: Iterable[np.ndarray], kernel: np.ndarray) -> list[np.ndarray]:
    """Correlate with `kernel`: in two passes where it is the product of two vectors."""
    left, sizes, right = np.linalg.svd(kernel)
    if sizes[1] > _SEPARABLE * sizes[0]:
        return [cv2.filter2D(plane, -1, kernel) for plane in planes]
    across, down = right[0] / right[0].sum(), left[:, 0] / left[:, 0].sum()
    return [cv2.sepFilter2D(plane, -1, across, down) for plane in planes]
