"""Taking one photograph."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from PIL import Image

from competition.virtual.cameras import Camera
from competition.virtual.exposure import Settings, choose_settings
from competition.virtual.files import Shot, encode_jpeg, make_exif
from competition.virtual.isp import ISP_REACH, develop, sensor_from_rgb
from competition.virtual.optics import form_image, layer_blurs, layer_views, vignetting
from competition.virtual.scenes import Scene, View, make_scene
from competition.virtual.sensor import expose, make_device, name_seed
from competition.virtual.window import Window, white_noise

_FIRST_DAY = datetime(2024, 1, 1)
_DAYS = 700
_MIDDLE_GRAY = 0.17
_METER_STEP = 8  # pixels
_SHAKE = 18.0  # of the hand, pixels a second at scale 1: 1/20 s is the longest that most people hold still


@dataclass(frozen=True)
class Photo:
    """A photograph before its JPEG, and the truth about it. `pixels` uint8 (h, w, 3) RGB."""

    pixels: np.ndarray
    settings: Settings
    shot: Shot
    exif: Image.Exif
    camera: Camera

    def jpeg(self) -> bytes:
        """The file, as the camera writes it."""
        return encode_jpeg(self.pixels, self.camera, self.exif)


def take_photo(
    camera: Camera, device: str, seed: int, index: int, scale: float = 1.0, window: Window | None = None
) -> Photo:
    """Take photo number `index` of body `device`. It depends on nothing but the arguments, so any process may take it.

    Args:
        camera: The camera model.
        device: Name of the body.
        seed: Seed of the data set.
        index: Number of the photo among those by the body.
        scale: Factor for the photo's sides and for lengths in the scene; 1 means about 640×480 pixels.
        window: The part of the photo to simulate (default: all), with an even first row and column and even sides. Its
            pixels are those of the whole photo, except for rounding and for outlines in the scene that cross the border
            of what is drawn. If it begins at multiples of 16, the same holds for its JPEG 16 pixels from its border.
    """
    rng = np.random.default_rng([seed, name_seed(camera.name), name_seed(device), index])
    height, width = camera.native_size(scale)
    frame = Window(0, 0, height, width)
    window = window or frame
    # Zoom varies more than native sizes do, so that the size of things does not tell the camera.
    scene = make_scene(rng, height, width, scale * float(np.exp(rng.normal(0, 0.25))))
    settings = choose_settings(rng, scene.light, camera.widest)
    focal_35 = int(rng.choice([26, 28, 35, 40, 50, 60, 70, 85]))
    focus = float(rng.choice([layer.depth for layer in scene.layers], p=[0.2, 0.7, 0.1]))
    hand = rng.normal(0, _SHAKE * scale, size=2)
    gain = _metered_gain(rng, scene, settings, frame)
    taken_at = _FIRST_DAY + timedelta(days=float(rng.uniform(0, _DAYS)))
    noise_seed = int(rng.integers(2**32))

    read = window.grown(ISP_REACH).clipped(frame)  # what the sensor reads out
    body = make_device(device, frame, read)
    colors = sensor_from_rgb() * scene.illuminant
    balance = _white_balance(rng, scene, colors)
    blurs = layer_blurs(scene.layers, settings, camera, focal_35, focus, (float(hand[0]), float(hand[1])), scale)
    views = layer_views(read, blurs)
    layers = scene.render(views, colors * body.color[:, None] * gain)
    signal = form_image(layers, views, blurs, read, camera.pattern)
    signal *= vignetting(read, frame, settings.f_number)
    noise = white_noise(noise_seed, read)
    raw = expose(noise, signal, camera, body, settings.iso, float(settings.exposure_time))
    pixels = np.ascontiguousarray(develop(raw, camera, balance, settings.iso)[window.place_in(read)])
    shot = Shot(device, taken_at, focal_35, focus, scene.light, height, width)
    return Photo(pixels, settings, shot, make_exif(camera, settings, shot), camera)


def _metered_gain(rng: np.random.Generator, scene: Scene, settings: Settings, frame: Window) -> float:
    """Factor from radiance to the share of the sensor's range. It contains the meter's error and how far the settings,
    which come in thirds of a stop, miss the light."""
    view = View(frame.coarse(_METER_STEP), _METER_STEP)
    green = np.zeros((view.window.height, view.window.width), np.float32)
    for layer in scene.render([view] * len(scene.layers), np.array([[0, 1, 0]])):
        green = np.where(layer.planes[0] > 0, layer.planes[0], green)
    luminance = np.maximum(green, 1e-4)
    metered = 0.5 * np.exp(np.log(luminance).mean()) + 0.5 * luminance.mean()
    error = settings.gathered * 2**scene.light * 2 ** rng.normal(0, 0.35)
    return float(_MIDDLE_GRAY / metered * error)


def _white_balance(rng: np.random.Generator, scene: Scene, colors: np.ndarray) -> np.ndarray:
    """Automatic white balance: gains (3,) that would make the light gray, but for an error that is larger than
    the differences between models. The least gain is 1, so that what is clipped is white."""
    warmth, tint = rng.normal(0, 0.11), rng.normal(0, 0.06)
    error = np.exp([warmth, tint, -warmth])
    gains = error / colors.sum(axis=1)
    return (gains / gains.min()).astype(np.float32)
