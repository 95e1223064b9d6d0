"""A run keeps photos and a record; a killed run loses nothing, and the next one repeats nothing."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from competition.collect.http import MAX_FAILURES
from competition.collect.run import PARTS, Skipped, collect, photo_path
from competition.collect.url_list import PhotoUrl
from competition.manifest import read_folder
from competition.metadata.collected import RECORD_NAME, read_record
from competition.metadata.header import BODY_SERIAL_NUMBER
from competition.metadata.tiff import EXIF_IFD
from competition.utils.errors import InputError
from competition.utils.locks import lock_folder

ROOT = Path(__file__).parents[3]


def photo(url: str, camera: str = "a", device: str = "") -> PhotoUrl:
    return PhotoUrl(url, camera, device, "own", "list.csv")


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_photos_are_kept_in_the_folder_of_their_camera_with_one_row_per_url(server, client_with, tmp_path, make_jpeg):
    good = server.url("/good.jpg", lambda it: it.respond(make_jpeg()))
    page = server.url("/page.jpg", lambda it: it.respond(b"<html>", kind="text/html"))
    busy = server.url("/busy.jpg", lambda it: it.respond(status=500))
    photos = [photo(good, device="me"), photo(page), photo(busy)]
    assert collect(photos, tmp_path, client_with(), total=3) == Skipped()
    rows = {row.url: row for row in read_record(tmp_path / RECORD_NAME).itertuples()}
    assert {url: (row.status, row.reason) for url, row in rows.items()} == {
        good: ("kept", ""),
        page: ("refused", "expected a JPEG, received text/html"),
        busy: ("failed", "HTTP 500"),
    }
    kept = rows[good]
    assert (tmp_path / kept.path).read_bytes() == make_jpeg()
    assert kept.path.startswith("train/a/")
    assert (kept.device, kept.licence, kept.source) == ("me", "own", "list.csv")
    assert kept.bytes == str(len(make_jpeg()))
    assert kept.sha256 == hashlib.sha256(make_jpeg()).hexdigest()
    assert files(tmp_path) == [RECORD_NAME, kept.path]


@pytest.mark.parametrize(
    "path", ["/../../../../etc/cron.d/x.jpg", "/..%2f..%2fx.jpg", "/a/..\\..\\x.jpg", "/x%00.jpg", "/" + "n" * 3000]
)
def test_no_url_leaves_the_folder(path, server, client_with, tmp_path, make_jpeg):
    body = make_jpeg()
    url = server.url(path, lambda it: it.respond(body, Content_Disposition='attachment; filename="../../x.jpg"'))
    server.routes = defaultdict(lambda: server.routes[path], server.routes)  # clients normalize such paths
    folder = tmp_path / "out"
    collect([photo(url)], folder, client_with())
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert files(folder) == [RECORD_NAME, photo_path(photo(url))]


def test_a_second_run_requests_only_failed_urls(server, client_with, tmp_path, make_jpeg):
    good = server.url("/good.jpg", lambda it: it.respond(make_jpeg(1)))
    gone = server.url("/gone.jpg", lambda it: it.respond(status=404))
    late = server.url("/late.jpg", lambda it: it.respond(status=500) if it.count <= 3 else it.respond(make_jpeg(2)))
    photos = [photo(url) for url in (good, gone, late, good)]
    assert collect(photos, tmp_path, client_with()) == Skipped(finished=1)  # the URL that is listed twice
    assert collect(photos, tmp_path, client_with()) == Skipped(finished=3)
    assert {path: len(requests) for path, requests in server.requests.items()} == {
        "/good.jpg": 1,
        "/gone.jpg": 1,
        "/late.jpg": 4,
    }
    assert sorted(read_record(tmp_path / RECORD_NAME)["status"]) == ["kept", "kept", "refused"]


def test_a_url_belongs_to_the_first_camera_that_lists_it(server, client_with, tmp_path, make_jpeg):
    url = server.url("/a.jpg", lambda it: it.respond(make_jpeg()))
    both = [photo(url, "a"), photo(url, "b")]
    assert collect(both, tmp_path, client_with()) == Skipped(finished=1, other_camera=1)
    assert collect(both, tmp_path, client_with()) == Skipped(finished=2, other_camera=1)
    assert read_record(tmp_path / RECORD_NAME)["camera"].tolist() == ["a"]


def hang_up(handler):
    handler.close_connection = True


@pytest.mark.parametrize("route", [lambda it: it.respond(status=500), hang_up])
def test_a_host_that_is_down_is_skipped_and_others_are_not(route, server, client_with, tmp_path, make_jpeg):
    down = [server.url(f"/{number}.jpg", route) for number in range(60)]
    server.url("/good.jpg", lambda it: it.respond(make_jpeg()))
    good = f"http://localhost:{server.server_port}/good.jpg"
    collect(map(photo, [*down, good]), tmp_path, client_with(attempts=2))
    assert sum(map(len, server.requests.values())) < MAX_FAILURES + 5 < 2 * 60
    table = read_record(tmp_path / RECORD_NAME).set_index("url")
    assert table.loc[good, "status"] == "kept"
    assert table.loc[down[-1], "reason"] == f"the host failed {MAX_FAILURES} times in a row"


def test_a_file_without_a_row_is_recorded_without_a_request(server, client_with, tmp_path, make_jpeg):
    one = photo(server.url("/a.jpg", lambda it: it.respond(make_jpeg())))
    collect([one], tmp_path, client_with())
    before = (tmp_path / RECORD_NAME).read_bytes()
    (tmp_path / RECORD_NAME).write_bytes(before[:-10])  # as if killed while it wrote the row
    collect([one], tmp_path, client_with())
    assert (tmp_path / RECORD_NAME).read_bytes() == before
    assert len(server.requests["/a.jpg"]) == 1


def test_a_stopped_run_keeps_files_and_parts(server, client_with, tmp_path, make_jpeg):
    body = make_jpeg(1)
    good = server.url("/good.jpg", lambda it: it.respond(make_jpeg(2)))
    cut = server.url("/cut.jpg", lambda it: it.respond_with_range(body, '"v"', 5000 if it.count == 1 else None))

    def stopped_after(urls):
        yield from map(photo, urls)
        part = tmp_path / PARTS / Path(photo_path(photo(cut))).name
        while not ((tmp_path / photo_path(photo(good))).exists() and part.exists() and part.stat().st_size == 5000):
            time.sleep(0.001)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect(stopped_after([good, cut]), tmp_path, client_with(first_wait=60.0))
    assert len(server.requests["/cut.jpg"]) == 1  # the stop interrupted the wait before the second attempt
    collect(map(photo, [good, cut]), tmp_path, client_with())
    assert set(read_record(tmp_path / RECORD_NAME)["status"]) == {"kept"}
    assert (tmp_path / photo_path(photo(cut))).read_bytes() == body
    assert server.requests["/cut.jpg"][1][0]["Range"] == "bytes=5000-"
    assert len(server.requests["/good.jpg"]) == 1
    assert not (tmp_path / PARTS).exists()


def test_the_next_run_continues_a_killed_run(server, client_with, tmp_path, make_jpeg):
    bodies = [make_jpeg(number) for number in range(30)]

    def slowly(body, handler):
        time.sleep(0.02)
        handler.respond(body)

    urls = [server.url(f"/{number}.jpg", partial(slowly, body)) for number, body in enumerate(bodies)]
    (tmp_path / "list.csv").write_text("url,camera,licence\n" + "".join(f"{url},a,own\n" for url in urls))
    options = ["collect", "--list", tmp_path / "list.csv", "--out", tmp_path / "out", "--rate", "1000"]
    command = [sys.executable, "-m", "commands", *map(str, options)]
    run = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(server.requests) < 12 and run.poll() is None:
        time.sleep(0.005)
    os.kill(run.pid, signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    before = [path for path in files(tmp_path / "out") if path.startswith("train/")]
    assert 0 < len(before) < 30
    collect([photo(url) for url in urls], tmp_path / "out", client_with())
    table = read_record(tmp_path / "out" / RECORD_NAME)
    assert sorted(table["url"]) == sorted(urls)
    assert [(tmp_path / "out" / photo_path(photo(url))).read_bytes() for url in urls] == bodies
    requested_twice = {urls[int(path[1:-4])] for path, requests in server.requests.items() if len(requests) > 1}
    assert not {photo_path(photo(url)) for url in requested_twice} & set(before)


def test_an_error_of_the_url_source_ends_the_run_and_keeps_files(server, client_with, tmp_path, make_jpeg):
    one = photo(server.url("/a.jpg", lambda it: it.respond(make_jpeg())))

    def source():
        yield one
        while not (tmp_path / photo_path(one)).exists():
            time.sleep(0.001)
        raise InputError("request to Flickr failed")

    with pytest.raises(InputError):
        collect(source(), tmp_path, client_with())
    collect([one], tmp_path, client_with())
    assert read_record(tmp_path / RECORD_NAME)["status"].tolist() == ["kept"]
    assert len(server.requests["/a.jpg"]) == 1


def respond(body, handler):
    handler.respond(body)


def test_the_manifest_takes_the_device_from_exif_or_else_the_owner(server, client_with, tmp_path, make_jpeg):
    exif = Image.Exif()
    exif.get_ifd(EXIF_IFD)[BODY_SERIAL_NUMBER] = "body 7"
    cases = [("a", "me", {}), ("a", "", {}), ("b", "you", {"exif": exif})]
    photos = []
    for number, (camera, device, options) in enumerate(cases):
        url = server.url(f"/{number}.jpg", partial(respond, make_jpeg(number, **options)))
        photos.append(photo(url, camera, device))
    collect(photos, tmp_path, client_with())
    table, skipped = read_folder(tmp_path)
    assert skipped == {}
    devices = table.set_index("path")["device"].fillna("none")
    assert [devices[photo_path(one)] for one in photos] == ["me", "none", "body 7"]


def test_folder_that_another_process_uses_is_refused(client_with, tmp_path):
    with lock_folder(tmp_path), pytest.raises(InputError, match="is in use by process"):
        collect([], tmp_path, client_with())
