"""Scenes: layered dead leaves, as linear radiance.

Occluding shapes with power-law sizes (r⁻³) have the statistics of natural images: scale invariance, edges, 1/f spectra
(Lee, Mumford, Huang 2001). Each layer has a depth and a velocity, so that aperture and exposure time leave traces.
"""

from dataclasses import dataclass

import cv2
import numpy as np

_BACKGROUND, _SUBJECT = 0, 1  # numbers of layers; 2 is the foreground
_CORNERS = 28  # of the polygon that stands for a leaf
_SUBPIXEL_BITS = 4  # fixed-point bits of its corners


_LIGHT = 1.0, 15.0  # exposure values at ISO 100: a street at night to a beach at noon


@dataclass(frozen=True)
class Layer:
    """What stands at one depth. `radiance` (h, w, 3) float32 linear, `alpha` (h, w) float32 in {0, 1}, `depth` in
    metres, `velocity` (x, y) in pixels a second."""

    radiance: np.ndarray
    alpha: np.ndarray
    depth: float
    velocity: tuple[float, float]


@dataclass(frozen=True)
class Scene:
    """Layers from back to front, the light's exposure value at ISO 100 and its color as linear RGB of mean 1."""

    layers: tuple[Layer, ...]
    light: float
    illuminant: np.ndarray


@dataclass(frozen=True)
class _Look:
    """What the leaves of one scene have in common."""

    palette: np.ndarray  # (colors, 3) linear, mean about 1
    contrast: float  # of reflectance, in natural logarithms
    detail: float  # amplitude of textures


def make_scene(rng: np.random.Generator, height: int, width: int, scale: float) -> Scene:
    """A random scene of `height`×`width` pixels; lengths in pixels grow with `scale` (1 for 640×480)."""
    look = _make_look(rng)
    textures = (_pink(rng, height, width), _grain(rng, height, width))
    lighting = _lighting(rng, height, width)
    depths = _depths(rng)
    layers = []
    for number, depth in enumerate(depths):
        index, leaves = _place(rng, height, width, scale, number)
        shade = lighting if number == _BACKGROUND else lighting * np.float32(np.exp(rng.normal(0, 0.25)))
        radiance = _paint(rng, index, leaves, look, textures) * shade[..., None]
        alpha = ((index > 0) | (number == _BACKGROUND)).astype(np.float32)
        layers.append(Layer(radiance, alpha, depth, _velocity(rng, scale, number)))
    return Scene(tuple(layers), float(rng.uniform(*_LIGHT)), _illuminant(rng))


def _make_look(rng: np.random.Generator) -> _Look:
    saturation = rng.gamma(4.0, 0.11)
    # Red, orange, yellow, green and blue, the colors of most things, come before cyan, violet and magenta.
    main = rng.choice([0.0, 0.5, 1.0, 1.9, 3.8, 5.2], p=[0.17, 0.2, 0.17, 0.23, 0.18, 0.05])
    hues = main + rng.normal(0, rng.uniform(0.2, 1.2), size=6)
    strength = saturation * rng.uniform(0.2, 1.5, size=6)
    axes = np.stack([np.cos(hues - shift) for shift in (0, 2 * np.pi / 3, 4 * np.pi / 3)], axis=1)
    palette = np.exp(strength[:, None] * axes)
    return _Look(palette.astype(np.float32), rng.uniform(0.3, 0.8), rng.uniform(0.08, 0.3))


def _pink(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Noise with equal energy in every octave (a 1/f amplitude spectrum), standard deviation about 1."""
    octaves = int(np.log2(min(height, width) / 3))
    total: np.ndarray = np.zeros((1, 1), np.float32)
    for octave in reversed(range(octaves)):
        rows, columns = -(-height // 2**octave), -(-width // 2**octave)
        coarser = cv2.resize(total, (columns, rows), interpolation=cv2.INTER_CUBIC)
        total = coarser + rng.standard_normal((rows, columns), dtype=np.float32)
    return total / np.float32(np.sqrt(octaves))


def _grain(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Fine texture of one random orientation: cloth, grass, bark."""
    noise = rng.standard_normal((height, width), dtype=np.float32)
    sigma = rng.uniform(0.6, 1.6), rng.uniform(0.6, 4.0)
    if rng.random() < 0.5:
        sigma = sigma[::-1]
    grain = cv2.GaussianBlur(noise, (0, 0), sigmaX=sigma[0], sigmaY=sigma[1])
    return grain / grain.std()


def _lighting(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Slow changes of the light over the picture."""
    coarse = rng.normal(0, rng.uniform(0.1, 0.5), size=(4, 5)).astype(np.float32)
    slope = rng.normal(0, 0.3) * np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    return np.exp(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) + slope.astype(np.float32))


def _depths(rng: np.random.Generator) -> tuple[float, float, float]:
    """Metres of background, subject and foreground."""
    subject = float(np.exp(rng.normal(np.log(1.1), 0.45)))
    return subject * rng.uniform(1.5, 8.0), subject, subject * rng.uniform(0.35, 0.75)


def _velocity(rng: np.random.Generator, scale: float, number: int) -> tuple[float, float]:
    """Background stands still; subject and foreground move in most of the scenes."""
    if number == _BACKGROUND or rng.random() < 0.35:
        return 0.0, 0.0
    speed = scale * np.exp(rng.normal(np.log(200.0), 0.8))
    angle = rng.uniform(0, 2 * np.pi)
    return float(speed * np.cos(angle)), float(speed * np.sin(angle))


def _illuminant(rng: np.random.Generator) -> np.ndarray:
    """Color of the light: along the daylight-to-tungsten line, and a little to green or magenta."""
    warmth, tint = rng.normal(0.0, 0.25), rng.normal(0.0, 0.04)
    color = np.exp([warmth, tint, -warmth])
    return (color / color.mean()).astype(np.float32)


@dataclass(frozen=True)
class _Leaves:
    """Centres (n, 2) as x, y and radii (n,) in pixels."""

    centers: np.ndarray
    radii: np.ndarray


def _place(rng: np.random.Generator, height: int, width: int, scale: float, number: int) -> tuple[np.ndarray, _Leaves]:
    """Draw the leaves of layer `number`; (h, w) holds 1 + the number of the leaf seen there, or 0."""
    area = height * width / (640 * 480 * scale**2)
    if number == _BACKGROUND:
        count, smallest, largest = rng.choice([6, 60, 500, 900]) * area, 5.0, 160.0
        centers = rng.uniform((0, 0), (width, height), size=(int(count), 2))
    elif number == _SUBJECT:
        count, smallest, largest = rng.uniform(60, 500) * area, 5.0, 120.0
        homes = rng.uniform((0.1 * width, 0.1 * height), (0.9 * width, 0.9 * height), size=(3, 2))
        spread = rng.uniform(30, 110, size=3) * scale
        home = rng.integers(3, size=int(count))
        centers = homes[home] + spread[home, None] * rng.standard_normal((int(count), 2))
    else:
        count, smallest, largest = rng.uniform(1, 14) * area, 20.0, 130.0
        edge = rng.integers(4)
        centers = rng.uniform((0, 0), (width, height), size=(max(1, int(count)), 2))
        axis, end = edge % 2, (width, height)[edge % 2] * (edge // 2)
        centers[:, axis] = end + (centers[:, axis] - end) * 0.3
    uniform = rng.random(len(centers))
    radii = scale * smallest / np.sqrt(1 - uniform * (1 - (smallest / largest) ** 2))
    leaves = _Leaves(centers, radii)
    index = np.zeros((height, width), np.int32)
    corners = np.round(_outlines(rng, leaves) * 2**_SUBPIXEL_BITS).astype(np.int32)
    for leaf, corner in enumerate(corners, start=1):
        cv2.fillPoly(index, [corner], leaf, shift=_SUBPIXEL_BITS)
    return index.astype(np.intp), leaves  # np.take would convert it each time


def _outlines(rng: np.random.Generator, leaves: _Leaves) -> np.ndarray:
    """(n, corners, 2) polygons: discs, ellipses, rounded boxes and lobed blobs, turned at random."""
    count = len(leaves.radii)
    angle = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    power = rng.choice([2.0, 2.0, 4.0, 12.0], size=(count, 1))
    radius = (np.abs(np.cos(angle)) ** power + np.abs(np.sin(angle)) ** power) ** (-1 / power)
    for lobes in (3, 5):
        phase = rng.uniform(0, 2 * np.pi, size=(count, 1))
        radius = radius * (1 + 0.08 * np.abs(rng.standard_normal((count, 1))) * np.cos(lobes * angle + phase))
    stretch = np.exp(rng.normal(0, 0.35, size=(count, 1)))
    x, y = radius * np.cos(angle) * stretch, radius * np.sin(angle) / stretch
    dihedral = rng.uniform(0, 2 * np.pi, size=(count, 1))
    turned = np.stack(
        [x * np.cos(dihedral) - y * np.sin(dihedral), x * np.sin(dihedral) + y * np.cos(dihedral)], axis=-1
    )
    return leaves.centers[:, None] + leaves.radii[:, None, None] * turned


def _paint(
    rng: np.random.Generator,
    index: np.ndarray,
    leaves: _Leaves,
    look: _Look,
    textures: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """Radiance (h, w, 3) of an index map: each leaf has its color, reflectance, shading, texture and stripes."""
    height, width = index.shape
    count = len(leaves.radii) + 1
    radii = np.append(max(height, width) / 2, leaves.radii)
    centers = np.vstack([[width / 2, height / 2], leaves.centers])

    def each(values: np.ndarray) -> np.ndarray:
        return np.take(values.astype(np.float32), index, mode="clip")

    x = np.arange(width, dtype=np.float32)[None, :]
    y = np.arange(height, dtype=np.float32)[:, None]
    slope = rng.normal(0, 0.3, size=(count, 2)) / radii[:, None]
    level = rng.normal(np.log(0.2), look.contrast, size=count) - (slope * centers).sum(axis=1)
    log_radiance = each(level)
    log_radiance += each(slope[:, 0]) * x
    log_radiance += each(slope[:, 1]) * y
    rough = look.detail * np.minimum(2.5, rng.gamma(1.0, 1.0, size=(2, count))) * np.array([[1.0], [0.6]])
    log_radiance += each(rough[0]) * textures[0]
    log_radiance += each(rough[1]) * textures[1]
    striped = np.where(rng.random(count) < 0.15, rng.uniform(0.1, 0.5, size=count), 0.0)
    angle, period = rng.uniform(0, 2 * np.pi, size=count), np.exp(rng.uniform(np.log(3), np.log(20), size=count))
    phase = each(2 * np.pi * np.cos(angle) / period) * x + each(2 * np.pi * np.sin(angle) / period) * y
    log_radiance += each(striped) * np.sin(phase)
    color = look.palette[rng.integers(len(look.palette), size=count)]
    color = color * np.exp(rng.normal(0, 0.08, size=(count, 3))).astype(np.float32)
    return np.take(color, index, axis=0, mode="clip") * cv2.exp(log_radiance)[..., None]
