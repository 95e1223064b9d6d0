import numpy as np
import pytest
from PIL import Image

from competition.utils.errors import InputError
from competition.virtual.cameras import CAMERAS
from competition.virtual.capture import take_photo
from competition.virtual.contact_sheet import contact_sheet, describe_settings


def test_sheet_shows_photos_with_their_settings(tmp_path):
    camera = CAMERAS["Virtual-Elm-E5"]
    photo = take_photo(camera, "a", 0, 0, 0.25)
    path = tmp_path / "train" / camera.name / "a.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(photo.jpeg())
    settings = photo.settings
    with Image.open(path) as image:
        text = describe_settings(image)
    assert text == f"f/{settings.f_number:g}  {settings.exposure_time} s  ISO {settings.iso}"
    contact_sheet(tmp_path, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert np.asarray(sheet.convert("L")).min() < 60  # text is drawn


def test_folder_without_photos_raises(tmp_path):
    with pytest.raises(InputError, match="train"):
        contact_sheet(tmp_path, tmp_path / "sheet.png")
    assert not (tmp_path / "sheet.png").exists()
