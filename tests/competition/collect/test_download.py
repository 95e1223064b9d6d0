"""A download is the complete JPEG or nothing, whatever the server sends."""

import time

import pytest

from competition.collect.download import download
from competition.collect.http import MAX_REDIRECTS, DownloadFailed, DownloadRefused


@pytest.fixture
def part(tmp_path):
    return tmp_path / "abc.jpg"


def files_beside(part):
    return sorted(path.name for path in part.parent.iterdir())


def test_a_photo_is_downloaded(server, client_with, part, make_jpeg):
    download(client_with(), server.url("/a.jpg", lambda it: it.respond(make_jpeg())), part)
    assert part.read_bytes() == make_jpeg()
    headers, _ = server.requests["/a.jpg"][0]
    assert headers["Accept-Encoding"] == "identity"
    assert "camera-competition" in headers["User-Agent"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_temporary_errors_are_retried(status, server, client_with, part, make_jpeg):
    def route(it):
        it.respond(status=status, Retry_After="0") if it.count < 3 else it.respond(make_jpeg())

    download(client_with(), server.url("/a.jpg", route), part)
    assert part.read_bytes() == make_jpeg()
    assert len(server.requests["/a.jpg"]) == 3


def test_a_lasting_server_error_fails_after_all_attempts(server, client_with, part):
    url = server.url("/a.jpg", lambda it: it.respond(status=500))
    with pytest.raises(DownloadFailed, match="HTTP 500"):
        download(client_with(), url, part)
    assert len(server.requests["/a.jpg"]) == 3
    assert files_beside(part) == []


def test_retry_after_is_respected(server, client_with, part, make_jpeg):
    times = []

    def route(it):
        times.append(time.monotonic())
        it.respond(status=429, Retry_After="1") if it.count == 1 else it.respond(make_jpeg())

    download(client_with(), server.url("/a.jpg", route), part)
    assert times[1] - times[0] >= 1


def test_a_host_that_asks_for_a_long_pause_gets_no_further_requests(server, client_with, part):
    client = client_with()
    first = server.url("/a.jpg", lambda it: it.respond(status=429, Retry_After="7200"))
    second = server.url("/b.jpg", lambda it: it.respond())
    for url in (first, second):
        with pytest.raises(DownloadFailed, match="asked for a pause of 7200 s"):
            download(client, url, part)
    assert len(server.requests["/a.jpg"]) == 1
    assert "/b.jpg" not in server.requests


def test_a_broken_transfer_is_resumed(server, client_with, part, make_jpeg):
    body = make_jpeg()
    url = server.url("/a.jpg", lambda it: it.respond_with_range(body, '"v1"', 5000 if it.count == 1 else None))
    download(client_with(), url, part)
    assert part.read_bytes() == body
    headers, _ = server.requests["/a.jpg"][1]
    assert (headers["Range"], headers["If-Range"]) == ("bytes=5000-", '"v1"')


def test_the_next_run_resumes_a_broken_transfer(server, client_with, part, make_jpeg):
    body = make_jpeg()
    url = server.url("/a.jpg", lambda it: it.respond_with_range(body, '"v1"', 5000 if it.count == 1 else None))
    with pytest.raises(DownloadFailed, match="connection lost"):
        download(client_with(attempts=1), url, part)
    assert part.read_bytes() == body[:5000]
    download(client_with(attempts=1), url, part)
    assert part.read_bytes() == body
    assert server.requests["/a.jpg"][1][0]["Range"] == "bytes=5000-"


def test_parts_of_two_versions_are_never_joined(server, client_with, part, make_jpeg):
    old, new = make_jpeg(1), make_jpeg(2)

    def route(it):
        it.respond_with_range(old, '"v1"', 5000) if it.count == 1 else it.respond_with_range(new, '"v2"')

    download(client_with(), server.url("/a.jpg", route), part)
    assert part.read_bytes() == new


@pytest.mark.parametrize("validator", [{"ETag": '"v1"'}, {"ETag": 'W/"v1"'}, {}])
def test_a_server_without_ranges_sends_the_whole_file_again(validator, server, client_with, part, make_jpeg):
    body = make_jpeg()

    def route(it):
        it.respond(body[: 5000 if it.count == 1 else None], Content_Length=str(len(body)), **validator)

    download(client_with(), server.url("/a.jpg", route), part)
    assert part.read_bytes() == body
    assert ("Range" in server.requests["/a.jpg"][1][0]) == (validator == {"ETag": '"v1"'})


@pytest.mark.parametrize("wrong", [{"Content_Range": "bytes 0-9/10"}, {}, {"status": 416}])
def test_a_wrong_range_restarts_the_download(wrong, server, client_with, part, make_jpeg):
    body = make_jpeg()

    def route(it):
        if it.count == 2:
            it.respond(body[:10], **{"status": 206, **wrong})
        else:
            it.respond_with_range(body, '"v1"', 5000 if it.count == 1 else None)

    download(client_with(), server.url("/a.jpg", route), part)
    assert part.read_bytes() == body
    assert "Range" not in server.requests["/a.jpg"][2][0]


def test_a_range_that_was_not_requested_replaces_the_part(server, client_with, part, make_jpeg):
    part.write_bytes(make_jpeg(1)[:5000])  # of an unknown version: no validator beside it
    body = make_jpeg(2)
    range_ = f"bytes 0-{len(body) - 1}/{len(body)}"
    download(client_with(), server.url("/a.jpg", lambda it: it.respond(body, 206, Content_Range=range_)), part)
    assert part.read_bytes() == body


def test_a_truncated_file_of_unknown_length_is_requested_again(server, client_with, part, make_jpeg):
    body = make_jpeg()

    def route(it):
        it.respond(body[: 5000 if it.count == 1 else None], Content_Length=None, Connection="close")

    download(client_with(), server.url("/a.jpg", route), part)
    assert part.read_bytes() == body


def test_redirects_are_followed(server, client_with, part, make_jpeg):
    server.url("/b/c.jpg", lambda it: it.respond(make_jpeg()))
    download(client_with(), server.url("/a.jpg", lambda it: it.respond(status=302, Location="b/c.jpg")), part)
    assert part.read_bytes() == make_jpeg()


def endless(it):
    it.respond(Content_Length=None, Connection="close")
    while True:
        it.wfile.write(b"\xff\xd8\xff" * 10_000)


def endless_chunks(it):
    it.respond(Content_Length=None, Transfer_Encoding="chunked")
    while True:
        it.wfile.write(b"7530\r\n" + b"\xff\xd8\xff" * 10_000 + b"\r\n")


@pytest.mark.parametrize(
    ("route", "message"),
    [
        (lambda it: it.respond(status=404), "HTTP 404"),
        (lambda it: it.respond(status=204), "HTTP 204"),
        (lambda it: it.respond(b"<html>gone</html>", kind="text/html; charset=utf-8"), "received text/html"),
        (lambda it: it.respond(b"<html>gone</html>"), "content is not a JPEG"),
        (lambda it: it.respond(b"\xff\xd8\xff\xe0 but no more"), "content is not a JPEG"),
        (lambda it: it.respond(b""), "empty"),
        (lambda it: it.respond(b"", Content_Length=None, Connection="close"), "content is not a JPEG"),
        (lambda it: it.respond(b"\xff\xd8\xff", Content_Encoding="gzip"), "compressed"),
        (lambda it: it.respond(Content_Length="1000000000000"), "larger than 0.19"),
        (endless, "larger than 0.19"),
        (endless_chunks, "larger than 0.19"),
        (lambda it: it.respond(status=301, Location=it.path), f"more than {MAX_REDIRECTS} redirects"),
        (lambda it: it.respond(status=301), "more than"),
        (lambda it: it.respond(status=302, Location="file:///etc/passwd"), "not a valid URL: .*received file"),
        (lambda it: it.respond(status=302, Location="ftp://127.0.0.1/a.jpg"), "not a valid URL: .*received ftp"),
        (lambda it: it.respond(status=302, Location="http://[broken/"), "not a valid URL"),
    ],
)
def test_what_is_not_a_photo_is_refused_and_leaves_no_file(route, message, server, client_with, part):
    url = server.url("/a.jpg", route)
    with pytest.raises(DownloadRefused, match=message):
        download(client_with(), url, part)
    assert files_beside(part) == []
    assert len(server.requests["/a.jpg"]) <= MAX_REDIRECTS + 1


def test_a_file_that_is_truncated_on_the_host_is_refused(server, client_with, part, make_jpeg):
    url = server.url("/a.jpg", lambda it: it.respond(make_jpeg()[:-200]))
    with pytest.raises(DownloadRefused, match="file on the host is truncated"):
        download(client_with(), url, part)
    assert files_beside(part) == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.org/a.jpg",
        "/a.jpg",
        "",
        "http:///a.jpg",
        "data:,",
        f"http://{'a' * 64}.org/",
    ],
)
def test_only_http_urls_are_requested(url, client_with, part):
    with pytest.raises(DownloadRefused, match="not a valid URL"):
        download(client_with(), url, part)


def test_a_slow_transfer_is_stopped(server, client_with, part, make_jpeg, drip):
    url = server.url("/a.jpg", drip(make_jpeg()))
    with pytest.raises(DownloadFailed, match=r"not complete after 0.2 s"):
        download(client_with(max_seconds=0.2), url, part)
    assert len(server.requests["/a.jpg"]) == 1


def test_a_silent_server_times_out(server, client_with, part):
    url = server.url("/a.jpg", lambda it: time.sleep(0.3))
    with pytest.raises(DownloadFailed, match="time-out"):
        download(client_with(read_timeout=0.05, attempts=2), url, part)


def test_a_closed_port_fails(server, client_with, part):
    url = server.url("/a.jpg", lambda it: it.respond())
    server.server_close()
    with pytest.raises(DownloadFailed, match=r"no connection|connection lost|time-out"):
        download(client_with(read_timeout=0.05, attempts=1), url, part)
