"""Headers agree with exiftool, and a damaged file raises nothing but InputError."""

import io
import json
import shutil
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin

from competition.metadata.header import Header, read_header
from competition.utils.errors import InputError

MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def photo_bytes(mode: str = "RGB", file_format: str = "JPEG", **options) -> bytes:
    """A small photo with complete EXIF."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0131] = "Make \0", "Model", "Software  1.0"
    exif[0x8769] = {
        0x829A: TiffImagePlugin.IFDRational(1, 50),
        0x829D: TiffImagePlugin.IFDRational(28, 10),
        0x8827: 200,
        0x9003: "2018:02:20 12:30:59",
        0xA002: 48,
        0xA003: 32,
        0xA431: "0042",
    }
    buffer = io.BytesIO()
    Image.effect_noise((48, 32), 50).convert(mode).save(buffer, file_format, exif=exif.tobytes(), **options)
    return buffer.getvalue()


JPEG, PNG, TIFF = photo_bytes(quality=90), photo_bytes(file_format="PNG"), photo_bytes(file_format="TIFF")
EXIF = range(JPEG.index(b"Exif") + 6, JPEG.index(b"\xff\xdb"))


def header_of(data: bytes, folder: Path) -> Header:
    path = folder / "photo"
    path.write_bytes(data)
    return read_header(path)


@pytest.mark.parametrize(("data", "name"), [(JPEG, "JPEG"), (PNG, "PNG"), (TIFF, "TIFF")])
def test_every_field_is_read(data, name, tmp_path):
    header = header_of(data, tmp_path)
    assert header == Header(
        format=name,
        mode="RGB",
        bits=8,
        width=48,
        height=32,
        complete=True,
        make="Make",
        model="Model",
        software="Software  1.0",
        device="0042",
        f_number=2.8,
        iso=200.0,
        exposure_time=0.02,
        taken_at="2018-02-20T12:30:59",
        exif_width=48,
        exif_height=32,
        tables=header.tables,
        subsampling="4:2:0" if name == "JPEG" else None,
        jpeg_quality=90 if name == "JPEG" else None,
    )


@pytest.mark.parametrize("data", [JPEG, PNG, TIFF])
def test_truncated_files_are_incomplete(data, tmp_path):
    for left in [*range(0, len(data), 41), *range(len(data) - 20, len(data))]:
        try:
            assert not header_of(data[:left], tmp_path).complete
        except InputError:  # cut within the header
            continue
    assert header_of(data + bytes(100_000), tmp_path).complete  # cameras append previews and padding


def test_the_end_of_an_embedded_thumbnail_is_not_the_end_of_the_file(tmp_path):
    thumbnail = b"\xff\xed" + struct.pack(">H", 2 + len(JPEG)) + JPEG
    assert header_of(JPEG[:2] + thumbnail + JPEG[2:], tmp_path).complete
    assert not header_of(JPEG[:2] + thumbnail + JPEG[2:-2], tmp_path).complete


def test_a_second_picture_in_the_file_changes_nothing(tmp_path):
    buffer = io.BytesIO()
    first, second = (Image.open(io.BytesIO(JPEG)) for _ in range(2))
    first.save(buffer, "MPO", save_all=True, append_images=[second], exif=first.getexif(), quality=90)
    assert replace(header_of(buffer.getvalue(), tmp_path), tables={}) == replace(header_of(JPEG, tmp_path), tables={})


@pytest.mark.parametrize(
    ("mode", "file_format", "bits"),
    [
        ("L", "JPEG", 8),
        ("CMYK", "JPEG", 8),
        ("RGBA", "PNG", 8),
        ("P", "PNG", 8),
        ("I;16", "PNG", 16),
        ("I;16", "TIFF", 16),
    ],
)
def test_color_modes_and_depths_are_read(mode, file_format, bits, tmp_path):
    header = header_of(photo_bytes(mode, file_format), tmp_path)
    assert (header.mode, header.bits) == (mode, bits)


def test_sixteen_bits_per_channel_are_read(tmp_path):
    pixels = np.zeros((8, 8, 3), np.uint16)
    for suffix in (".png", ".tif"):
        assert header_of(cv2.imencode(suffix, pixels)[1].tobytes(), tmp_path).bits == 16


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"GIF89a..", "not a JPEG, PNG or TIFF"),
        (JPEG[:30], "damaged"),
        (b"\xff\xd8\xff", "cannot be read"),
    ],
)
def test_files_that_are_not_images_are_rejected(data, message, tmp_path):
    with pytest.raises(InputError, match=message):
        header_of(data, tmp_path)


def test_absent_files_and_folders_are_rejected(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_header(tmp_path / "absent.jpg")
    with pytest.raises(InputError, match="not a regular file"):
        read_header(tmp_path)


# Damaged files. Warnings are errors in tests, so an unhandled warning from Pillow fails here, too.


@MANY
@given(st.sampled_from([JPEG, PNG, TIFF]), st.data())
def test_changed_bytes_raise_nothing_but_input_error(tmp_path, original, data):
    damaged = bytearray(original)
    for position in data.draw(st.lists(st.integers(0, min(len(original), 700) - 1), min_size=1, max_size=8)):
        damaged[position] = data.draw(st.sampled_from([0, 1, 2, 4, 8, 12, 127, 128, 255]) | st.integers(0, 255))
    try:
        header = header_of(bytes(damaged), tmp_path)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        check(header)


@MANY
@given(st.data())
def test_damaged_exif_loses_its_fields_alone(tmp_path, data):
    damaged = bytearray(JPEG)
    for position in data.draw(st.lists(st.sampled_from(EXIF), min_size=1, max_size=8)):
        damaged[position] = data.draw(st.sampled_from([0, 1, 2, 4, 8, 12, 127, 128, 255]) | st.integers(0, 255))
    header = header_of(bytes(damaged), tmp_path)
    assert (header.width, header.height, header.jpeg_quality, header.complete) == (48, 32, 90, True)
    check(header)


def check(header: Header) -> None:
    for value in (header.f_number, header.iso, header.exposure_time, header.exif_width, header.exif_height):
        assert value is None or 0 < value < float("inf")
    for text in (header.make, header.model, header.software, header.device):
        assert text is None or (text and text == text.strip() and text.isprintable())


def entry(tag: int, kind: int, count: int, value: int) -> bytes:
    return struct.pack("<HHII", tag, kind, count, value)


def jpeg_with(*first: bytes, exif: tuple[bytes, ...] = (), following: int = 0) -> bytes:
    """A JPEG whose EXIF has these directory entries. The EXIF directory follows the main one."""
    second = 8 + 2 + 12 * (len(first) + 1) + 4
    block = b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(first) + 1) + b"".join(first) + entry(0x8769, 4, 1, second)
    block += struct.pack("<IH", following, len(exif)) + b"".join(exif) + struct.pack("<I", following)
    plain = io.BytesIO()
    Image.new("RGB", (8, 8)).save(plain, "JPEG")
    return b"\xff\xd8\xff\xe1" + struct.pack(">H", len(block) + 2) + block + plain.getvalue()[2:]


@pytest.mark.parametrize(
    "data",
    [
        jpeg_with(following=8),  # the directory is its own successor
        jpeg_with(entry(0x8769, 4, 1, 8)),  # the EXIF directory is the main one
        jpeg_with(entry(0x010F, 2, 2**32 - 1, 8)),  # 4 GB of text
        jpeg_with(entry(0x010F, 2, 100, 2**32 - 1)),  # past the end
        jpeg_with(entry(0x010F, 5, 2**31, 8), entry(0x0110, 12, 2**29, 8)),
        jpeg_with(entry(0x010F, 99, 1, 8), entry(0x0110, 4, 1, 8), entry(0x0131, 11, 1, 0x7FC00000)),
        jpeg_with(exif=(entry(0x829A, 5, 1, 2**31), entry(0x829D, 5, 2**32 - 1, 8), entry(0x8827, 2, 4, 0x41414141))),
        jpeg_with(exif=(entry(0x829D, 11, 1, 0x7FC00000), entry(0x8827, 11, 1, 0x7F800000), entry(0x9003, 4, 1, 1))),
        jpeg_with(exif=(entry(0x8827, 9, 1, 2**32 - 5), entry(0xA002, 3, 0, 0))),
        jpeg_with(entry(0x8769, 9, 1, 2**32 - 5)),  # a negative offset
        jpeg_with(entry(0x8769, 2, 4, 0x41414141)),  # text instead of an offset
    ],
)
def test_malformed_exif_fields_are_none(data, tmp_path):
    header = header_of(data, tmp_path)
    assert (header.width, header.complete) == (8, True)
    assert [header.make, header.f_number, header.iso, header.exposure_time, header.taken_at] == [None] * 5


def test_zero_denominators_and_impossible_dates_are_none(tmp_path):
    exif = Image.Exif()
    exif[0x8769] = {
        0x829A: TiffImagePlugin.IFDRational(1, 0),
        0x829D: TiffImagePlugin.IFDRational(0, 0),
        0x8827: 0,
        0x9003: "0000:00:00 00:00:00",
    }
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JPEG", exif=exif)
    header = header_of(buffer.getvalue(), tmp_path)
    assert [header.exposure_time, header.f_number, header.iso, header.taken_at] == [None] * 4


def test_headers_of_real_photos_agree_with_exiftool(real_photos):
    if shutil.which("exiftool") is None:
        pytest.skip("needs exiftool")
    tags = {
        "IFD0": ("Make", "Model", "Software"),
        "File": ("ImageWidth", "ImageHeight"),
        "ExifIFD": ("FNumber", "ISO", "ExposureTime", "DateTimeOriginal"),
    }
    options = [f"-{group}:{tag}" for group in tags for tag in tags[group]]
    command = ["exiftool", "-j", "-n", "-q", "-ext", "jpg", *options, "-r", str(real_photos)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert len(found) == len(list(real_photos.rglob("*.jpg")))
    for tool in found:
        path = tool["SourceFile"]
        header = read_header(path)
        assert header.complete, path
        for ours, theirs in (("make", "Make"), ("model", "Model"), ("software", "Software")):
            assert getattr(header, ours) == (str(tool[theirs]).strip() if tool.get(theirs) else None), path
        assert (header.width, header.height) == (tool["ImageWidth"], tool["ImageHeight"]), path
        for ours, theirs in (("f_number", "FNumber"), ("iso", "ISO"), ("exposure_time", "ExposureTime")):
            expected = tool.get(theirs) or None  # 0 is "unknown"
            assert getattr(header, ours) == (expected and pytest.approx(expected, rel=1e-6)), path
        date = tool.get("DateTimeOriginal", "0000")
        assert (header.taken_at or "0000").replace("T", " ")[:4] == date[:4], path
        if header.taken_at:
            assert header.taken_at.replace("T", " ").replace("-", ":") == date, path
