"""The server answers every photo for itself, keeps nothing, and refuses too large and foreign requests."""

import http.client
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from competition.utils.errors import InputError
from submissions.app import server as module
from submissions.app.server import MAX_BYTES, MAX_REQUESTS, Server


def answer(path: Path, manipulated: bool) -> str:
    """An answer that names the content of the file. The word bad stands for a file that cannot be used."""
    content = path.read_bytes().decode()
    if content == "bad":
        raise InputError(f"{path} is bad; take another")
    return f"{content} {manipulated}"


@pytest.fixture
def serve():
    """A function that starts a server on a free port."""
    started: list[Server] = []

    def start(answer=answer, host="127.0.0.1"):
        started.append(Server(answer, "<p>page</p>", host, 0))
        threading.Thread(target=started[-1].serve_forever, kwargs={"poll_interval": 0.01}).start()
        return started[-1]

    yield start
    for each in started:
        each.shutdown()
        each.server_close()


def send(server, method, path, body=None, **headers):
    """Send a request; returns the status, the body and the headers of the response."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, response.read().decode(), response.headers
    finally:
        connection.close()


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder for temporary files, which is empty at first."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_page_and_its_files_are_sent_with_a_policy_that_forbids_other_requests(serve):
    server = serve()
    for path, kind, word in (
        ("/", "text/html", "page"),
        ("/app.css", "text/css", "--ink"),
        ("/app.js", "text/java", "fetch"),
    ):
        status, body, headers = send(server, "GET", path)
        assert status == 200
        assert word in body
        assert headers["Content-Type"].startswith(kind)
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert send(server, "GET", "/page.html")[0] == send(server, "GET", "/../page.py")[0] == 404
    assert send(server, "POST", "/", b"photo")[0] == 404


def test_the_answer_is_that_of_the_photo_and_nothing_is_kept(serve, temporary):
    server = serve()
    assert send(server, "POST", "/photo", b"one")[:2] == (200, "one False")
    assert send(server, "POST", "/photo?manipulated=yes", b"two")[:2] == (200, "two True")
    assert list(temporary.iterdir()) == []


def test_a_file_that_cannot_be_used_gives_the_reason_without_a_path(serve, temporary):
    status, body, _ = send(serve(), "POST", "/photo", b"bad")
    assert status == 422
    assert "the file is bad; take another" in body
    assert list(temporary.iterdir()) == []


def test_a_bug_does_not_keep_the_photo_or_stop_the_server(serve, temporary, capfd):
    def fail(path, manipulated):
        if path.read_bytes() == b"two":
            raise ZeroDivisionError
        return "well"

    server = serve(fail)
    with pytest.raises(http.client.RemoteDisconnected):
        send(server, "POST", "/photo", b"two")
    assert list(temporary.iterdir()) == []
    assert send(server, "POST", "/photo", b"one")[:2] == (200, "well")
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_a_large_body_is_refused_before_it_is_read(serve):
    server = serve()
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.putrequest("POST", "/photo")
    connection.putheader("Content-Length", str(MAX_BYTES + 1))
    connection.endheaders()
    response = connection.getresponse()  # without a byte of the body
    assert response.status == 413
    assert f"expected at most {MAX_BYTES // 2**20} MiB" in response.read().decode()
    connection.close()
    assert send(server, "POST", "/photo", iter([b"one"]), Transfer_Encoding="chunked")[0] == 411


def test_two_people_at_once_get_their_own_answers_one_after_the_other(serve, temporary):
    running = []

    def slow(path, manipulated):
        running.append(path)
        time.sleep(0.02)
        assert running == [path]
        return running.pop().read_bytes().decode()

    server = serve(slow)
    words = [f"photo {number}" for number in range(MAX_REQUESTS)]
    with ThreadPoolExecutor(MAX_REQUESTS) as pool:
        answers = list(pool.map(lambda word: send(server, "POST", "/photo", word.encode())[:2], words))
    assert answers == [(200, word) for word in words]
    assert list(temporary.iterdir()) == []


def test_too_many_photos_at_once_are_refused(serve, monkeypatch):
    monkeypatch.setattr(module, "MAX_REQUESTS", 1)
    inside, finish = threading.Event(), threading.Event()

    def wait(path, manipulated):
        inside.set()
        assert finish.wait(10)
        return "well"

    server = serve(wait)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send, server, "POST", "/photo", b"one")
        assert inside.wait(10)
        assert send(server, "POST", "/photo", b"two")[0] == 503
        finish.set()
        assert first.result()[:2] == (200, "well")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "localhost:{port}"}, 200),
        ({"Host": "localhost:{port}", "Origin": "http://localhost:{port}"}, 200),
        ({"Host": "evil.example:{port}"}, 403),  # a name that leads to this computer
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_pages_of_other_sites_cannot_use_a_local_server(headers, status, serve):
    server = serve()
    filled = {name: value.format(port=server.server_port) for name, value in headers.items()}
    assert send(server, "POST", "/photo", b"one", **filled)[0] == status


def test_other_hosts_may_have_any_name_if_the_user_opens_the_app_to_them(serve):
    server = serve(host="0.0.0.0")
    assert send(server, "POST", "/photo", b"one", Host="studio:80", Origin="http://studio:80")[0] == 200
    assert send(server, "POST", "/photo", b"one", Host="studio:80", Origin="http://evil.example")[0] == 403


def test_a_used_address_is_an_error(serve):
    server = serve()
    with pytest.raises(InputError, match=rf"127.0.0.1:{server.server_port} cannot be used \(Address already in use\)"):
        Server(answer, "", "127.0.0.1", server.server_port)
