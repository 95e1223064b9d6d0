"""What arrives is the whole JPEG or nothing, whatever the server does."""

import time

import pytest

from competition.collect.download import download
from competition.collect.faults import Failed, Refused
from competition.collect.http import MOST_REDIRECTS


@pytest.fixture
def part(tmp_path):
    return tmp_path / "abc.jpg"


def left(part):
    return sorted(path.name for path in part.parent.iterdir())


def test_a_photograph_arrives(server, client_with, part, make_jpeg):
    download(client_with(), server.url("/a.jpg", lambda it: it.answer(make_jpeg())), part)
    assert part.read_bytes() == make_jpeg()
    headers, _ = server.asked["/a.jpg"][0]
    assert headers["Accept-Encoding"] == "identity"
    assert "camera-competition" in headers["User-Agent"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(status, server, client_with, part, make_jpeg):
    def route(it):
        it.answer(status=status, Retry_After="0") if it.times < 3 else it.answer(make_jpeg())

    download(client_with(), server.url("/a.jpg", route), part)
    assert part.read_bytes() == make_jpeg()
    assert len(server.asked["/a.jpg"]) == 3


def test_a_server_that_stays_busy_is_given_up(server, client_with, part):
    url = server.url("/a.jpg", lambda it: it.answer(status=500))
    with pytest.raises(Failed, match="HTTP 500"):
        download(client_with(), url, part)
    assert len(server.asked["/a.jpg"]) == 3
    assert left(part) == []


def test_retry_after_is_obeyed(server, client_with, part, make_jpeg):
    asked = []

    def route(it):
        asked.append(time.monotonic())
        it.answer(status=429, Retry_After="1") if it.times == 1 else it.answer(make_jpeg())

    download(client_with(), server.url("/a.jpg", route), part)
    assert asked[1] - asked[0] >= 1


def test_a_host_that_wants_a_long_rest_is_not_asked_again(server, client_with, part):
    client = client_with()
    first = server.url("/a.jpg", lambda it: it.answer(status=429, Retry_After="7200"))
    second = server.url("/b.jpg", lambda it: it.answer())
    for url in (first, second):
        with pytest.raises(Failed, match="left alone for 7200 s"):
            download(client, url, part)
    assert len(server.asked["/a.jpg"]) == 1
    assert "/b.jpg" not in server.asked


def test_a_broken_transfer_is_resumed(server, client_with, part, make_jpeg):
    body = make_jpeg()
    url = server.url("/a.jpg", lambda it: it.answer_ranges(body, '"v1"', 5000 if it.times == 1 else None))
    download(client_with(), url, part)
    assert part.read_bytes() == body
    headers, _ = server.asked["/a.jpg"][1]
    assert (headers["Range"], headers["If-Range"]) == ("bytes=5000-", '"v1"')


def test_the_next_run_resumes_too(server, client_with, part, make_jpeg):
    body = make_jpeg()
    url = server.url("/a.jpg", lambda it: it.answer_ranges(body, '"v1"', 5000 if it.times == 1 else None))
    with pytest.raises(Failed, match="broke off"):
        download(client_with(attempts=1), url, part)
    assert part.read_bytes() == body[:5000]
    download(client_with(attempts=1), url, part)
    assert part.read_bytes() == body
    assert server.asked["/a.jpg"][1][0]["Range"] == "bytes=5000-"


def test_halves_of_two_versions_are_never_joined(server, client_with, part, make_jpeg):
    old, new = make_jpeg(1), make_jpeg(2)

    def route(it):
        it.answer_ranges(old, '"v1"', 5000) if it.times == 1 else it.answer_ranges(new, '"v2"')

    download(client_with(), server.url("/a.jpg", route), part)
    assert part.read_bytes() == new


@pytest.mark.parametrize("mark", [{"ETag": '"v1"'}, {"ETag": 'W/"v1"'}, {}])
def test_a_server_that_ignores_ranges_sends_all_of_it_again(mark, server, client_with, part, make_jpeg):
    body = make_jpeg()

    def route(it):
        it.answer(body[: 5000 if it.times == 1 else None], Content_Length=str(len(body)), **mark)

    download(client_with(), server.url("/a.jpg", route), part)
    assert part.read_bytes() == body
    assert ("Range" in server.asked["/a.jpg"][1][0]) == (mark == {"ETag": '"v1"'})


@pytest.mark.parametrize("wrong", [{"Content_Range": "bytes 0-9/10"}, {}, {"status": 416}])
def test_another_range_than_asked_for_begins_anew(wrong, server, client_with, part, make_jpeg):
    body = make_jpeg()

    def route(it):
        if it.times == 2:
            it.answer(body[:10], **{"status": 206, **wrong})
        else:
            it.answer_ranges(body, '"v1"', 5000 if it.times == 1 else None)

    download(client_with(), server.url("/a.jpg", route), part)
    assert part.read_bytes() == body
    assert "Range" not in server.asked["/a.jpg"][2][0]


def test_an_unasked_range_is_not_joined_to_what_lies_there(server, client_with, part, make_jpeg):
    part.write_bytes(make_jpeg(1)[:5000])  # of unknown version: no mark beside it
    body = make_jpeg(2)
    range_ = f"bytes 0-{len(body) - 1}/{len(body)}"
    download(client_with(), server.url("/a.jpg", lambda it: it.answer(body, 206, Content_Range=range_)), part)
    assert part.read_bytes() == body


def test_a_file_of_untold_length_must_reach_its_end(server, client_with, part, make_jpeg):
    body = make_jpeg()

    def route(it):
        it.answer(body[: 5000 if it.times == 1 else None], Content_Length=None, Connection="close")

    download(client_with(), server.url("/a.jpg", route), part)
    assert part.read_bytes() == body


def test_redirects_are_followed(server, client_with, part, make_jpeg):
    server.url("/b/c.jpg", lambda it: it.answer(make_jpeg()))
    download(client_with(), server.url("/a.jpg", lambda it: it.answer(status=302, Location="b/c.jpg")), part)
    assert part.read_bytes() == make_jpeg()


def endless(it):
    it.answer(Content_Length=None, Connection="close")
    while True:
        it.wfile.write(b"\xff\xd8\xff" * 10_000)


def endless_chunks(it):
    it.answer(Content_Length=None, Transfer_Encoding="chunked")
    while True:
        it.wfile.write(b"7530\r\n" + b"\xff\xd8\xff" * 10_000 + b"\r\n")


@pytest.mark.parametrize(
    ("route", "told"),
    [
        (lambda it: it.answer(status=404), "HTTP 404"),
        (lambda it: it.answer(status=204), "HTTP 204"),
        (lambda it: it.answer(b"<html>gone</html>", kind="text/html; charset=utf-8"), "not a JPEG but text/html"),
        (lambda it: it.answer(b"<html>gone</html>"), "content is not a JPEG"),
        (lambda it: it.answer(b"\xff\xd8\xff\xe0 but no more"), "content is not a JPEG"),
        (lambda it: it.answer(b""), "empty"),
        (lambda it: it.answer(b"", Content_Length=None, Connection="close"), "content is not a JPEG"),
        (lambda it: it.answer(b"\xff\xd8\xff", Content_Encoding="gzip"), "compressed"),
        (lambda it: it.answer(Content_Length="1000000000000"), "larger than 0.19"),
        (endless, "larger than 0.19"),
        (endless_chunks, "larger than 0.19"),
        (lambda it: it.answer(status=301, Location=it.path), f"more than {MOST_REDIRECTS} redirects"),
        (lambda it: it.answer(status=301), "more than"),
        (lambda it: it.answer(status=302, Location="file:///etc/passwd"), "not an address of the web.*: file"),
        (lambda it: it.answer(status=302, Location="ftp://127.0.0.1/a.jpg"), "not an address of the web.*: ftp"),
        (lambda it: it.answer(status=302, Location="http://[broken/"), "not an address"),
    ],
)
def test_what_is_no_photograph_is_refused_and_leaves_nothing(route, told, server, client_with, part):
    url = server.url("/a.jpg", route)
    with pytest.raises(Refused, match=told):
        download(client_with(), url, part)
    assert left(part) == []
    assert len(server.asked["/a.jpg"]) <= MOST_REDIRECTS + 1


def test_a_file_that_is_truncated_where_it_is_stored_is_refused(server, client_with, part, make_jpeg):
    url = server.url("/a.jpg", lambda it: it.answer(make_jpeg()[:-200]))
    with pytest.raises(Refused, match="truncated where it is stored"):
        download(client_with(), url, part)
    assert left(part) == []


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
def test_only_addresses_of_the_web_are_asked(url, client_with, part):
    with pytest.raises(Refused, match="not an address of the web"):
        download(client_with(), url, part)


def test_a_slow_transfer_is_cut_off(server, client_with, part, make_jpeg, drip):
    url = server.url("/a.jpg", drip(make_jpeg()))
    with pytest.raises(Failed, match=r"not complete after 0.2 s"):
        download(client_with(most_seconds=0.2), url, part)
    assert len(server.asked["/a.jpg"]) == 1


def test_a_silent_server_is_given_up(server, client_with, part):
    url = server.url("/a.jpg", lambda it: time.sleep(0.3))
    with pytest.raises(Failed, match="fell silent"):
        download(client_with(silence=0.05, attempts=2), url, part)


def test_nobody_there(server, client_with, part):
    url = server.url("/a.jpg", lambda it: it.answer())
    server.server_close()
    with pytest.raises(Failed, match=r"no connection|broke off|silent"):
        download(client_with(silence=0.05, attempts=1), url, part)
