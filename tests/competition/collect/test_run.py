"""A run leaves photographs and a record; a killed one loses nothing, and the next does nothing twice."""

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

from competition.collect.pace import PATIENCE
from competition.collect.record import NAME, read_record
from competition.collect.run import PARTS, Found, collect, place
from competition.collect.url_list import Address
from competition.manifest import read_folder
from competition.metadata.header import BODY_SERIAL_NUMBER
from competition.metadata.tiff import EXIF_IFD
from competition.utils.errors import InputError

ROOT = Path(__file__).parents[3]


def address(url: str, camera: str = "a", device: str = "") -> Address:
    return Address(url, camera, device, "own", "list.csv")


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_photographs_land_in_their_cameras_folders_with_a_row_each(server, client_with, tmp_path, make_jpeg):
    good = server.url("/good.jpg", lambda it: it.answer(make_jpeg()))
    page = server.url("/page.jpg", lambda it: it.answer(b"<html>", kind="text/html"))
    busy = server.url("/busy.jpg", lambda it: it.answer(status=500))
    addresses = [address(good, device="me"), address(page), address(busy)]
    assert collect(addresses, tmp_path, client_with(), total=3) == Found()
    rows = {row.url: row for row in read_record(tmp_path / NAME).itertuples()}
    assert {url: (row.status, row.reason) for url, row in rows.items()} == {
        good: ("kept", ""),
        page: ("refused", "not a JPEG but text/html"),
        busy: ("failed", "HTTP 500"),
    }
    kept = rows[good]
    assert (tmp_path / kept.path).read_bytes() == make_jpeg()
    assert kept.path.startswith("train/a/")
    assert (kept.device, kept.licence, kept.source) == ("me", "own", "list.csv")
    assert kept.bytes == str(len(make_jpeg()))
    assert kept.sha256 == hashlib.sha256(make_jpeg()).hexdigest()
    assert files(tmp_path) == [".collect.lock", NAME, kept.path]


@pytest.mark.parametrize(
    "path", ["/../../../../etc/cron.d/x.jpg", "/..%2f..%2fx.jpg", "/a/..\\..\\x.jpg", "/x%00.jpg", "/" + "n" * 3000]
)
def test_no_address_leaves_the_folder(path, server, client_with, tmp_path, make_jpeg):
    body = make_jpeg()
    url = server.url(path, lambda it: it.answer(body, Content_Disposition='attachment; filename="../../x.jpg"'))
    server.routes = defaultdict(lambda: server.routes[path], server.routes)  # clients clean such paths before they ask
    folder = tmp_path / "out"
    collect([address(url)], folder, client_with())
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert files(folder) == [".collect.lock", NAME, place(address(url))]


def test_a_second_run_asks_only_for_what_failed(server, client_with, tmp_path, make_jpeg):
    good = server.url("/good.jpg", lambda it: it.answer(make_jpeg(1)))
    gone = server.url("/gone.jpg", lambda it: it.answer(status=404))
    late = server.url("/late.jpg", lambda it: it.answer(status=500) if it.times <= 3 else it.answer(make_jpeg(2)))
    addresses = [address(url) for url in (good, gone, late, good)]
    assert collect(addresses, tmp_path, client_with()) == Found(before=1)  # the one listed twice
    assert collect(addresses, tmp_path, client_with()) == Found(before=3)
    assert {path: len(asked) for path, asked in server.asked.items()} == {
        "/good.jpg": 1,
        "/gone.jpg": 1,
        "/late.jpg": 4,
    }
    assert sorted(read_record(tmp_path / NAME)["status"]) == ["kept", "kept", "refused"]


def test_an_address_belongs_to_the_camera_that_had_it_first(server, client_with, tmp_path, make_jpeg):
    url = server.url("/a.jpg", lambda it: it.answer(make_jpeg()))
    both = [address(url, "a"), address(url, "b")]
    assert collect(both, tmp_path, client_with()) == Found(before=1, elsewhere=1)
    assert collect(both, tmp_path, client_with()) == Found(before=2, elsewhere=1)
    assert read_record(tmp_path / NAME)["camera"].tolist() == ["a"]


def hang_up(handler):
    handler.close_connection = True


@pytest.mark.parametrize("route", [lambda it: it.answer(status=500), hang_up])
def test_a_host_that_is_down_is_soon_left_alone_and_the_others_are_not(route, server, client_with, tmp_path, make_jpeg):
    down = [server.url(f"/{number}.jpg", route) for number in range(60)]
    server.url("/good.jpg", lambda it: it.answer(make_jpeg()))
    good = f"http://localhost:{server.server_port}/good.jpg"
    collect(map(address, [*down, good]), tmp_path, client_with(attempts=2))
    assert sum(map(len, server.asked.values())) < PATIENCE + 5 < 2 * 60
    table = read_record(tmp_path / NAME).set_index("url")
    assert table.loc[good, "status"] == "kept"
    assert table.loc[down[-1], "reason"] == f"the host failed {PATIENCE} times in a row"


def test_a_file_without_a_row_is_recorded_and_not_fetched_again(server, client_with, tmp_path, make_jpeg):
    one = address(server.url("/a.jpg", lambda it: it.answer(make_jpeg())))
    collect([one], tmp_path, client_with())
    before = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(before[:-10])  # killed while it wrote the row
    collect([one], tmp_path, client_with())
    assert (tmp_path / NAME).read_bytes() == before
    assert len(server.asked["/a.jpg"]) == 1


def test_a_stopped_run_keeps_what_it_has(server, client_with, tmp_path, make_jpeg):
    body = make_jpeg(1)
    good = server.url("/good.jpg", lambda it: it.answer(make_jpeg(2)))
    cut = server.url("/cut.jpg", lambda it: it.answer_ranges(body, '"v"', 5000 if it.times == 1 else None))

    def stopped_after(urls):
        yield from map(address, urls)
        part = tmp_path / PARTS / Path(place(address(cut))).name
        while not ((tmp_path / place(address(good))).exists() and part.exists() and part.stat().st_size == 5000):
            time.sleep(0.001)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect(stopped_after([good, cut]), tmp_path, client_with(first_wait=60.0))
    assert len(server.asked["/cut.jpg"]) == 1  # it did not wait for the second attempt
    collect(map(address, [good, cut]), tmp_path, client_with())
    assert set(read_record(tmp_path / NAME)["status"]) == {"kept"}
    assert (tmp_path / place(address(cut))).read_bytes() == body
    assert server.asked["/cut.jpg"][1][0]["Range"] == "bytes=5000-"
    assert len(server.asked["/good.jpg"]) == 1
    assert not (tmp_path / PARTS).exists()


def test_a_killed_run_is_taken_up_by_the_next(server, client_with, tmp_path, make_jpeg):
    bodies = [make_jpeg(number) for number in range(30)]

    def slowly(body, handler):
        time.sleep(0.02)
        handler.answer(body)

    urls = [server.url(f"/{number}.jpg", partial(slowly, body)) for number, body in enumerate(bodies)]
    (tmp_path / "list.csv").write_text("url,camera,licence\n" + "".join(f"{url},a,own\n" for url in urls))
    words = ["collect", "--list", tmp_path / "list.csv", "--out", tmp_path / "out", "--rate", "1000"]
    command = [sys.executable, "-m", "commands", *map(str, words)]
    run = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(server.asked) < 12 and run.poll() is None:
        time.sleep(0.005)
    os.kill(run.pid, signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    before = [path for path in files(tmp_path / "out") if path.startswith("train/")]
    assert 0 < len(before) < 30
    collect([address(url) for url in urls], tmp_path / "out", client_with())
    table = read_record(tmp_path / "out" / NAME)
    assert sorted(table["url"]) == sorted(urls)
    assert [(tmp_path / "out" / place(address(url))).read_bytes() for url in urls] == bodies
    asked_twice = {urls[int(path[1:-4])] for path, asked in server.asked.items() if len(asked) > 1}
    assert not {place(address(url)) for url in asked_twice} & set(before)


def test_trouble_of_the_source_ends_the_run_and_keeps_what_it_has(server, client_with, tmp_path, make_jpeg):
    one = address(server.url("/a.jpg", lambda it: it.answer(make_jpeg())))

    def source():
        yield one
        while not (tmp_path / place(one)).exists():
            time.sleep(0.001)
        raise InputError("Flickr cannot be asked")

    with pytest.raises(InputError):
        collect(source(), tmp_path, client_with())
    collect([one], tmp_path, client_with())
    assert read_record(tmp_path / NAME)["status"].tolist() == ["kept"]
    assert len(server.asked["/a.jpg"]) == 1


def answer(body, handler):
    handler.answer(body)


def test_what_is_collected_can_be_trained_on_with_the_device_of_exif_or_else_the_owner(
    server, client_with, tmp_path, make_jpeg
):
    exif = Image.Exif()
    exif.get_ifd(EXIF_IFD)[BODY_SERIAL_NUMBER] = "body 7"
    photographs = [("a", "me", {}), ("a", "", {}), ("b", "you", {"exif": exif})]
    addresses = []
    for number, (camera, device, options) in enumerate(photographs):
        url = server.url(f"/{number}.jpg", partial(answer, make_jpeg(number, **options)))
        addresses.append(address(url, camera, device))
    collect(addresses, tmp_path, client_with())
    table, skipped = read_folder(tmp_path)
    assert skipped == {}
    devices = table.set_index("path")["device"].fillna("none")
    assert [devices[place(one)] for one in addresses] == ["me", "none", "body 7"]
