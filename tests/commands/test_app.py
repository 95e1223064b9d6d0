"""Photos are uploaded to the app in a browser: the answer is that of the photo, or says what is wrong with it."""

import threading

import pytest
from PIL import Image

from competition.metadata.header import MAX_PIXELS
from submissions.app.page import render_answer, render_page
from submissions.app.server import MAX_BYTES, Server

ANSWER = "document.getElementById('answer')"


@pytest.fixture(scope="module")
def server(finished, shrink_mobilenet):
    """The app with the networks of the finished run."""
    from submissions.app.examine import load_examiner
    from submissions.run import open_run

    with pytest.MonkeyPatch.context() as patch:
        shrink_mobilenet(patch)
        examiner = load_examiner(open_run(finished / "runs" / "job"), None, None)
    page = render_page("job", MAX_BYTES, MAX_PIXELS, examiner.notes)
    with Server(lambda path, flag: render_answer(examiner.examine(path, flag)), page, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield server
        server.shutdown()


@pytest.fixture
def page(browser, server):
    opened = browser.open(server.url)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def photo(finished):
    return finished / "photos" / "train" / "dog" / "1.jpg"


def upload(page, path):
    """Choose a file and return the text of the answer."""
    page.upload("#photo", path)
    return page.wait_for(f"{ANSWER}.innerText")


def test_an_uploaded_photo_gets_its_camera_evidence_and_verdicts(page, photo, server):
    text = upload(page, photo)
    assert any(camera in text for camera in ("cat", "dog", "eel", "unknown"))
    assert "Calibrated probabilities" in text
    assert "Original, as the camera wrote it?\nno\ncamera_size: 112x96 is smaller than any camera writes" in text
    assert "Fit for training?\nno\npatch_fits: 112x96 is smaller than a patch" in text
    assert page.evaluate("document.querySelectorAll('meter').length") == 3
    assert page.evaluate("[...document.querySelectorAll('figure img')].map(image => image.alt)") == [
        "The photo, reduced.",
        page.evaluate("document.querySelectorAll('figure img')[1].alt"),
    ]
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    names = ["", "app.css", "app.js", "photo?manipulated=no"]
    assert page.requests == [server.url + name for name in names]
    assert page.errors == []


def test_the_flag_is_sent_and_the_photo_is_examined_again(page, photo):
    upload(page, photo)
    page.click("#manipulated")
    page.wait_for(f"{ANSWER}.innerText")
    assert page.requests[-1].endswith("photo?manipulated=yes")
    assert page.errors == []


def test_a_png_is_predicted_and_called_no_original(page, photo, tmp_path):
    with Image.open(photo) as image:
        image.save(tmp_path / "photo.png")
    text = upload(page, tmp_path / "photo.png")
    assert "Calibrated probabilities" in text
    assert "a PNG, which no camera writes" in text


def test_a_truncated_file_is_named_as_such(page, photo, tmp_path):
    (tmp_path / "short.jpg").write_bytes(photo.read_bytes()[:-100])
    text = upload(page, tmp_path / "short.jpg")
    assert "No prediction: truncated" in text
    assert "complete: the file is truncated" in text


def test_a_bomb_of_100_megapixels_and_a_text_are_refused(page, tmp_path):
    Image.new("1", (10_000, 10_000)).save(tmp_path / "bomb.png")
    assert upload(page, tmp_path / "bomb.png").startswith("the photo has 10000x10000 pixels, expected at most ")
    (tmp_path / "page.jpg").write_text("<script>document.body.textContent = ''</script>")
    assert "not a JPEG, PNG or TIFF image" in upload(page, tmp_path / "page.jpg")
    assert page.evaluate("document.querySelector('h1').textContent")


def test_two_people_at_once_get_their_own_answers(browser, server, finished):
    pages = [browser.open(server.url) for _ in range(2)]
    photos = [finished / "photos" / "train" / camera / "2.jpg" for camera in ("cat", "eel")]
    for page, path in zip(pages, photos, strict=True):
        page.upload("#photo", path)
    together = [page.wait_for(f"{ANSWER}.innerHTML") for page in pages]
    for page, path, answer in zip(pages, photos, together, strict=True):
        page.go_to(server.url)
        page.upload("#photo", path)
        assert page.wait_for(f"{ANSWER}.innerHTML") == answer
        page.close()
    assert together[0] != together[1]


def test_a_narrow_page_does_not_scroll_sideways(page, photo):
    page.resize(400)
    upload(page, photo)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["runs/absent"], "unknown run 'runs/absent'; known: "),
        (["runs/job", "--port", "-1"], "--port: received '-1', expected a whole number of at least 0"),
        (["runs/job", "--settings", "runs/job"], "does not predict settings; train one with --task settings"),
        (["runs/job", "--splices", "runs/job"], "is not an exif-language run"),
    ],
)
def test_wrong_calls_are_refused(arguments, message, home, error_of):
    assert message in error_of("app", *arguments)


def test_a_run_of_settings_cannot_predict_cameras(home, error_of):
    config = home / "runs" / "job" / "config.json"
    config.write_text(config.read_text().replace('"name": "camera"', '"name": "settings"'))
    assert "does not predict cameras; give one that does, and this with --settings" in error_of("app", "runs/job")


def test_the_command_prints_its_address_and_stops(home, command, capsys, monkeypatch, tiny_mobilenet):
    def interrupt(server):
        raise KeyboardInterrupt

    monkeypatch.setattr(Server, "serve_forever", interrupt)
    assert command("app", "runs/job", "--port", 0) == 0
    assert capsys.readouterr().out.startswith("http://127.0.0.1:")
