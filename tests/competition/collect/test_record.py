"""The record keeps one row for each address and loses none to a kill."""

import pytest

from competition.collect.record import COLUMNS, NAME, Record, Row, devices, read_record, summary
from competition.utils.errors import InputError

LINE = b",http://a/b,camera,device,own,list.csv,123,abcdef,kept,\n"


def row(url: str, status: str = "kept", **changes: object) -> Row:
    values = dict.fromkeys(COLUMNS, "") | {"url": url, "status": status, "camera": "a", "licence": "own"}
    return Row(**(values | changes))


def test_a_later_row_replaces_an_earlier(tmp_path):
    with Record(tmp_path) as record:
        record.add(row("u", "failed", reason="HTTP 500"))
        record.add(row("v"))
        record.add(row("u", path="train/a/1.jpg"))
    table = read_record(tmp_path / NAME)
    assert table["url"].tolist() == ["v", "u"]
    assert table["status"].tolist() == ["kept", "kept"]


def test_what_failed_is_not_done(tmp_path):
    with Record(tmp_path) as record:
        for status in ("kept", "refused", "failed"):
            record.add(row(status, status))
    with Record(tmp_path) as record:
        cameras = [record.camera(url) for url in ("kept", "refused", "failed", "other")]
    assert cameras == ["a", "a", None, None]


@pytest.mark.parametrize("keep", [*range(0, len(LINE), 7), len(LINE) - 1, len(LINE)])
def test_a_kill_in_the_middle_of_a_line_loses_that_line_alone(keep, tmp_path):
    with Record(tmp_path) as record:
        record.add(row("u"))
    whole = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(whole + LINE[:keep])
    with Record(tmp_path) as record:
        assert record.camera("u") == "a"
        assert record.camera("http://a/b") == ("camera" if keep == len(LINE) else None)
        record.add(row("v"))
    assert read_record(tmp_path / NAME)["url"].tolist()[-1] == "v"


@pytest.mark.parametrize("cut", [0, 5, 40])
def test_a_kill_before_the_first_row(cut, tmp_path):
    (tmp_path / NAME).write_text(",".join(COLUMNS)[:cut])
    with Record(tmp_path) as record:
        record.add(row("u"))
    assert read_record(tmp_path / NAME)["url"].tolist() == ["u"]


def test_one_row_is_one_line_whatever_it_says(tmp_path):
    with Record(tmp_path) as record:
        record.add(row("u", device='a "b",\r\n c', reason="x\ny"))
        lines = (tmp_path / NAME).read_text().splitlines()
        assert len(lines) == 2
    assert read_record(tmp_path / NAME).loc[0, "device"] == 'a "b", c'


def test_one_run_at_a_time(tmp_path):
    with Record(tmp_path), pytest.raises(InputError, match=r"another collection into .* is running"):
        Record(tmp_path)
    with Record(tmp_path):
        pass


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"\xff\xfe\n", b"a\n1,2,3\n1,2,3,4\n"])
def test_what_is_no_record_is_refused_and_left_alone(content, tmp_path):
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(InputError, match="is not a record") as caught:
        Record(tmp_path)
    assert "\n" not in str(caught.value)
    assert (tmp_path / NAME).read_bytes() == content


def test_devices_are_of_what_was_kept(tmp_path):
    assert devices(tmp_path) == {}
    with Record(tmp_path) as record:
        record.add(row("u", path="train/a/1.jpg", device="me"))
        record.add(row("v", path="train/a/2.jpg"))
        record.add(row("w", "refused", device="me"))
    assert devices(tmp_path) == {"train/a/1.jpg": "me"}


def test_the_summary_counts(tmp_path):
    with Record(tmp_path) as record:
        record.add(row("u"))
        record.add(row("v", "failed", reason="HTTP 500"))
    told = summary(tmp_path)
    assert [line.split() for line in told.splitlines()[1:4]] == [
        ["camera"],
        ["a", "1", "0", "1", "2"],
        ["all", "1", "0", "1", "2"],
    ]
    assert "HTTP 500" in told
