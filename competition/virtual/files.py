"""The file of a virtual photo: JPEG with the camera's own quantization tables, and EXIF in the style of its make."""

import io
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

import numpy as np
from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.TiffImagePlugin import IFDRational

from competition.virtual.cameras import Camera
from competition.virtual.exposure import Settings
from competition.virtual.quantization import quantization_tables


@dataclass(frozen=True)
class Shot:
    """What EXIF contains besides the settings: device, time, focal length (mm, 35 mm equivalent), focus distance (m),
    light (exposure value at ISO 100) and the size of the photo in pixels."""

    device: str
    taken_at: datetime
    focal_35: int
    focus: float
    light: float
    height: int
    width: int


def make_exif(camera: Camera, settings: Settings, shot: Shot) -> Image.Exif:
    """Return the EXIF block of a photo: the common fields and those that only this make writes."""
    exif = Image.Exif()
    moment = shot.taken_at.strftime("%Y:%m:%d %H:%M:%S")
    exif.update(
        {
            Base.Make: camera.make,
            Base.Model: camera.model,
            Base.Orientation: 1,
            Base.XResolution: IFDRational(camera.exif.resolution),
            Base.YResolution: IFDRational(camera.exif.resolution),
            Base.ResolutionUnit: 2,
            Base.Software: camera.software,
            Base.DateTime: moment,
            Base.YCbCrPositioning: 1 if camera.exif.lens else 2,
        }
    )
    time = settings.exposure_time
    focal_length = round(shot.focal_35 / camera.crop_factor, 1)
    details: dict[int, object] = {
        Base.ExposureTime: IFDRational(time.numerator, time.denominator),
        Base.FNumber: IFDRational(Fraction(str(settings.f_number))),
        Base.ExposureProgram: settings.program,
        Base.ISOSpeedRatings: settings.iso,
        Base.ExifVersion: b"0230" if camera.exif.lens else b"0220",
        Base.DateTimeOriginal: moment,
        Base.DateTimeDigitized: moment,
        Base.ComponentsConfiguration: b"\x01\x02\x03\x00",
        Base.ShutterSpeedValue: _rational(-np.log2(float(time))),
        Base.ApertureValue: _rational(2 * np.log2(settings.f_number)),
        Base.ExposureBiasValue: _rational(settings.bias, 10),
        Base.MaxApertureValue: _rational(2 * np.log2(camera.min_f_number)),
        Base.MeteringMode: 5 if camera.exif.lens else 2,
        Base.Flash: 16 if camera.exif.lens else 0,
        Base.FocalLength: _rational(focal_length, 10),
        Base.FlashPixVersion: b"0100",
        Base.ColorSpace: 1,
        Base.ExifImageWidth: shot.width,
        Base.ExifImageHeight: shot.height,
        Base.ExposureMode: 0,
        Base.WhiteBalance: 0,
        Base.FocalLengthIn35mmFilm: shot.focal_35,
        Base.SceneCaptureType: 0,
        Base.BodySerialNumber: shot.device,
    }
    if camera.exif.lens:
        lens = f"VIRTUAL 16-60mm F{camera.min_f_number}"
        details |= {Base.LensModel: lens, Base.LensMake: camera.make, Base.SensitivityType: 2, Base.FileSource: b"\x03"}
    for field in camera.exif.maker_fields:
        details[Base[field]] = _maker_value(field, settings, shot)
    exif.get_ifd(IFD.Exif).update(details)
    return exif


def _rational(value: float, denominator: int = 100) -> IFDRational:
    return IFDRational(round(value * denominator), denominator)


def _maker_value(field: str, settings: Settings, shot: Shot) -> object:
    """Value of a field that only some makes write. Fields that do not depend on the photo have their normal value."""
    if field == "SubsecTime":
        return f"{shot.taken_at.microsecond // 1000:03d}"
    if field == "BrightnessValue":
        return _rational(shot.light - 5)  # APEX: exposure value at ISO 100 less 5
    if field == "SubjectDistance":
        return _rational(shot.focus)
    if field == "GainControl":
        return int(settings.iso > 200) + int(settings.iso > 800)
    if field == "DigitalZoomRatio":
        return IFDRational(1)
    return {"SceneType": b"\x01", "SensingMethod": 2}.get(field, 0)


def encode_jpeg(pixels: np.ndarray, camera: Camera, exif: Image.Exif | None = None) -> bytes:
    """Return the JPEG file that `camera` writes for `pixels`, uint8 (h, w, 3) RGB. None leaves EXIF out."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(
        buffer,
        "JPEG",
        qtables=quantization_tables(camera.compression),
        subsampling=camera.compression.subsampling,
        exif=b"" if exif is None else exif,
        dpi=(camera.exif.resolution, camera.exif.resolution),
    )
    return buffer.getvalue()


def decode_jpeg(data: bytes) -> np.ndarray:
    """Return the pixels of a JPEG file, uint8 (h, w, 3) RGB."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))
