"""Readers and commands that need no framework, for `benchmarks.fuzz`, each with valid files to start from."""

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageCms, PngImagePlugin

from augment.decode import read_pixels
from augment.pipelines import read_pipeline
from benchmarks.mutations import (
    Mutate,
    mutate_bytes,
    mutate_csv,
    mutate_jpeg,
    mutate_json,
    mutate_npy,
    mutate_png,
    mutate_tiff,
    mutate_yaml,
    mutate_zip,
)
from commands.__main__ import main
from competition.collect.record import Record
from competition.collect.url_list import read_url_list
from competition.doctor.read_file import read_photo
from competition.manifest import load_manifest
from competition.metadata.collected import RECORD_NAME, collected_devices
from competition.metadata.exif_tags import read_tags
from competition.metadata.header import read_header
from competition.prepare.center_crop import crop_to_center
from models.exif_language.tokenizer import Tokenizer, load_tokenizer
from models.presets import classifier_recipe
from submissions.prediction_cache import Predictions, load, save
from submissions.run import Run, open_run, start_run

CAMERAS = ("cat", "dog")
PHOTOS = 7  # of each camera
SIDE = 64


@dataclass(frozen=True)
class Target:
    """A reader or a command.

    Attributes:
        name: of the target.
        file: that is mutated; it holds `seeds[0]` between the cases.
        seeds: valid contents of the file.
        mutations: to choose from.
        read: reads the file: returns, raises `InputError`, or returns the exit code of a command.
        share: of the cases, relative to the others.
    """

    name: str
    file: Path
    seeds: tuple[bytes, ...]
    mutations: tuple[Mutate, ...]
    read: Callable[[Path], object]
    share: float


def make_targets(folder: Path) -> list[Target]:
    """Make the files of all targets in `folder`, which has the folders `home` and `output`."""
    home, output = folder / "home", folder / "output"
    photos = _photo_seeds()
    targets = [
        Target(name, home / f"a.{name}", seeds, mutations, lambda path: _read_photo(path, output), 4)
        for name, seeds, mutations in (
            ("jpg", photos["jpg"], (mutate_bytes, mutate_jpeg, mutate_jpeg)),
            ("png", photos["png"], (mutate_bytes, mutate_png, mutate_png)),
            ("tif", photos["tif"], (mutate_bytes, mutate_tiff, mutate_tiff)),
        )
    ]
    targets.append(Target("bmp", home / "a.bmp", photos["bmp"], (mutate_bytes,), read_pixels, 4))
    run = _make_run(home)
    data = run.data
    job = str(run.folder)
    first = next(iter(sorted((data / "train" / "cat").iterdir())))

    def doctor(path: Path) -> int:
        return main(["doctor", str(data), "--out", str(output / "doctor.csv"), "--pixels", "--jobs", "1"])

    def prepare(path: Path) -> int:
        return main(["prepare", str(data), "--out", str(output / "prepared"), "--size", "32", "--jobs", "1"])

    def start(path: Path) -> object:
        recipes = {"convnet": classifier_recipe("smoke", "convnet")}
        return start_run(Run(output / "runs" / "new", data, recipes, 0), 1)

    def submit(path: Path) -> int:
        return main(["submit", job, "--balance", "exact", "--out", str(output / "submission.csv")])

    def check(path: Path) -> int:
        return main(["submit", job, "--check", str(path)])

    def leaderboard(path: Path) -> int:
        return main(["leaderboard", job])

    table, text = (mutate_csv,), (mutate_json,)
    archive = (mutate_zip(mutate_npy),)
    predictions = run.predictions_file("convnet", "test")
    targets += [
        Target("command doctor", first, photos["jpg"], (mutate_bytes, mutate_jpeg), doctor, 1),
        Target("command prepare", first, photos["jpg"], (mutate_bytes, mutate_jpeg), prepare, 1),
        Target("start of a run, photo", first, photos["jpg"], (mutate_bytes, mutate_jpeg), start, 0.3),
    ]
    for name in ("sample_submission.csv", "solution.csv", "quotas.csv"):
        seed = ((data / name).read_bytes(),)
        targets.append(Target(f"start of a run, {name}", data / name, seed, table, start, 0.3))
        targets.append(Target(f"command leaderboard, {name}", data / name, seed, table, leaderboard, 0.3))
        targets.append(Target(f"command submit, {name}", data / name, seed, table, submit, 0.3))
    for name, mutations in (("config.json", text), ("manifest.csv", table), ("validation.csv", table)):
        file = run.folder / name
        targets.append(Target(f"command submit, {name}", file, (file.read_bytes(),), mutations, submit, 0.5))
        targets.append(Target(f"command leaderboard, {name}", file, (file.read_bytes(),), mutations, leaderboard, 0.5))
    files = _table_seeds(home, run)
    pipeline = (Path(__file__).parents[1] / "augment" / "pipelines" / "social-media.yaml").read_bytes()
    targets += [
        Target("config.json", run.folder / "config.json", ((run.folder / "config.json").read_bytes(),), text, _open, 3),
        Target("tokens.json", home / "tokens.json", (files["tokens.json"],), text, load_tokenizer, 1),
        Target("manifest.csv", home / "manifest.csv", (files["manifest.csv"],), table, load_manifest, 2),
        Target("urls.csv", home / "urls.csv", (files["urls.csv"],), table, read_url_list, 2),
        Target(RECORD_NAME, output / RECORD_NAME, (files[RECORD_NAME],), table, _devices, 2),
        Target("command submit --check", home / "mine.csv", (files["mine.csv"],), table, check, 0.5),
        Target("predictions", predictions, (predictions.read_bytes(),), archive, load, 3),
        Target("command submit, predictions", predictions, (predictions.read_bytes(),), archive, submit, 0.5),
        Target(
            "pipeline", home / "pipeline.yaml", (pipeline,), (mutate_yaml,), lambda path: read_pipeline(str(path)), 1
        ),
    ]
    return targets


def _open(path: Path) -> object:
    return open_run(path.parent)


def _devices(path: Path) -> object:
    with Record(path.parent):
        return collected_devices(path.parent)


def _read_photo(path: Path, output: Path) -> None:
    """Read a photo as `doctor`, `prepare`, training and the EXIF texts do. Raises the first InputError at the end."""
    from competition.utils.errors import InputError

    errors = []
    for read in (read_header, read_tags, read_pixels):
        try:
            read(path)
        except InputError as error:
            errors.append(error)
    read_photo(path.parent, True, path.name)
    crop_to_center(path.parent, output, 16, path.name)
    if errors:
        raise errors[0]


def _pixels(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (SIDE, SIDE + 16, 3), np.uint8)


def _photo_seeds() -> dict[str, tuple[bytes, ...]]:
    """Small photos in several variants by suffix: EXIF with a thumbnail, color profiles, texts, compressions."""
    image = Image.fromarray(_pixels(0))
    thumbnail = _encode(Image.fromarray(_pixels(1)[:16, :16]), "JPEG")
    exif = Image.Exif()
    exif.update({0x010F: "Maker", 0x0110: "M-cat", 0x0112: 6})
    exif.get_ifd(0x8769).update({0x829A: 0.01, 0x829D: 2.8, 0x8827: 100, 0xA431: "7", 0x927C: bytes(99)})
    block = exif.tobytes()
    block += b"\xff\xd8" + thumbnail[2:]
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "x" * 1000, zip=True)
    text.add_itxt("Title", "y" * 100)
    jpeg = {"exif": block, "icc_profile": profile}
    return {
        "jpg": (
            _encode(image, "JPEG", **jpeg),
            _encode(image, "JPEG", **jpeg, progressive=True),
            _encode(image, "JPEG", **jpeg, subsampling="4:2:0", restart_marker_rows=1),
            _encode(image, "JPEG", **jpeg) + _encode(image, "JPEG"),
        ),
        "png": (
            _encode(image, "PNG", exif=exif, icc_profile=profile, pnginfo=text),
            _encode(image.convert("P"), "PNG"),
            _encode(image.convert("L"), "PNG"),
        ),
        "tif": tuple(
            _encode(image, "TIFF", exif=exif, compression=kind)
            for kind in (None, "tiff_lzw", "jpeg", "tiff_adobe_deflate", "packbits")
        ),
        "bmp": (_encode(image, "BMP"), _encode(image.convert("P"), "BMP")),
    }


def _encode(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _make_run(home: Path) -> Run:
    """Make a small folder of photos with a test set, and a run on it with random predictions."""
    data, rows = home / "photos", []
    for index, camera in enumerate(CAMERAS):
        (data / "train" / camera).mkdir(parents=True)
        for number in range(PHOTOS):
            image = Image.fromarray(_pixels(100 * index + number))
            image.save(data / "train" / camera / f"{number}.jpg", quality=80 + 7 * index)
        for number in range(4):
            (data / "test").mkdir(exist_ok=True)
            kind, manipulation = (("unalt", "unaltered"), ("manip", "gamma0.8"))[number % 2]
            name = f"img_{index}{number}_{kind}.tif"
            Image.fromarray(_pixels(1000 + 10 * index + number)[:, :SIDE]).save(data / "test" / name)
            rows.append((name, camera, manipulation, ("Public", "Private")[number // 2]))
    solution = pd.DataFrame(rows, columns=["fname", "camera", "manipulation", "usage"])
    solution.to_csv(data / "solution.csv", index=False)
    solution[["fname"]].assign(camera=CAMERAS[0]).to_csv(data / "sample_submission.csv", index=False)
    (data / "quotas.csv").write_text("camera,unaltered,manipulated\ncat,2,2\ndog,2,2\n")
    run = Run(home / "runs" / "job", data, {"convnet": classifier_recipe("smoke", "convnet")}, 0)
    start_run(run, 1)
    rng = np.random.default_rng(0)
    for split, images in run.images.items():
        values = rng.dirichlet([1, 1], (8, len(images))).astype(np.float32)
        is_manipulated = (images["manipulation"] != "unaltered").to_numpy(bool)
        predictions = Predictions(images["path"].to_numpy(np.str_), is_manipulated, CAMERAS, values)
        save(predictions, run.predictions_file("convnet", split))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert main(["leaderboard", str(run.folder)]) == 0
    return run


def _table_seeds(home: Path, run: Run) -> dict[str, bytes]:
    """Valid contents of tables and of a vocabulary, by the name of the file."""
    Tokenizer(("Make", "Model")).save(home / "tokens.json")
    record = "path,url,camera,device,licence,source,bytes,sha256,status,reason\n"
    record += "train/a/x.jpg,https://host/x.jpg,a,me,CC0,list.csv,10,ab,kept,\n"
    submission = "".join(f"{Path(path).name},cat\n" for path in run.images["test"]["path"])
    return {
        "tokens.json": (home / "tokens.json").read_bytes(),
        "manifest.csv": (run.folder / "manifest.csv").read_bytes(),
        "urls.csv": b"url,camera,licence,device\nhttps://host/x.jpg,a,CC0,me\nhttps://host/y.jpg,b,CC0,\n",
        RECORD_NAME: record.encode(),
        "mine.csv": f"fname,camera\n{submission}".encode(),
    }
