"""Tags are read as written, private ones never, and a damaged file raises nothing but InputError."""

import io
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.ExifTags import IFD, TAGS
from PIL.TiffImagePlugin import IFDRational

from competition.metadata.exif_tags import ALLOWED, read_tags
from competition.metadata.exif_text import ORDERS, TextOptions, clean_tags, exif_text
from competition.utils.errors import InputError
from competition.virtual.cameras import CAMERAS
from competition.virtual.capture import take_photo

MANY = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
PRIVATE = re.compile(
    "gps|serial|date|subsec|unique|artist|author|owner|copyright|photographer|editor|person|comment|description|title|keyword|"
    "subject(?!distance)|note|thumbnail|name|document|host|history|^rating|offset|zone|id$|imagenumber|^xp|location|jpegif",
    re.IGNORECASE,
)
SECRET = "SECRET"


def encoded(exif: Image.Exif, file_format: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 8)).save(buffer, file_format, exif=exif.tobytes())
    return buffer.getvalue()


def photo_bytes(file_format: str = "JPEG") -> bytes:
    exif = Image.Exif()
    exif[0x0110], exif[0x010F], exif[0x011A] = "Model  7", "Make \0behind", IFDRational(721, 10)
    exif[IFD.Exif] = {
        0x829A: IFDRational(10, 500),
        0x829D: IFDRational(28, 10),
        0x8827: (200, 100),
        0x9000: b"0230",
        0x9101: b"\x01\x02\x03\x00",
        0x9204: IFDRational(-2, 3),
        0x9206: IFDRational(1, 0),
        0xA301: b"\x01",
        0xA434: "",
        0xA431: SECRET,
    }
    return encoded(exif, file_format)


JPEG, PNG, TIFF = (photo_bytes(file_format) for file_format in ("JPEG", "PNG", "TIFF"))
TAGS_READ = {
    "Make": "Make",
    "Model": "Model  7",
    "XResolution": "72.1",
    "ExposureTime": "1/50",
    "FNumber": "2.8",
    "ISOSpeedRatings": "200,100",
    "ExifVersion": "0230",
    "ComponentsConfiguration": "1,2,3,0",
    "ExposureBiasValue": "-0.667",
    "SceneType": "1",
}


def tags_of(data: bytes, folder: Path) -> dict[str, str]:
    path = folder / "photo"
    path.write_bytes(data)
    return read_tags(path)


@pytest.mark.parametrize("data", [JPEG, PNG])
def test_tags_are_read_in_the_order_of_the_file(data, tmp_path):
    assert list(tags_of(data, tmp_path).items()) == list(TAGS_READ.items())  # Pillow writes by number


def test_the_tags_of_a_tiff_are_read(tmp_path):
    tags = tags_of(TIFF, tmp_path)
    assert {name: tags[name] for name in TAGS_READ} == TAGS_READ and tags["ImageWidth"] == "16"


def test_a_photo_without_exif_has_no_tags(tmp_path):
    assert tags_of(encoded(Image.Exif()), tmp_path) == {}


def test_every_virtual_camera_writes_its_settings(tmp_path):
    for camera in list(CAMERAS.values())[::3]:
        photo = take_photo(camera, SECRET, seed=0, index=0, scale=0.1)
        tags = tags_of(photo.jpeg(), tmp_path)
        assert tags["Model"] == camera.model and tags["FNumber"] == f"{photo.settings.f_number:g}"
        assert len(tags) > 25 and photo.shot.device == SECRET not in tags.values()


def test_no_allowed_tag_is_private():
    assert [name for name in ALLOWED.values() if PRIVATE.search(name)] == []
    known = ("MakerNote", "UserComment", "Artist", "CameraOwnerName", "BodySerialNumber", "LensSerialNumber", "GPSInfo")
    for name in (*known, "Copyright", "ImageUniqueID", "ImageDescription", "JpegIFOffset", "XPAuthor", "OffsetTime"):
        assert PRIVATE.search(name) and name in TAGS.values()


def segment(directories: list[dict[int, bytes | int]]) -> bytes:
    """A JPEG with several EXIF directories. A value of bytes is a text; an int refers to the directory of that index.

    Written by hand, because Pillow does not write misplaced fields.
    """
    starts = [8]
    for fields in directories:
        length_of_texts = sum(len(value) for value in fields.values() if isinstance(value, bytes))
        starts.append(starts[-1] + 2 + 12 * len(fields) + 4 + length_of_texts)
    block = b"II*\0" + struct.pack("<I", starts[0])
    for start, fields in zip(starts, directories, strict=False):
        behind = start + 2 + 12 * len(fields) + 4
        entries, texts = b"", b""
        for tag, value in sorted(fields.items()):
            if isinstance(value, int):
                entries += struct.pack("<HHII", tag, 4, 1, starts[value])
            else:
                entries += struct.pack("<HHII", tag, 2, len(value), behind + len(texts))
                texts += value
        # The main directory is followed by the last one, where cameras describe the thumbnail.
        following = starts[-2] if start == 8 else 0
        block += struct.pack("<H", len(fields)) + entries + struct.pack("<I", following) + texts
    data = b"Exif\0\0" + block
    return JPEG[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(data)) + data + JPEG[JPEG.index(b"\xff\xdb") :]


private_numbers = st.one_of(st.sampled_from(sorted(TAGS)), st.integers(0, 0xFFFF)).filter(
    lambda tag: tag not in ALLOWED and tag not in (IFD.Exif, IFD.GPSInfo, IFD.Interop)
)
private_fields = st.dictionaries(private_numbers, st.just(SECRET.encode()), max_size=6)


@MANY
@given(private_fields, private_fields, st.sampled_from(ORDERS), st.booleans())
def test_no_value_of_a_private_field_reaches_the_text(tmp_path, main, details, order, names):
    secrets: dict[int, bytes | int] = {tag: SECRET.encode() for tag in (1, 2, 4, 0x0110, 0x9000, *main)}
    data = segment(
        [
            {**main, 0x010F: b"Canon\0" + SECRET.encode(), IFD.Exif: 1, IFD.GPSInfo: 2},
            {**details, 0x927C: SECRET.encode(), 0x9003: b"2018:02:20 12:30:59", 0xA434: b"EF 50mm", IFD.Interop: 3},
            secrets,  # GPS, with any tag numbers
            secrets,  # interoperability
            secrets,  # the directory of the thumbnail
        ]
    )
    tags = tags_of(data, tmp_path)
    assert tags == {"Make": "Canon", "LensModel": "EF 50mm"}
    text = exif_text(clean_tags(tags), [*tags, *TAGS.values()], TextOptions(order, names), np.random.default_rng(0))
    assert "Canon" in text and "EF50mm" in text and "2018" not in text and SECRET not in text


@MANY
@given(st.sampled_from([JPEG, PNG, TIFF]), st.data())
def test_damaged_files_raise_nothing_but_input_error(tmp_path, original, data):
    # Warnings are errors in tests, so an unhandled warning from Pillow fails here, too.
    changed = bytearray(original)
    for place in data.draw(st.lists(st.integers(0, min(len(original), 700) - 1), max_size=6)):
        changed[place] = data.draw(st.integers(0, 255))
    length = data.draw(st.integers(0, len(changed)))
    try:
        tags = tags_of(bytes(changed[: length or None]), tmp_path)
    except InputError:
        return
    assert set(tags) <= set(ALLOWED.values()) and all(isinstance(value, str) and value for value in tags.values())


@pytest.mark.parametrize("data", [b"", b"GIF89a..", JPEG[:30]])
def test_files_that_are_not_images_are_rejected(data, tmp_path):
    with pytest.raises(InputError, match="photo"):
        tags_of(data, tmp_path)
    with pytest.raises(InputError, match="No such file"):
        read_tags(tmp_path / "absent.jpg")


def test_tags_of_real_photos_agree_with_pillow(real_photos):
    for path in sorted(real_photos.rglob("*.jpg"))[::7]:
        tags = read_tags(path)
        with Image.open(path) as image:
            exif = image.getexif()
            fields = dict(exif.get_ifd(IFD.Exif)) | dict(exif)
        for tag, name in ALLOWED.items():
            value = fields.get(tag)
            if isinstance(value, str):
                shown = "".join(c for c in value.split("\0")[0] if c.isprintable()).strip()
                assert tags.get(name, "") == shown, (path, name)
            elif isinstance(value, int):
                assert tags[name] == str(value), (path, name)
