"""A contact sheet: what the virtual cameras' photographs look like, for people to judge."""

from fractions import Fraction
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from PIL.ExifTags import IFD, Base

from competition.utils.atomic_files import atomic_write
from competition.utils.errors import InputError

PHOTOS, CROPS = 4, 2  # of each camera: photographs made small, and middles of the first ones at 100 %
_TILE_WIDTH, _TILE_HEIGHT = 240, 180
_GAP, _LINE = 10, 16
_INK, _PAPER = (40, 40, 40), (250, 250, 250)


def contact_sheet(folder: Path | str, out: Path | str) -> None:
    """Draw `out` (PNG): for each camera of `folder`/train a row of photographs with their settings, then 100 % crops.

    A folder without photographs is an `InputError`.
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
        draw.text((_GAP + PHOTOS * step_x, top), "the middle of the first at 100 %", _INK, font)
        for column, path in enumerate(sorted(camera.glob("*.jpg"))[:PHOTOS]):
            left = _GAP + column * step_x
            with Image.open(path) as photo:
                sheet.paste(_small(photo), (left, top + _LINE))
                draw.text((left, top + _LINE + _TILE_HEIGHT), describe_settings(photo), _INK, font)
                if column < CROPS:
                    sheet.paste(_middle(photo), (left + PHOTOS * step_x, top + _LINE))
    with atomic_write(out) as partial:
        sheet.save(partial, "PNG")


def describe_settings(photo: Image.Image) -> str:
    """The settings in EXIF as photographers write them: `f/2.8  1/60 s  ISO 400`."""
    details = photo.getexif().get_ifd(IFD.Exif)
    time = Fraction(details[Base.ExposureTime]).limit_denominator(8000)
    return f"f/{float(details[Base.FNumber]):g}  {time} s  ISO {details[Base.ISOSpeedRatings]}"


def _small(photo: Image.Image) -> Image.Image:
    small = photo.copy()
    small.thumbnail((_TILE_WIDTH, _TILE_HEIGHT))
    return small


def _middle(photo: Image.Image) -> Image.Image:
    left, top = (photo.width - _TILE_WIDTH) // 2, (photo.height - _TILE_HEIGHT) // 2
    return photo.crop((left, top, left + _TILE_WIDTH, top + _TILE_HEIGHT))
