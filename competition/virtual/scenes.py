"""Scenes: layered dead leaves, as linear radiance.

Occluding shapes with power-law sizes (r⁻³) have the statistics of natural images: scale invariance, edges, 1/f spectra
(Lee, Mumford and Huang 2001). Each layer has a depth and a velocity, so that aperture and exposure time leave traces.

A scene is a description: outlines and properties of leaves. `Scene.render` draws any window of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from competition.virtual.textures import Canvas, Textures, make_textures
from competition.virtual.window import Window

_BACKGROUND, _SUBJECT = 0, 1  # numbers of layers; 2 is the foreground
_CORNERS = 28  # of the polygon of a leaf
_SUBPIXEL_BITS = 4  # fixed-point bits of its corners
_LIGHT = 1.0, 15.0  # exposure values at ISO 100: a street at night to a beach at noon
_BAND = 32  # rows painted at once, so that intermediate arrays fit the processor's cache


@dataclass(frozen=True)
class Leaves:
    """Leaves of one layer. Later leaves hide earlier ones. Entry 0 of each property belongs to the ground.

    `outlines` (n, corners, 2) are polygons as x, y in pixels of the photo. The logarithm of the radiance at (x, y) is
    `level` + `slope` · (x, y) + `rough` · (pink noise, grain) + `stripes` · sin(`wave` · (x, y)), and `color` is the
    factor for linear RGB, 0 where the ground is transparent. The last axis of the properties has n + 1 entries.
    """

    outlines: np.ndarray
    level: np.ndarray
    slope: np.ndarray
    rough: np.ndarray
    stripes: np.ndarray
    wave: np.ndarray
    color: np.ndarray


@dataclass(frozen=True)
class Layer:
    """Leaves at one depth (meters) that move with one velocity (x, y in pixels per second)."""

    leaves: Leaves
    opaque: bool  # whether its ground covers the photo
    depth: float
    velocity: tuple[float, float]


@dataclass(frozen=True)
class View:
    """Part and resolution of a layer to draw: a `window` in blocks of `step`×`step` pixels, one sample per block."""

    window: Window
    step: int


@dataclass(frozen=True)
class LayerImage:
    """A view of a layer: linear `planes` (c, h, w), 0 outside of leaves; `alpha` (h, w) in {0, 1}, or None if the layer
    is opaque. Both are float32."""

    planes: np.ndarray
    alpha: np.ndarray | None


@dataclass(frozen=True)
class Scene:
    """Layers from back to front, textures, the exposure value of the light at ISO 100 and its color as linear RGB with
    mean 1."""

    layers: tuple[Layer, ...]
    textures: Textures
    light: float
    illuminant: np.ndarray

    def render(self, views: Sequence[View], colors: np.ndarray) -> Iterator[LayerImage]:
        """Yield a view of each layer, from back to front. `colors` (c, 3) maps linear RGB to the planes' colors."""
        canvases = {view: self.textures.canvas(view.window, view.step) for view in set(views)}
        for layer, view in zip(self.layers, views, strict=True):
            index = _draw(layer.leaves.outlines, view)
            planes = _paint(index, layer.leaves, colors @ layer.leaves.color, canvases[view])
            yield LayerImage(planes, None if layer.opaque else (index > 0).astype(np.float32))


def make_scene(rng: np.random.Generator, height: int, width: int, scale: float) -> Scene:
    """Return a random scene of `height`×`width` pixels. Lengths are proportional to `scale` (1 for 640×480 pixels)."""
    textures = make_textures(rng, height, width)
    look = _make_look(rng)
    layers = []
    for number, depth in enumerate(_depths(rng)):
        opaque = number == _BACKGROUND
        centers, radii = _place(rng, height, width, scale, number)
        # The ground has the properties of a leaf of the photo's size.
        centers, radii = np.vstack([[width / 2, height / 2], centers]), np.append(max(height, width) / 2, radii)
        leaves = _make_leaves(rng, centers, radii, look, opaque)
        layers.append(Layer(leaves, opaque, depth, _velocity(rng, scale, number)))
    return Scene(tuple(layers), textures, float(rng.uniform(*_LIGHT)), _illuminant(rng))


@dataclass(frozen=True)
class _Look:
    """What the leaves of one scene have in common."""

    palette: np.ndarray  # (3, colors) linear, mean about 1
    contrast: float  # of reflectance, in natural logarithms
    detail: float  # amplitude of textures


def _make_look(rng: np.random.Generator) -> _Look:
    saturation = rng.gamma(4.0, 0.11)
    # Red, orange, yellow, green and blue, the colors of most things, come before cyan, violet and magenta.
    main = rng.choice([0.0, 0.5, 1.0, 1.9, 3.8, 5.2], p=[0.17, 0.2, 0.17, 0.23, 0.18, 0.05])
    hues = main + rng.normal(0, rng.uniform(0.2, 1.2), size=6)
    strength = saturation * rng.uniform(0.2, 1.5, size=6)
    axes = np.stack([np.cos(hues - shift) for shift in (0, 2 * np.pi / 3, 4 * np.pi / 3)])
    return _Look(np.exp(strength * axes), rng.uniform(0.3, 0.8), rng.uniform(0.08, 0.3))


def _depths(rng: np.random.Generator) -> tuple[float, float, float]:
    """Depths in meters of background, subject and foreground."""
    subject = float(np.exp(rng.normal(np.log(1.1), 0.45)))
    return subject * rng.uniform(1.5, 8.0), subject, subject * rng.uniform(0.35, 0.75)


def _velocity(rng: np.random.Generator, scale: float, number: int) -> tuple[float, float]:
    """The background stands still; subject and foreground move in most scenes."""
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


def _place(
    rng: np.random.Generator, height: int, width: int, scale: float, number: int
) -> tuple[np.ndarray, np.ndarray]:
    """Centers (n, 2) as x, y and radii (n,) in pixels of the leaves of layer `number`."""
    area = height * width / (640 * 480 * scale**2)
    if number == _BACKGROUND:
        count, smallest, largest = int(rng.choice([6, 60, 500, 900]) * area), 5.0, 160.0
        centers = rng.uniform((0, 0), (width, height), size=(count, 2))
    elif number == _SUBJECT:
        count, smallest, largest = int(rng.uniform(60, 500) * area), 5.0, 120.0
        homes = rng.uniform((0.1 * width, 0.1 * height), (0.9 * width, 0.9 * height), size=(3, 2))
        spread = rng.uniform(30, 110, size=3) * scale
        home = rng.integers(3, size=count)
        centers = homes[home] + spread[home, None] * rng.standard_normal((count, 2))
    else:
        count, smallest, largest = max(1, int(rng.uniform(1, 14) * area)), 20.0, 130.0
        edge = rng.integers(4)
        centers = rng.uniform((0, 0), (width, height), size=(count, 2))
        axis, end = edge % 2, (width, height)[edge % 2] * (edge // 2)
        centers[:, axis] = end + (centers[:, axis] - end) * 0.3
    uniform = rng.random(len(centers))
    return centers, scale * smallest / np.sqrt(1 - uniform * (1 - (smallest / largest) ** 2))


def _make_leaves(rng: np.random.Generator, centers: np.ndarray, radii: np.ndarray, look: _Look, opaque: bool) -> Leaves:
    """Random shapes and properties of the leaves at `centers` (n + 1, 2), the first of which is the ground."""
    outlines = centers[1:, None] + radii[1:, None, None] * _unit_outlines(rng, len(radii) - 1)
    count = len(radii)
    shade = 0.0 if opaque else rng.normal(0, 0.25)
    slope = rng.normal(0, 0.3, size=(2, count)) / radii
    level = rng.normal(np.log(0.2), look.contrast, size=count) - (slope * centers.T).sum(axis=0) + shade
    rough = look.detail * np.minimum(2.5, rng.gamma(1.0, 1.0, size=(2, count))) * np.array([[1.0], [0.6]])
    stripes = np.where(rng.random(count) < 0.15, rng.uniform(0.1, 0.5, size=count), 0.0)
    angle, period = rng.uniform(0, 2 * np.pi, size=count), np.exp(rng.uniform(np.log(3), np.log(20), size=count))
    wave = 2 * np.pi * np.stack([np.cos(angle), np.sin(angle)]) / period
    color = look.palette[:, rng.integers(look.palette.shape[1], size=count)]
    color = color * np.exp(rng.normal(0, 0.08, size=(3, count)))
    color[:, 0] *= opaque
    properties = (level, slope, rough, stripes, wave, color)
    return Leaves(outlines, *(values.astype(np.float32) for values in properties))


def _unit_outlines(rng: np.random.Generator, count: int) -> np.ndarray:
    """(count, corners, 2) polygons of radius about 1: discs, ellipses, rounded boxes and lobed blobs at random
    angles."""
    angle = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    power = rng.choice([2.0, 2.0, 4.0, 12.0], size=(count, 1))
    radius = (np.abs(np.cos(angle)) ** power + np.abs(np.sin(angle)) ** power) ** (-1 / power)
    for lobes in (3, 5):
        phase = rng.uniform(0, 2 * np.pi, size=(count, 1))
        radius = radius * (1 + 0.08 * np.abs(rng.standard_normal((count, 1))) * np.cos(lobes * angle + phase))
    stretch = np.exp(rng.normal(0, 0.35, size=(count, 1)))
    x, y = radius * np.cos(angle) * stretch, radius * np.sin(angle) / stretch
    rotation = rng.uniform(0, 2 * np.pi, size=(count, 1))
    cosine, sine = np.cos(rotation), np.sin(rotation)
    return np.stack([x * cosine - y * sine, x * sine + y * cosine], axis=-1)


def _draw(outlines: np.ndarray, view: View) -> np.ndarray:
    """(h, w) int32: 1 + the number of the visible leaf at each sample of a view, or 0 for the ground."""
    window = view.window
    index = np.zeros((window.height, window.width), np.int32)
    corners = (outlines - (view.step - 1) / 2) / view.step - (window.left, window.top)
    corners = np.round(corners * 2**_SUBPIXEL_BITS).astype(np.int32)
    for leaf, corner in enumerate(corners, start=1):
        cv2.fillPoly(index, [corner], leaf, shift=_SUBPIXEL_BITS)
    return index


def _paint(index: np.ndarray, leaves: Leaves, color: np.ndarray, canvas: Canvas) -> np.ndarray:
    """Radiance (c, h, w) of the leaves of `index` (h, w) with the colors `color` (c, n + 1). A black ground is
    transparent."""
    planes = np.zeros((len(color), *index.shape), np.float32)
    for top in range(0, len(index), _BAND):
        rows = slice(top, top + _BAND)
        seen = np.flatnonzero(index[rows].any(axis=0) | bool(color[:, 0].any()))
        if not len(seen):
            continue
        columns = slice(int(seen[0]), int(seen[-1]) + 1)
        leaf = index[rows, columns].astype(np.intp)  # np.take would convert it each time
        radiance = cv2.exp(_log_radiance(leaf, leaves, canvas, rows, columns))
        for plane, values in zip(planes, color, strict=True):
            np.multiply(_take(values, leaf), radiance, out=plane[rows, columns])
    return planes


def _log_radiance(leaf: np.ndarray, leaves: Leaves, canvas: Canvas, rows: slice, columns: slice) -> np.ndarray:
    """Logarithm of the radiance at some rows and columns of the canvas, whose leaves are `leaf`, before coloring."""
    x, y = canvas.x[columns], canvas.y[rows, None]
    total = canvas.light_rows[rows] @ canvas.light_columns[:, columns]
    total += _take(leaves.level, leaf)
    total += _take(leaves.slope[0], leaf) * x
    total += _take(leaves.slope[1], leaf) * y
    for amount, texture in zip(leaves.rough, canvas.textures, strict=True):
        total += _take(amount, leaf) * texture[rows, columns]
    striped = np.flatnonzero(_take(leaves.stripes > 0, leaf))
    row, column = np.divmod(striped, leaf.shape[1])
    some = leaf.ravel()[striped]
    phase = leaves.wave[0, some] * x[column] + leaves.wave[1, some] * y[row, 0]
    total.ravel()[striped] += leaves.stripes[some] * np.sin(phase)
    return total


def _take(values: np.ndarray, leaf: np.ndarray) -> np.ndarray:
    """The property `values` (n + 1,) of the leaf at each pixel."""
    return np.take(values, leaf, mode="clip")
