"""The Flickr API, played by the server on this machine."""

import json
import logging

import pytest

from competition.collect import flickr as module
from competition.collect.flickr import LICENCES, QUERIES, Flickr, Query, queries
from competition.utils.errors import InputError

KEY = "0123456789abcdef-secret"
LICENCE_URLS = {
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


@pytest.fixture
def flickr(server, client_with):
    """The API with `flickr.photos`, answering as the real one does, windows and repeats included."""

    def route(it):
        form = it.form
        assert (form["api_key"], form["format"], form["nojsoncallback"]) == (KEY, "json", "1")
        if form["method"] == "flickr.photos.licenses.getInfo":
            licences = [{"id": number, "name": "…", "url": url} for number, url in LICENCE_URLS.items()]
            content = {"licenses": {"license": licences}}
        else:
            latest = int(form.get("max_upload_date", 1 << 40))
            found = [it for it in api.photos if int(it["dateupload"]) <= latest]
            size, page = module.PAGE, int(form["page"])
            start = min((page - 1) * size, module.WINDOW - size)  # beyond the window it repeats itself
            content = {"photos": {"pages": -(-len(found) // size), "photo": found[start : start + size]}}
        it.answer(json.dumps(content | {"stat": "ok"}).encode(), kind="application/json")

    api = Flickr(client_with(), KEY, server.url("/services/rest/", route))
    api.photos = []
    return api


def search(flickr, most=1000):
    return list(flickr.search("iPhone-6", Query("apple/iphone_6", "six"), {"4": "CC-BY-2.0"}, most))


def test_a_photograph_becomes_an_address(flickr, server):
    flickr.photos = [photo(7)]
    (address,) = search(flickr)
    assert address.url == "https://live.example.org/7_o.jpg"
    assert (address.camera, address.device, address.licence) == ("iPhone-6", "1@N00", "CC-BY-2.0")
    assert address.source == "https://www.flickr.com/photos/1@N00/7"
    _, form = server.asked["/services/rest/"][0]
    assert (form["camera"], form["text"], form["license"]) == ("apple/iphone_6", "six", "4")
    assert "url_o" in form["extras"]


def test_only_original_jpegs_under_a_wanted_licence(flickr):
    hidden = photo(2)
    del hidden["url_o"]
    flickr.photos = [photo(1, originalformat="png"), hidden, photo(3, license="0"), photo(4)]
    assert [address.source.rpartition("/")[2] for address in search(flickr)] == ["4"]


def test_a_search_goes_on_beyond_the_window_and_repeats_nothing(flickr, monkeypatch):
    monkeypatch.setattr(module, "PAGE", 5)
    monkeypatch.setattr(module, "WINDOW", 20)
    flickr.photos = [photo(number) for number in range(73)]
    assert [address.source.rpartition("/")[2] for address in search(flickr)] == [str(number) for number in range(73)]
    assert len(search(flickr, most=31)) == 31


def test_more_uploads_in_a_second_than_a_window_holds_do_not_stop_a_search(flickr, monkeypatch):
    monkeypatch.setattr(module, "PAGE", 5)
    monkeypatch.setattr(module, "WINDOW", 20)
    same = [photo(number, dateupload="1500000000") for number in range(30)]
    flickr.photos = [*same, *(photo(number) for number in range(100, 110))]
    assert len(search(flickr)) == 20 + 10


def test_nothing_found(flickr):
    assert search(flickr) == []


def test_licences_are_looked_up(flickr):
    assert flickr.licences(LICENCES) == {"2": "CC-BY-NC-2.0", "4": "CC-BY-2.0", "9": "CC0-1.0", "11": "CC-BY-4.0"}
    assert flickr.licences(["cc by 4.0"]) == {"11": "CC-BY-4.0"}
    with pytest.raises(InputError, match="unknown licence 'MIT'"):
        flickr.licences(["MIT"])
    with pytest.raises(InputError, match="no photographs under own"):
        flickr.licences(["own"])


def failing(code: int):
    content = {"stat": "fail", "code": code, "message": f"Trouble with {KEY}"}
    return lambda it: it.answer(json.dumps(content).encode(), kind="application/json")


@pytest.mark.parametrize(
    ("route", "told"),
    [
        (failing(100), "Flickr does not accept FLICKR_API_KEY: Trouble with …"),
        (failing(3), "Flickr refused flickr.photos.search: Trouble with …"),
        (lambda it: it.answer(status=500), "Flickr cannot be asked: HTTP 500; .* again later"),
        (lambda it: it.answer(status=302, Location="http://127.0.0.1:1/"), "Flickr cannot be asked: HTTP 302"),
        (lambda it: it.answer(b"<html>maintenance"), "not JSON"),
        (lambda it: it.answer(b"x" * 2000, Content_Length=None, Connection="close"), "more than 1000 bytes"),
    ],
)
def test_trouble_is_told_in_one_line_and_the_key_is_nowhere(
    route, told, server, client_with, monkeypatch, caplog, capfd
):
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    caplog.set_level(logging.DEBUG)
    flickr = Flickr(client_with(), KEY, server.url("/services/rest/", route))
    with pytest.raises(InputError, match=told) as caught:
        search(flickr)
    assert "\n" not in str(caught.value)
    assert KEY not in str(caught.value) + caplog.text + "".join(capfd.readouterr())
    assert all(KEY not in path for path in server.asked)


def test_a_busy_api_is_asked_again(flickr, server):
    answer = server.routes["/services/rest/"]
    server.routes["/services/rest/"] = lambda it: it.answer(status=429) if it.times == 1 else answer(it)
    flickr.photos = [photo(1)]
    assert len(search(flickr)) == 1


def test_queries():
    assert queries(["iPhone-6", "Sony-NEX-7"]) == {name: QUERIES[name] for name in ("iPhone-6", "Sony-NEX-7")}
    assert queries(["Mine"], text="my camera") == {"Mine": Query(text="my camera")}
    with pytest.raises(InputError, match=r"unknown camera 'Mine'; known: .*--text"):
        queries(["Mine"])
    with pytest.raises(InputError, match="--flickr names 2"):
        queries(["Mine", "Yours"], camera="a/b")
    with pytest.raises(InputError, match="folder"):
        queries(["../up"], camera="a/b")
