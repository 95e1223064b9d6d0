import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings
from PIL import Image

# The same examples in every run, however busy the machine is.
settings.register_profile("reproducible", deadline=None, derandomize=True)
settings.load_profile("reproducible")

if "PYTEST_XDIST_WORKER" in os.environ:  # there is one process per core
    for variable in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(variable, "1")

# Compiling a graph takes longer than the few steps of a test.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")

REAL_PHOTOS = Path(__file__).parents[2] / "shared" / "photos"

CAMERAS = ("cat", "dog", "eel")
TEST_SIDE = 64


def _pixels(camera: int, number: int, height: int, width: int) -> np.ndarray:
    """Noise whose roughness identifies the camera: uint8 (height, width, 3)."""
    rng = np.random.default_rng((camera, number))
    coarse = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return np.repeat(coarse, camera + 1, axis=1)[:, :width]


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Chromium without a window, see tests/browser.py. Skips the test if it is not installed."""
    from tests.browser import Browser, find_chromium

    executable = find_chromium()
    if executable is None:
        pytest.skip("needs Chromium (apt-get install chromium)")
    with Browser(executable, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="session")
def real_photos():
    """The folder of real photos beside the repository, in the Kaggle layout. Skips the test if it is absent."""
    if not REAL_PHOTOS.is_dir():
        pytest.skip("needs the real photos in ../shared/photos")
    return REAL_PHOTOS


@pytest.fixture(scope="session")
def photo_folder():
    """A function that fills a folder in the Kaggle layout with tiny photos, and returns it.

    Each of `CAMERAS` has `photos` photos. With `test`, each also has that many unaltered and that many manipulated test
    patches, and the folder gets `sample_submission.csv` and `solution.csv`.
    """

    def make(folder: Path, photos: int = 7, test: int = 0, side: int = 96) -> Path:
        rows = []
        for index, camera in enumerate(CAMERAS):
            (folder / "train" / camera).mkdir(parents=True)
            for number in range(photos):
                exif = Image.Exif()
                exif[0x0110] = f"M-{camera}"
                image = Image.fromarray(_pixels(index, number, side, side + 16))
                image.save(folder / "train" / camera / f"{number}.jpg", quality=80 + 7 * index, exif=exif)
            for number in range(2 * test):
                (folder / "test").mkdir(exist_ok=True)
                kind, manipulation = (("unalt", "unaltered"), ("manip", "gamma0.8"))[number % 2]
                fname = f"img_{index}{number}_{kind}.tif"
                Image.fromarray(_pixels(index, 1000 + number, TEST_SIDE, TEST_SIDE)).save(folder / "test" / fname)
                rows.append((fname, camera, manipulation, ("Public", "Private")[number // 2 % 2]))
        if rows:
            solution = pd.DataFrame(rows, columns=["fname", "camera", "manipulation", "usage"])
            solution.to_csv(folder / "solution.csv", index=False)
            solution[["fname"]].assign(camera=CAMERAS[0]).to_csv(folder / "sample_submission.csv", index=False)
        return folder

    return make


@pytest.fixture(scope="session")
def settings_folder(photo_folder):
    """A function that fills a folder with tiny photos whose EXIF settings cover all of three bins."""
    f_numbers, isos, times = (2, 4, 8), (100, 300, 800), (0.001, 0.01, 0.25)

    def make(folder: Path, photos: int = 10) -> Path:
        for number, path in enumerate(sorted(photo_folder(folder, photos).glob("train/*/*.jpg"))):
            with Image.open(path) as image:
                exif = image.getexif()
                exif.get_ifd(0x8769).update(
                    {0x829D: f_numbers[number % 3], 0x8827: isos[number // 2 % 3], 0x829A: times[number // 3 % 3]}
                )
                image.save(path, quality="keep", exif=exif)
        return folder

    return make


@pytest.fixture
def untraced(train_untraced, monkeypatch):
    """Run Keras models eagerly: for a few steps, compiling a graph takes longer than the steps.

    The tests of the main job and of the killed training compile their graphs.
    """
    train_untraced(monkeypatch)


@pytest.fixture(scope="session")
def train_untraced():
    """A function that runs Keras models eagerly while a monkeypatch lasts."""
    import keras

    eagerly = property(lambda model: True, lambda model, value: None)
    return lambda patch: patch.setattr(keras.Model, "run_eagerly", eagerly)


@pytest.fixture
def tiny_mobilenet(shrink_mobilenet, monkeypatch):
    """Replace `mobilenet` by two convolutions, which train in a second."""
    shrink_mobilenet(monkeypatch)


@pytest.fixture(scope="session")
def shrink_mobilenet():
    """A function that replaces `mobilenet` by two convolutions while a monkeypatch lasts."""
    import keras

    from models.backbones import BACKBONES, Backbone

    def build(weights: str | None, input_shape: tuple[int | None, int | None, int]) -> keras.Model:
        pixels = keras.Input(input_shape)
        x = keras.layers.Conv2D(4, 3, strides=2, activation="relu")(pixels)
        x = keras.layers.BatchNormalization()(x)
        return keras.Model(pixels, keras.layers.Conv2D(8, 3, strides=2)(x))

    return lambda patch: patch.setitem(BACKBONES, "mobilenet", Backbone(build, "tf", 32))
