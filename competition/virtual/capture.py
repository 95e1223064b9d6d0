"""Take one photo with a virtual camera."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from PIL import Image

from competition.virtual.cameras import Camera
from competition.virtual.exposure import Settings, choose_settings
from competition.virtual.files import Shot, encode_jpeg, make_exif
from competition.virtual.isp import ISP_REACH, develop, sensor_from_rgb
from competition.virtual.optics import Blur, form_image, layer_blurs, layer_views, vignetting
from competition.virtual.scenes import Scene, View, make_scene
from competition.virtual.sensor import MIDDLE_GRAY, expose, make_device, name_seed
from competition.virtual.window import Window, white_noise

_FIRST_DAY = datetime(2024, 1, 1)
_DAYS = 700
_METER_STEP = 8  # pixels
_SHAKE = 18.0  # of the hand, in pixels per second at scale 1: about 1 pixel in 1/20 s


@dataclass(frozen=True)
class Photo:
    """A photo before JPEG compression, and the true settings. `pixels` are uint8 (h, w, 3) RGB."""

    pixels: np.ndarray
    settings: Settings
    shot: Shot
    exif: Image.Exif
    camera: Camera

    def jpeg(self) -> bytes:
        """Return the JPEG file that the camera writes."""
        return encode_jpeg(self.pixels, self.camera, self.exif)


@dataclass(frozen=True)
class Setup:
    """What is chosen before the exposure: scene, settings, 35 mm equivalent focal length, focus distance in meters, and
    the blur of each layer, which follows from them. `rng` continues with the choices of the exposure itself."""

    scene: Scene
    settings: Settings
    focal_35: int
    focus: float
    blurs: list[Blur]
    rng: np.random.Generator


def set_up(camera: Camera, device: str, seed: int, index: int, scale: float = 1.0) -> Setup:
    """Choose scene and settings of a photo without taking it. Arguments are those of `take_photo`."""
    rng = np.random.default_rng([seed, name_seed(camera.name), name_seed(device), index])
    height, width = camera.native_size(scale)
    # Zoom varies more than native sizes do, so that the size of shapes does not identify the camera.
    scene = make_scene(rng, height, width, scale * float(np.exp(rng.normal(0, 0.25))))
    settings = choose_settings(rng, scene.light, camera.min_f_number)
    focal_35 = int(rng.choice([26, 28, 35, 40, 50, 60, 70, 85]))
    focus = float(rng.choice([layer.depth for layer in scene.layers], p=[0.2, 0.7, 0.1]))
    hand = rng.normal(0, _SHAKE * scale, size=2)
    blurs = layer_blurs(scene.layers, settings, camera, focal_35, focus, (float(hand[0]), float(hand[1])), scale)
    return Setup(scene, settings, focal_35, focus, blurs, rng)


def take_photo(
    camera: Camera, device: str, seed: int, index: int, scale: float = 1.0, window: Window | None = None
) -> Photo:
    """Take photo number `index` of a device. The result depends on the arguments only.

    Args:
        camera: The camera model.
        device: Name of the device (one body of the camera model).
        seed: Seed of the data set.
        index: Number of the photo among those by the device.
        scale: Factor for the photo's sides and for lengths in the scene; 1 means about 640×480 pixels.
        window: The part of the photo to simulate (default: all), with an even first row and column and even sides. Its
            pixels equal those of the whole photo, except for rounding and for outlines of the scene that cross the
            border of the drawn area. If the window starts at multiples of 16, the same is true for the JPEG, except
            within 16 pixels of its border.
    """
    height, width = camera.native_size(scale)
    frame = Window(0, 0, height, width)
    window = window or frame
    setup = set_up(camera, device, seed, index, scale)
    rng, scene, settings, blurs = setup.rng, setup.scene, setup.settings, setup.blurs
    gain = _metered_gain(rng, scene, settings, frame)
    taken_at = _FIRST_DAY + timedelta(days=float(rng.uniform(0, _DAYS)))
    noise_seed = int(rng.integers(2**32))

    read = window.grown(ISP_REACH).clipped(frame)  # the pixels that influence the window
    sensor = make_device(device, frame, read)
    colors = sensor_from_rgb() * scene.illuminant
    balance = _white_balance(rng, scene, colors)
    views = layer_views(read, blurs)
    layers = scene.render(views, colors * sensor.color[:, None] * gain)
    signal = form_image(layers, views, blurs, read, camera.pattern)
    signal *= vignetting(read, frame, settings.f_number)
    raw = expose(signal, white_noise(noise_seed, read), camera, sensor, settings.iso, float(settings.exposure_time))
    pixels = np.ascontiguousarray(develop(raw, camera, balance, settings.iso)[window.place_in(read)])
    shot = Shot(device, taken_at, setup.focal_35, setup.focus, scene.light, height, width)
    return Photo(pixels, settings, shot, make_exif(camera, settings, shot), camera)


def _metered_gain(rng: np.random.Generator, scene: Scene, settings: Settings, frame: Window) -> float:
    """Factor from radiance to the share of the sensor's range.

    It includes the error of the light meter and the rounding of the settings to thirds of a stop.
    """
    view = View(frame.coarse(_METER_STEP), _METER_STEP)
    green = np.zeros((view.window.height, view.window.width), np.float32)
    for layer in scene.render([view] * len(scene.layers), np.array([[0, 1, 0]])):
        green = np.where(layer.planes[0] > 0, layer.planes[0], green)
    luminance = np.maximum(green, 1e-4)
    metered = 0.5 * np.exp(np.log(luminance).mean()) + 0.5 * luminance.mean()
    error = settings.relative_signal * 2**scene.light * 2 ** rng.normal(0, 0.35)
    return float(MIDDLE_GRAY / metered * error)


def _white_balance(rng: np.random.Generator, scene: Scene, colors: np.ndarray) -> np.ndarray:
    """Automatic white balance: gains (3,) that make the light gray, with an error that is larger than the differences
    between camera models. The smallest gain is 1, so that clipped pixels are white."""
    warmth, tint = rng.normal(0, 0.11), rng.normal(0, 0.06)
    error = np.exp([warmth, tint, -warmth])
    gains = error / colors.sum(axis=1)
    return (gains / gains.min()).astype(np.float32)
