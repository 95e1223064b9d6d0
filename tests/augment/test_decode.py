"""Valid files give the exact pixels; invalid files raise an `InputError` of one line."""

import io
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from augment.decode import read_pixels
from competition.doctor.duplicates import perceptual_hash
from competition.metadata.header import MAX_PIXELS
from competition.utils.errors import InputError

RGB = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)


def jpeg_bytes(**options):
    file = io.BytesIO()
    Image.fromarray(RGB).save(file, "JPEG", **options)
    return file.getvalue()


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.TIFF", "a.bmp"])
def test_lossless_formats_round_trip(tmp_path, name):
    Image.fromarray(RGB).save(tmp_path / name)
    pixels = read_pixels(tmp_path / name)
    assert pixels.dtype == np.uint8
    assert (pixels == RGB).all()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": "4:2:0", "quality": 60}])
def test_jpeg_is_decoded_as_by_pillow(tmp_path, options):
    (tmp_path / "a.jpg").write_bytes(jpeg_bytes(**options))
    with Image.open(tmp_path / "a.jpg") as image:
        assert (read_pixels(tmp_path / "a.jpg") == np.asarray(image)).all()


def test_real_photos_are_decoded_as_by_pillow(real_photos):
    for path in sorted(real_photos.rglob("*.jpg"))[::9]:
        with Image.open(path) as image:
            assert (read_pixels(path) == np.asarray(image)).all(), path


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.tif", "a.png"])
def test_exif_orientation_is_never_applied(tmp_path, name, orientation):
    exif = Image.Exif()
    Image.fromarray(RGB).save(tmp_path / name)
    expected = read_pixels(tmp_path / name)
    exif[274] = orientation
    Image.fromarray(RGB).save(tmp_path / name, exif=exif)
    pixels = read_pixels(tmp_path / name)
    assert pixels.shape == (40, 60, 3)
    assert (pixels == expected).all()


def test_further_images_and_data_after_the_end_are_ignored(tmp_path):
    image = Image.fromarray(RGB)
    image.save(tmp_path / "a.mpo", save_all=True, append_images=[image])
    assert read_pixels(tmp_path / "a.mpo").shape == (40, 60, 3)
    (tmp_path / "b.jpg").write_bytes(jpeg_bytes() + bytes(1000))
    assert read_pixels(tmp_path / "b.jpg").shape == (40, 60, 3)


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        *(("a.jpg", mode) for mode in ("L", "CMYK")),
        *(("a.tif", mode) for mode in ("L", "CMYK", "RGBA", "P", "1")),
        *(("a.png", mode) for mode in ("L", "LA", "RGBA", "P", "1")),
        *(("a.bmp", mode) for mode in ("L", "P", "1")),
    ],
)
def test_modes_other_than_rgb_are_rejected(tmp_path, name, mode):
    Image.fromarray(RGB).convert(mode).save(tmp_path / name)
    with pytest.raises(InputError, match=rf"{name} holds .*; expected an 8-bit RGB") as error:
        read_pixels(tmp_path / name)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
@pytest.mark.parametrize("shape", [(40, 60), (40, 60, 3)])
def test_16_bit_images_are_rejected(tmp_path, name, shape):
    cv2.imwrite(str(tmp_path / name), np.full(shape, 1000, np.uint16))
    with pytest.raises(InputError, match=r"holds .*16.* expected an 8-bit RGB"):
        read_pixels(tmp_path / name)


def test_15_bit_colors_are_rejected(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "a.bmp")
    data = bytearray((tmp_path / "a.bmp").read_bytes())
    data[28] = 16  # bits per pixel, 5 of them per color
    (tmp_path / "a.bmp").write_bytes(data)
    with pytest.raises(InputError, match=r"holds BGR;15 pixels .* expected an 8-bit RGB"):
        read_pixels(tmp_path / "a.bmp")


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data:UserWarning")
@pytest.mark.parametrize("name", ["a.jpg", "a.tif", "a.png", "a.bmp"])
@pytest.mark.parametrize("kept", [0, 1, 20, 500, 0.5, 0.99])
def test_truncated_files_are_rejected_without_output(tmp_path, capfd, name, kept):
    Image.fromarray(RGB).save(tmp_path / name, **({"compression": "tiff_lzw"} if name == "a.tif" else {}))
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: kept if isinstance(kept, int) else int(kept * len(data))])
    with pytest.raises(InputError, match=name) as error:
        read_pixels(tmp_path / name)
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")


def test_end_of_an_embedded_thumbnail_does_not_end_the_photo(tmp_path):
    full = jpeg_bytes()
    thumbnail = b"\xff\xe1" + (len(full) + 2).to_bytes(2, "big") + full
    data = full[:2] + thumbnail + full[2:]
    (tmp_path / "a.jpg").write_bytes(data)
    assert (read_pixels(tmp_path / "a.jpg") == np.asarray(Image.open(io.BytesIO(full)))).all()
    (tmp_path / "a.jpg").write_bytes(data[:-100])
    with pytest.raises(InputError, match="truncated"):
        read_pixels(tmp_path / "a.jpg")


def test_files_that_are_missing_or_not_images_are_rejected(tmp_path):
    (tmp_path / "a.jpg").write_text("not an image")
    with pytest.raises(InputError, match=r"a\.jpg is not an image"):
        read_pixels(tmp_path / "a.jpg")
    with pytest.raises(InputError, match=r"b\.jpg does not exist; check the path"):
        read_pixels(tmp_path / "b.jpg")
    with pytest.raises(InputError, match="cannot be read"):
        read_pixels(tmp_path)


@pytest.mark.parametrize("limit", ["PIL.Image.MAX_IMAGE_PIXELS", "augment.decode.MAX_PIXELS"])
@pytest.mark.parametrize("times", [1.5, 3])
def test_images_above_the_pixel_limit_are_rejected(tmp_path, monkeypatch, limit, times):
    """Pillow warns above its limit and raises above twice the limit; `read_pixels` raises in both cases."""
    monkeypatch.setattr(limit, int(40 * 60 / times))
    Image.fromarray(RGB).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="has more than"):
        read_pixels(tmp_path / "a.png")


def test_jpeg_above_the_pixel_limit_is_rejected(tmp_path, monkeypatch):
    monkeypatch.setattr("augment.decode.MAX_PIXELS", 40 * 60 - 1)
    (tmp_path / "a.jpg").write_bytes(jpeg_bytes())
    with pytest.raises(InputError, match="has more than"):
        read_pixels(tmp_path / "a.jpg")


def with_ihdr(data, content):
    """A PNG file whose first chunk has another content, with the right length and checksum."""
    chunk = b"IHDR" + content
    return data[:8] + len(content).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big") + data[33:]


@pytest.mark.parametrize("content", [b"", b"\0" * 5, b"\xff" * 13])
def test_damaged_png_header_is_rejected(tmp_path, content):
    Image.fromarray(RGB).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(with_ihdr((tmp_path / "a.png").read_bytes(), content))
    with pytest.raises(InputError, match=r"a\.png"):
        read_pixels(tmp_path / "a.png")


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_small_file_that_promises_many_pixels_is_rejected(tmp_path, name):
    Image.fromarray(RGB).save(tmp_path / name)
    data, side = (tmp_path / name).read_bytes(), (60_000).to_bytes(2, "big")
    if name == "a.png":
        side = side.rjust(4, b"\0")
        bomb = with_ihdr(data, side + side + data[24:29])
    else:
        start = data.index(b"\xff\xc0") + 5
        bomb = data[:start] + side + side + data[start + 4 :]
    (tmp_path / name).write_bytes(bomb)
    with pytest.raises(InputError, match="has more than"):
        read_pixels(tmp_path / name)
    reason = perceptual_hash(tmp_path / name)[1]
    assert reason == f"has more than {MAX_PIXELS} pixels, the limit"
