from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import IFD, Base

from competition.forgeries.datasets import DATA_SETS
from models.classifier import build
from models.presets import classifier_recipe, dual_encoder_recipe
from submissions.exif_language import ExifRun, open_exif_language, train_exif_language
from submissions.run import Run, start_run


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen photos by two cameras with two devices each; one camera takes noise and the other uniform gray."""
    folder = tmp_path_factory.mktemp("data") / "photos"
    for index, camera in enumerate(("ant", "bee")):
        (folder / "train" / camera).mkdir(parents=True)
        for number in range(8):
            exif = Image.Exif()
            exif.update({Base.Make: camera, Base.Model: f"M-{camera}", Base.Orientation: 1, Base.Software: "1.0"})
            exif.update({Base.XResolution: 72.5, Base.YResolution: 72.5, Base.ResolutionUnit: 2})
            inner: dict[int, object] = {
                Base.FNumber: 2.8,
                Base.ISOSpeedRatings: 100,
                Base.ExposureTime: 0.02,
                Base.FocalLength: 35.0,
            }
            inner |= {Base.Flash: 0, Base.MeteringMode: 2, Base.BodySerialNumber: f"{camera}-{number % 2}"}
            exif[IFD.Exif] = inner
            noise = np.random.default_rng((index, number)).integers(0, 256, (40, 48, 3), dtype=np.uint8)
            pixels = noise if camera == "ant" else np.full_like(noise, 20 * number)
            Image.fromarray(pixels).save(folder / "train" / camera / f"{number}.jpg", exif=exif, quality=95)
    return folder


@pytest.fixture(scope="session")
def run(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> ExifRun:
    """A finished exif-language run on these photos, with patches of 24 pixels."""
    folder = tmp_path_factory.mktemp("runs") / "one"
    recipe = dual_encoder_recipe("smoke", patch=24, batch=4, epochs=1, patches_per_photo=1)
    train_exif_language(folder, photos, recipe)
    return open_exif_language(folder)


@pytest.fixture
def casia1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree of the data set casia1 with ten authentic and ten spliced images; splices have white rows."""
    monkeypatch.setitem(DATA_SETS, "casia1", replace(DATA_SETS["casia1"], authentic=10))
    root = tmp_path / "casia1"
    for folder in ("Au", "Tp/Sp", "CASIA 1.0 groundtruth/Sp"):
        (root / folder).mkdir(parents=True)
        is_mask = folder.endswith("groundtruth/Sp")
        for number in range(10):
            image = np.full((40, 48, 3), 0 if is_mask else 10 * number, np.uint8)
            if is_mask:
                image[:10] = 255
            elif folder == "Tp/Sp":
                image[::2] = 255
            Image.fromarray(image).save(root / folder / (f"{number}_gt.png" if is_mask else f"{number}.png"))
    return root


@pytest.fixture
def make_classifier(photos: Path) -> Callable[..., Run]:
    """Makes a camera classifier on the photos of `run`, with an untrained network unless `finished` is false."""

    def make(folder: Path, finished: bool = True) -> Run:
        settings = classifier_recipe("smoke", "convnet", patch=24, batch=4)
        classifier = Run(folder, photos.resolve(), {"convnet": settings}, seed=1)
        start_run(classifier, 1)
        if finished:
            classifier.member_folder("convnet").mkdir(parents=True)
            build("convnet", settings, {"camera": 2}).save(classifier.member_folder("convnet") / "model.keras")
        return classifier

    return make
