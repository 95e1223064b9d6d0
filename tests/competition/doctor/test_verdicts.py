"""A file is judged twice: whether it is original, and whether it is fit for training."""

import numpy as np
import pytest
from PIL import Image

from competition.doctor.verdicts import judge_file


@pytest.fixture
def save(tmp_path):
    """A function that saves a photo of noise with EXIF fields and returns its path."""

    def make(name: str = "1.jpg", side: int = 512, model: str | None = "M-1", software: str | None = None, **options):
        exif = Image.Exif()
        if model:
            exif[0x0110] = model
        if software:
            exif[0x0131] = software
        pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / name, exif=exif, **options)
        return tmp_path / name

    return make


def names(reasons):
    return [reason.partition(": ")[0] for reason in reasons]


def test_a_photo_may_be_original_and_fit(save):
    verdicts = judge_file(save(quality=95))
    assert (verdicts.original, verdicts.fit) == (True, True)
    assert verdicts.original_reasons == verdicts.fit_reasons == ()


def test_an_original_may_be_unfit(save):
    verdicts = judge_file(save(quality=70, side=300))
    assert (verdicts.original, verdicts.fit) == (True, False)
    assert names(verdicts.fit_reasons) == ["patch_fits", "quality"]


def test_an_edited_photo_may_be_fit(save):
    verdicts = judge_file(save(quality=95, software="Adobe Photoshop CC"))
    assert (verdicts.original, verdicts.fit) == (False, True)
    assert verdicts.original_reasons == ("software: written by Adobe Photoshop CC",)


def test_a_png_without_exif_is_not_original(save):
    verdicts = judge_file(save("1.png", model=None))
    assert (verdicts.original, verdicts.fit) == (False, True)
    assert names(verdicts.original_reasons) == ["camera_format", "names_model"]


def test_a_truncated_photo_is_neither(save):
    path = save(quality=95)
    path.write_bytes(path.read_bytes()[:-1000])
    verdicts = judge_file(path)
    assert (verdicts.original, verdicts.fit) == (False, False)
    assert names(verdicts.original_reasons) == names(verdicts.fit_reasons) == ["complete", "decodes"]


def test_a_file_that_is_not_an_image_cannot_be_original_or_not(tmp_path):
    (tmp_path / "page.jpg").write_text("<html>")
    verdicts = judge_file(tmp_path / "page.jpg")
    assert (verdicts.original, verdicts.fit) == (None, False)
    assert verdicts.fit_reasons[0].startswith("unreadable: a file that begins with b'<html>'")
