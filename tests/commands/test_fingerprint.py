"""Build fingerprints from folders of photos, and match photos with them."""

import json

import numpy as np
import pytest
from PIL import Image

from commands.__main__ import main

SHAPE = (128, 128)


def take_photo(device: int, index: int) -> Image.Image:
    gain = 1 + 0.02 * np.random.default_rng(device).standard_normal(SHAPE)
    levels = 120 * gain + np.random.default_rng((device, index)).normal(0, 2, SHAPE)
    return Image.fromarray(np.repeat(np.clip(np.rint(levels), 0, 255).astype(np.uint8)[..., None], 3, axis=2))


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for device, name in enumerate(("phone", "camera")):
        (tmp_path / name).mkdir()
        for index in range(6):
            take_photo(device, index).save(tmp_path / name / f"{index}.png")
    take_photo(0, 99).save(tmp_path / "found.png")


@pytest.mark.usefixtures("photos")
def test_photo_is_matched_with_the_device_that_took_it(capsys):
    for name in ("phone", "camera"):
        assert main(["fingerprint", "build", name]) == 0
    assert "6 photos of 128x128 pixels" in capsys.readouterr().out
    assert main(["fingerprint", "match", "found.png", "--out", "pairs.csv"]) == 0
    line = capsys.readouterr().out.splitlines()[2]
    assert line.split()[:3] == ["found.png", "phone", "yes"]
    assert main(["fingerprint", "match", "found.png", "--json"]) == 0
    pairs = json.loads(capsys.readouterr().out)
    assert [(pair["fingerprint"], pair["match"]) for pair in pairs] == [("camera", False), ("phone", True)]


@pytest.mark.usefixtures("photos")
def test_fingerprint_is_not_overwritten(capsys):
    assert main(["fingerprint", "build", "phone"]) == 0
    assert main(["fingerprint", "build", "phone"]) == 2
    assert "phone.npz exists; remove it, or give the device another --name" in capsys.readouterr().err


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize(
    "words, message",
    [
        (["match", "found.png"], "fingerprints has no fingerprints; make one with"),
        (["build", "found.png"], "1 usable photos of one size, expected at least 5"),
        (["build", "absent"], "0 usable photos"),
        (["build", "phone", "--out", "x.csv"], "--out does not apply to build"),
        (["match", "found.png", "--name", "x"], "--name does not apply to match"),
        (["build", "phone", "--name", "../x"], "expected a name without slashes"),
    ],
)
def test_wrong_calls_end_in_one_line(words, message, capsys):
    assert main(["fingerprint", *words]) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert message in error[-1]
