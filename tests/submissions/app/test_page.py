"""The page shows the fields of an examination, and escapes every text."""

from dataclasses import replace

import pytest

from competition.doctor.verdicts import Verdicts
from submissions.app.examination import Examination, Picture, Setting
from submissions.app.page import SHOWN_CAMERAS, STATIC, read_static, render_answer, render_error, render_page

FILE = Verdicts(False, True, ("software: written by <b>Editor</b>",), ())
FOUND = Examination(
    width=640,
    height=480,
    verdicts=FILE,
    cameras=(("<i>Cat</i>", 0.75), ("Dog", 0.25)),
    settings=(Setting("exposure time", "1/60 s", 0.5),),
    splice_score=0.125,
    pictures=(Picture(b"\xff\xd8jpeg", "Photo", "", 'The "photo".'), Picture(b"\x89PNG", "Splice", "", "Heat map")),
)


def test_an_answer_shows_every_field():
    html = render_answer(FOUND)
    words = ["0.750", "Dog", "640×480", "exposure time", "1/60 s", "0.125", "written by"]
    assert [word for word in words if word not in html] == []
    assert "data:image/jpeg;base64,/9hqcGVn" in html
    assert "data:image/png;base64," in html
    assert "unknown" not in html
    assert "almost flat" not in html


def test_texts_are_escaped():
    html = render_answer(FOUND)
    for text in ("<i>", "<b>", '"photo"'):
        assert text not in html
    assert "&lt;i&gt;Cat&lt;/i&gt;" in html
    assert "&lt;script&gt;" in render_error("<script>")
    assert "&lt;script&gt;" in render_page("<script>", 1, 1, ["<script>"])


def test_an_unknown_camera_is_not_named_first():
    html = render_answer(replace(FOUND, is_unknown=True))
    assert html.index("unknown") < html.index("Probably none of the cameras") < html.index("Cat")


def test_less_probable_cameras_are_counted():
    cameras = tuple((f"camera {number}", 1 / 9) for number in range(SHOWN_CAMERAS + 4))
    html = render_answer(replace(FOUND, cameras=cameras))
    assert html.count("<meter") == SHOWN_CAMERAS
    assert "and 4 less probable ones" in html


def test_little_evidence_is_a_warning():
    assert "almost flat or saturated" in render_answer(replace(FOUND, little_evidence=True))


def test_a_photo_without_a_prediction_still_has_verdicts():
    html = render_answer(Examination(64, 48, FILE, "truncated"))
    assert "No prediction: truncated" in html
    assert "Original, as the camera wrote it?" in html
    assert "<meter" not in html


@pytest.mark.parametrize(("original", "word"), [(True, "yes"), (False, "no"), (None, "cannot tell")])
def test_the_verdict_on_the_file_is_a_word(original, word):
    assert f">{word}</strong>" in render_answer(replace(FOUND, verdicts=replace(FILE, original=original)))


@pytest.mark.parametrize("address", STATIC)
def test_files_of_the_page_request_nothing_from_elsewhere(address):
    assert b"http" not in read_static(address)


def test_the_page_requests_nothing_from_elsewhere():
    assert "http" not in render_page("run", 64 * 2**20, 89_000_000, ["simulated"])
    assert "up to 64 MiB and 89 megapixels" in render_page("run", 64 * 2**20, 89_000_000, [])
