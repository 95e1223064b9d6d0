"""Contact sheet: an overview of the photos by each camera of a folder."""

from fractions import Fraction
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from PIL.ExifTags import IFD, Base

from competition.utils.atomic_files import atomic_write
from competition.utils.errors import InputError

PHOTOS, CROPS = 4, 2  # of each camera: reduced photos, and center crops of the first ones at 100 %
_TILE_WIDTH, _TILE_HEIGHT = 240, 180
_GAP, _LINE = 10, 16
_INK, _PAPER = (40, 40, 40), (250, 250, 250)


def contact_sheet(folder: Path | str, out: Path | str) -> None:
    """Write `out`, a PNG file with one row for each camera of `folder`/train: photos with their settings, then crops.

    Raises `InputError` if the folder has no photos.
    """
    cameras = sorted(path for path in Path(folder).glob("train/*") if path.is_dir())
    if not cameras:
        raise InputError(f"{folder} has no train/<camera>/*.jpg; pass a folder made by `virtual --out DIR`")
    columns, rows = PHOTOS + CROPS, len(cameras)
    step_x, step_y = _TILE_WIDTH + _GAP, _TILE_HEIGHT + 2 * _LINE + _GAP
    sheet = Image.new("RGB", (columns * step_x + _GAP, rows * step_y + _GAP), _PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=12)
    for row, camera in enumerate(cameras):
        top = _GAP + row * step_y
        draw.text((_GAP, top), camera.name, _INK, font)
        draw.text((_GAP + PHOTOS * step_x, top), "center of the first ones at 100 %", _INK, font)
        for column, path in enumerate(sorted(camera.glob("*.jpg"))[:PHOTOS]):
            left = _GAP + column * step_x
            with Image.open(path) as photo:
                sheet.paste(_reduced(photo), (left, top + _LINE))
                draw.text((left, top + _LINE + _TILE_HEIGHT), describe_settings(photo), _INK, font)
                if column < CROPS:
                    sheet.paste(_center(photo), (left + PHOTOS * step_x, top + _LINE))
    with atomic_write(out) as partial:
        sheet.save(partial, "PNG")


def describe_settings(photo: Image.Image) -> str:
    """Return the settings in EXIF as `f/2.8  1/60 s  ISO 400`."""
    details = photo.getexif().get_ifd(IFD.Exif)
    time = Fraction(details[Base.ExposureTime]).limit_denominator(8000)
    return f"f/{float(details[Base.FNumber]):g}  {time} s  ISO {details[Base.ISOSpeedRatings]}"


def _reduced(photo: Image.Image) -> Image.Image:
    small = photo.copy()
    small.thumbnail((_TILE_WIDTH, _TILE_HEIGHT))
    return small


def _center(photo: Image.Image) -> Image.Image:
    left, top = (photo.width - _TILE_WIDTH) // 2, (photo.height - _TILE_HEIGHT) // 2
    return photo.crop((left, top, left + _TILE_WIDTH, top + _TILE_HEIGHT))
