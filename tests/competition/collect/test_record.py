"""The record has one row per URL, and a kill loses no earlier row."""

from typing import Any

import pytest

from competition.collect.record import Record, summary
from competition.metadata.collected import COLUMNS, RECORD_NAME, Row, collected_devices, read_record
from competition.utils.errors import InputError

LINE = b",http://a/b,camera,device,own,list.csv,123,abcdef,kept,\n"


def row(url: str, status: str = "kept", **changes: str) -> Row:
    values: dict[str, Any] = dict.fromkeys(COLUMNS, "") | {
        "url": url,
        "status": status,
        "camera": "a",
        "licence": "own",
    }
    return Row(**(values | changes))


def test_a_later_row_replaces_an_earlier_row_of_the_same_url(tmp_path):
    with Record(tmp_path) as record:
        record.add(row("u", "failed", reason="HTTP 500"))
        record.add(row("v"))
        record.add(row("u", path="train/a/1.jpg"))
    table = read_record(tmp_path / RECORD_NAME)
    assert table["url"].tolist() == ["v", "u"]
    assert table["status"].tolist() == ["kept", "kept"]


def test_failed_urls_are_not_finished(tmp_path):
    with Record(tmp_path) as record:
        for status in ("kept", "refused", "failed"):
            record.add(row(status, status))
    with Record(tmp_path) as record:
        cameras = [record.finished_for(url) for url in ("kept", "refused", "failed", "other")]
    assert cameras == ["a", "a", None, None]


@pytest.mark.parametrize("keep", [*range(0, len(LINE), 7), len(LINE) - 1, len(LINE)])
def test_a_kill_within_a_line_loses_only_that_line(keep, tmp_path):
    with Record(tmp_path) as record:
        record.add(row("u"))
    before = (tmp_path / RECORD_NAME).read_bytes()
    (tmp_path / RECORD_NAME).write_bytes(before + LINE[:keep])
    with Record(tmp_path) as record:
        assert record.finished_for("u") == "a"
        assert record.finished_for("http://a/b") == ("camera" if keep == len(LINE) else None)
        record.add(row("v"))
    assert read_record(tmp_path / RECORD_NAME)["url"].tolist()[-1] == "v"


@pytest.mark.parametrize("cut", [0, 5, 40])
def test_a_header_that_a_kill_cut_off_is_repaired(cut, tmp_path):
    (tmp_path / RECORD_NAME).write_text(",".join(COLUMNS)[:cut])
    with Record(tmp_path) as record:
        record.add(row("u"))
    assert read_record(tmp_path / RECORD_NAME)["url"].tolist() == ["u"]


def test_line_breaks_in_a_field_become_spaces(tmp_path):
    with Record(tmp_path) as record:
        record.add(row("u", device='a "b",\r\n c', reason="x\ny"))
        lines = (tmp_path / RECORD_NAME).read_text().splitlines()
        assert len(lines) == 2
    assert read_record(tmp_path / RECORD_NAME).loc[0, "device"] == 'a "b", c'


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"\xff\xfe\n", b"a\n1,2,3\n1,2,3,4\n"])
def test_a_file_that_is_not_a_record_is_rejected_and_unchanged(content, tmp_path):
    (tmp_path / RECORD_NAME).write_bytes(content)
    with pytest.raises(InputError, match="is not a record") as caught:
        Record(tmp_path)
    assert "\n" not in str(caught.value)
    assert (tmp_path / RECORD_NAME).read_bytes() == content


def test_collected_devices_lists_kept_files_with_a_device(tmp_path):
    assert collected_devices(tmp_path) == {}
    with Record(tmp_path) as record:
        record.add(row("u", path="train/a/1.jpg", device="me"))
        record.add(row("v", path="train/a/2.jpg"))
        record.add(row("w", "refused", device="me"))
    assert collected_devices(tmp_path) == {"train/a/1.jpg": "me"}


def test_the_summary_counts_by_camera_status_and_reason(tmp_path):
    with Record(tmp_path) as record:
        record.add(row("u"))
        record.add(row("v", "failed", reason="HTTP 500"))
    lines = [line.split() for line in summary(tmp_path).splitlines()]
    assert [line for line in lines if line[:1] in (["camera"], ["a"], ["all"])] == [
        ["camera", "kept", "refused", "failed", "all"],
        ["a", "1", "0", "1", "2"],
        ["all", "1", "0", "1", "2"],
    ]
    assert ["HTTP", "500", "1"] in lines
