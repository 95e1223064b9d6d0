"""Taking one photograph."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from PIL import Image

from competition.virtual.cameras import Camera
from competition.virtual.exposure import Settings, choose_settings
from competition.virtual.files import Shot, encode_jpeg, make_exif
from competition.virtual.isp import develop, sensor_from_rgb
from competition.virtual.optics import form_image
from competition.virtual.scenes import Scene, make_scene
from competition.virtual.sensor import expose, make_device, mosaic, name_seed

_FIRST_DAY = datetime(2024, 1, 1)
_DAYS = 700
_MIDDLE_GRAY = 0.17
_SHAKE = 18.0  # of the hand, pixels a second at scale 1: 1/20 s is the longest that most people hold still


@dataclass(frozen=True)
class Photograph:
    """A photograph before its JPEG, and the truth about it. `pixels` uint8 (h, w, 3) RGB."""

    pixels: np.ndarray
    settings: Settings
    shot: Shot
    exif: Image.Exif
    camera: Camera

    def jpeg(self) -> bytes:
        """The file, as the camera writes it."""
        return encode_jpeg(self.pixels, self.camera, self.exif)


def take_photo(camera: Camera, device: str, seed: int, index: int, scale: float = 1.0) -> Photograph:
    """Photograph number `index` of body `device`. It depends on nothing but the arguments, so any process may take it.

    `scale` multiplies sides and the lengths in the scene: 1 means about 640×480 pixels.
    """
    rng = np.random.default_rng([seed, name_seed(camera.name), name_seed(device), index])
    height, width = camera.native_size(scale)
    # Zoom varies more than native sizes do, so that the size of things does not tell the camera.
    scene = make_scene(rng, height, width, scale * float(np.exp(rng.normal(0, 0.25))))
    settings = choose_settings(rng, scene.light, camera.widest)
    focal_35 = int(rng.choice([26, 28, 35, 40, 50, 60, 70, 85]))
    focus = float(rng.choice([layer.depth for layer in scene.layers], p=[0.2, 0.7, 0.1]))
    hand = rng.normal(0, _SHAKE * scale, size=2)
    image = form_image(scene, settings, camera, focal_35, focus, (float(hand[0]), float(hand[1])), scale)
    signal = image * np.float32(_metered_gain(rng, image, settings, scene.light))
    body = make_device(device, height, width)
    colors = sensor_from_rgb() * scene.illuminant
    seen = signal @ (colors * body.color[:, None]).T
    raw = expose(rng, mosaic(seen, camera.pattern), camera, body, settings.iso, float(settings.exposure_time))
    pixels = develop(raw, camera, _white_balance(rng, scene, colors), settings.iso)
    taken_at = _FIRST_DAY + timedelta(days=float(rng.uniform(0, _DAYS)))
    shot = Shot(device, taken_at, focal_35, focus, scene.light, height, width)
    return Photograph(pixels, settings, shot, make_exif(camera, settings, shot), camera)


def _metered_gain(rng: np.random.Generator, image: np.ndarray, settings: Settings, light: float) -> float:
    """What turns radiance into the share of the sensor's range: the meter's error, and how far the settings, which
    come in thirds of a stop, miss the light."""
    luminance = np.maximum(image[::8, ::8, 1], 1e-4)
    metered = 0.5 * np.exp(np.log(luminance).mean()) + 0.5 * luminance.mean()
    error = settings.gathered * 2**light * 2 ** rng.normal(0, 0.35)
    return float(_MIDDLE_GRAY / metered * error)


def _white_balance(rng: np.random.Generator, scene: Scene, colors: np.ndarray) -> np.ndarray:
    """Automatic white balance: gains (3,) that would make the light gray, but for an error that is larger than
    the differences between models. The least gain is 1, so that what is clipped is white."""
    warmth, tint = rng.normal(0, 0.11), rng.normal(0, 0.06)
    error = np.exp([warmth, tint, -warmth])
    gains = error / colors.sum(axis=1)
    return (gains / gains.min()).astype(np.float32)
