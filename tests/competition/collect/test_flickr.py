"""Searches on Flickr, whose API a local server simulates."""

import json
import logging
from collections.abc import Sequence
from typing import Any

import pytest

from competition.collect import flickr as module
from competition.collect.flickr import DEFAULT_LICENSES, QUERIES, Flickr, Query, find_queries
from competition.utils.errors import InputError

KEY = "0123456789abcdef-secret"
LICENSE_URLS = {
    0: "",
    2: "https://creativecommons.org/licenses/by-nc/2.0/",
    4: "https://creativecommons.org/licenses/by/2.0/",
    6: "https://creativecommons.org/licenses/by-nd/2.0/",
    8: "http://www.usa.gov/copyright.shtml",
    9: "https://creativecommons.org/publicdomain/zero/1.0/",
    11: "https://creativecommons.org/licenses/by/4.0/",
}


def photo(number: int, **changes: object) -> dict:
    return {
        "id": str(number),
        "owner": f"{number % 3}@N00",
        "license": "4",
        "dateupload": str(1_500_000_000 - number),
        "originalformat": "jpg",
        "url_o": f"https://live.example.org/{number}_o.jpg",
    } | changes


class SimulatedFlickr(Flickr):
    """The client; the simulated API finds `photos`."""

    photos: Sequence[dict] = ()


@pytest.fixture
def flickr(server, client_with):
    """A client of a simulated API, which repeats the last page of a long result, as the real one does."""

    def route(it):
        form = it.form
        assert (form["api_key"], form["format"], form["nojsoncallback"]) == (KEY, "json", "1")
        if form["method"] == "flickr.photos.licenses.getInfo":
            licenses = [{"id": number, "name": "…", "url": url} for number, url in LICENSE_URLS.items()]
            content: dict[str, Any] = {"licenses": {"license": licenses}}
        else:
            latest = int(form.get("max_upload_date", 1 << 40))
            found = [photo for photo in api.photos if int(photo["dateupload"]) <= latest]
            size, page = module.PAGE_SIZE, int(form["page"])
            start = min((page - 1) * size, module.MAX_RESULTS - size)
            content = {"photos": {"pages": -(-len(found) // size), "photo": found[start : start + size]}}
        it.respond(json.dumps(content | {"stat": "ok"}).encode(), kind="application/json")

    api = SimulatedFlickr(client_with(), KEY, server.url("/services/rest/", route))
    return api


def numbers(photos):
    return [photo.source.rpartition("/")[2] for photo in photos]


def search(flickr, limit=1000):
    return list(flickr.search("iPhone-6", Query("apple/iphone_6", "six"), {"4": "CC-BY-2.0"}, limit))


def test_a_photo_becomes_a_url_with_its_owner_and_license(flickr, server):
    flickr.photos = [photo(7)]
    (found,) = search(flickr)
    assert found.url == "https://live.example.org/7_o.jpg"
    assert (found.camera, found.device, found.licence) == ("iPhone-6", "1@N00", "CC-BY-2.0")
    assert found.source == "https://www.flickr.com/photos/1@N00/7"
    _, form = server.requests["/services/rest/"][0]
    assert (form["camera"], form["text"], form["license"]) == ("apple/iphone_6", "six", "4")
    assert "url_o" in form["extras"]


def test_only_original_jpegs_with_a_wanted_license_are_found(flickr):
    hidden = photo(2)
    del hidden["url_o"]
    flickr.photos = [photo(1, originalformat="png"), hidden, photo(3, license="0"), photo(4)]
    assert numbers(search(flickr)) == ["4"]


def test_a_long_search_continues_beyond_the_limit_of_the_api_without_repeats(flickr, monkeypatch):
    monkeypatch.setattr(module, "PAGE_SIZE", 5)
    monkeypatch.setattr(module, "MAX_RESULTS", 20)
    flickr.photos = [photo(number) for number in range(73)]
    assert numbers(search(flickr)) == [str(number) for number in range(73)]
    assert len(search(flickr, limit=31)) == 31


def test_a_search_continues_after_more_uploads_in_a_second_than_the_api_lists(flickr, monkeypatch):
    monkeypatch.setattr(module, "PAGE_SIZE", 5)
    monkeypatch.setattr(module, "MAX_RESULTS", 20)
    same = [photo(number, dateupload="1500000000") for number in range(30)]
    flickr.photos = [*same, *(photo(number) for number in range(100, 110))]
    assert len(search(flickr)) == 20 + 10


def test_an_empty_result_yields_nothing(flickr):
    assert search(flickr) == []


def test_license_ids_come_from_the_api(flickr):
    assert flickr.license_ids(DEFAULT_LICENSES) == {
        "2": "CC-BY-NC-2.0",
        "4": "CC-BY-2.0",
        "9": "CC0-1.0",
        "11": "CC-BY-4.0",
    }
    assert flickr.license_ids(["cc by 4.0"]) == {"11": "CC-BY-4.0"}
    with pytest.raises(InputError, match="unknown license 'MIT'"):
        flickr.license_ids(["MIT"])
    with pytest.raises(InputError, match="no photos with the license own"):
        flickr.license_ids(["own"])


def failing(code: int):
    content = {"stat": "fail", "code": code, "message": f"Trouble with {KEY}"}
    return lambda it: it.respond(json.dumps(content).encode(), kind="application/json")


@pytest.mark.parametrize(
    ("route", "message"),
    [
        (failing(100), "Flickr does not accept FLICKR_API_KEY: Trouble with …"),
        (failing(3), "Flickr refused flickr.photos.search: Trouble with …"),
        (lambda it: it.respond(status=500), "request to Flickr failed: HTTP 500; .* again later"),
        (lambda it: it.respond(status=302, Location="http://127.0.0.1:1/"), "request to Flickr failed: HTTP 302"),
        (lambda it: it.respond(b"<html>maintenance"), "expected JSON"),
        (lambda it: it.respond(b"x" * 2000, Content_Length=None, Connection="close"), "more than 1000 bytes"),
    ],
)
def test_an_api_error_is_one_line_and_never_contains_the_key(
    route, message, server, client_with, monkeypatch, caplog, capfd
):
    monkeypatch.setattr(module, "MAX_RESPONSE_BYTES", 1000)
    caplog.set_level(logging.DEBUG)
    flickr = Flickr(client_with(), KEY, server.url("/services/rest/", route))
    with pytest.raises(InputError, match=message) as caught:
        search(flickr)
    assert "\n" not in str(caught.value)
    assert KEY not in str(caught.value) + caplog.text + "".join(capfd.readouterr())
    assert all(KEY not in path for path in server.requests)


def test_requests_are_retried_while_the_api_is_busy(flickr, server):
    route = server.routes["/services/rest/"]
    server.routes["/services/rest/"] = lambda it: it.respond(status=429) if it.count == 1 else route(it)
    flickr.photos = [photo(1)]
    assert len(search(flickr)) == 1


def test_queries_come_from_the_table_or_the_options():
    assert find_queries(["iPhone-6", "Sony-NEX-7"]) == {name: QUERIES[name] for name in ("iPhone-6", "Sony-NEX-7")}
    assert find_queries(["Mine"], text="my camera") == {"Mine": Query(text="my camera")}
    with pytest.raises(InputError, match=r"unknown camera 'Mine'; known: .*--text"):
        find_queries(["Mine"])
    with pytest.raises(InputError, match="--flickr names 2"):
        find_queries(["Mine", "Yours"], camera_id="a/b")
    with pytest.raises(InputError, match="not a valid camera name"):
        find_queries(["../up"], camera_id="a/b")
