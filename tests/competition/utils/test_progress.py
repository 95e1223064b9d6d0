import io

import pytest

from competition.utils import progress
from competition.utils.progress import (
    PROGRESS_FILE,
    QUIET,
    State,
    format_duration,
    progress_bar,
    read_progress,
    with_progress,
)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def loud(monkeypatch):
    monkeypatch.delenv(QUIET, raising=False)
    monkeypatch.delenv(PROGRESS_FILE, raising=False)
    monkeypatch.setattr(progress, "SHORT", 0.0)


def work(title="photos"):
    with progress_bar(title, 3, "photo", done=1) as bar:
        bar.update()
        bar.show(loss="0.5")
        bar.update()


def test_a_terminal_shows_a_bar(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    work()
    assert "3/3" in terminal.getvalue() and "loss=0.5" in terminal.getvalue()
    assert "photos: 2 photos in" not in terminal.getvalue()


def test_a_pipe_gets_one_line_at_the_end(capsys):
    work()
    assert capsys.readouterr().err == "photos: 2 photos in 0 s\n"
    assert list(with_progress([4], "items", 1, "item")) == [4]
    assert capsys.readouterr().err == "items: 1 item in 0 s\n"
    assert list(with_progress([4, 5], "predictions", 2, "batch")) == [4, 5]
    assert capsys.readouterr().err == "predictions: 2 batches in 0 s\n"


def test_short_work_gets_no_line(capsys, monkeypatch):
    monkeypatch.setattr(progress, "SHORT", 60.0)
    work()
    assert capsys.readouterr().err == ""


def test_quiet_shows_nothing(monkeypatch):
    monkeypatch.setenv(QUIET, "1")
    for stream in (Terminal(), io.StringIO()):
        monkeypatch.setattr("sys.stderr", stream)
        work()
        assert stream.getvalue() == ""


def test_another_process_can_read_the_progress(monkeypatch, tmp_path):
    path = tmp_path / "progress.json"
    assert read_progress(path) is None
    monkeypatch.setenv(PROGRESS_FILE, str(path))
    with progress_bar("photos", 3, "photo", done=1) as bar:
        assert read_progress(path) == State("photos", 0, 2, "photo")
        bar.update()
        assert read_progress(path) == State("photos", 0, 2, "photo")  # not written again within the interval
        bar.update()
        assert read_progress(path) == State("photos", 2, 2, "photo")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (59.7, "1 min"), (3599, "1 h 00 min"), (11100, "3 h 05 min")]
)
def test_durations_are_rounded(seconds, text):
    assert format_duration(seconds) == text
