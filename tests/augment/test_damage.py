"""Photos that do not decode are found, and photos that have not changed are not decoded again."""

import os

import numpy as np
import pytest
from PIL import Image

from augment import damage
from augment.damage import check_damaged, decode_photos
from competition.utils.atomic_files import write_csv
from competition.utils.errors import InputError


@pytest.fixture
def folder(tmp_path):
    """Two good photos, and one with a complete header and damaged data."""
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 256, (64, 64, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    data = (tmp_path / "2.png").read_bytes()
    half = len(data) // 2
    (tmp_path / "2.png").write_bytes(data[:half] + bytes(50) + data[half + 50 :])
    return tmp_path


@pytest.fixture
def decoded(monkeypatch):
    """The names of the photos that are decoded."""
    names, read = [], damage.read_pixels

    def count(path):
        names.append(path.name)
        return read(path)

    monkeypatch.setattr(damage, "read_pixels", count)
    return names


PATHS = ["0.png", "1.png", "2.png", "absent.png"]


def test_only_photos_that_cannot_be_decoded_have_a_reason(folder):
    table = decode_photos(folder, PATHS, 1, folder / "cache.csv").set_index("path")
    assert table.index.tolist() == PATHS
    assert table.loc[["0.png", "1.png"], "reason"].tolist() == ["", ""]
    assert "2.png" in table.loc["2.png", "reason"]
    assert "does not exist" in table.loc["absent.png", "reason"]


def test_unchanged_photos_are_not_decoded_again(folder, decoded):
    cache = folder / "cache.csv"
    first = decode_photos(folder, PATHS, 1, cache)
    write_csv(first, cache)
    decoded.clear()
    assert decode_photos(folder, PATHS, 1, cache).equals(first)
    assert decoded == ["absent.png"]  # a missing photo may come back
    os.utime(folder / "1.png", ns=(1, 1))
    (folder / "2.png").write_bytes((folder / "0.png").read_bytes())
    decoded.clear()
    assert decode_photos(folder, PATHS, 1, cache)["reason"].tolist()[:3] == ["", "", ""]
    assert decoded == ["1.png", "2.png", "absent.png"]


def test_damaged_cache_is_named(folder):
    (folder / "cache.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"cache\.csv has the header a,b, .*; delete it"):
        decode_photos(folder, PATHS, 1, folder / "cache.csv")


def test_more_than_a_twentieth_of_damaged_photos_is_an_error():
    check_damaged({"a.jpg": "truncated"}, 20)
    with pytest.raises(InputError, match=r"1 of 19 photos cannot be decoded, more than 5%, such as a\.jpg \(truncated"):
        check_damaged({"a.jpg": "truncated"}, 19)
