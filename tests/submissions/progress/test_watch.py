"""Members of other processes are watched through the files that they write; here, nothing is trained."""

import io
from concurrent.futures import Future

import pytest

from competition.utils.progress import QUIET, State, write_progress
from submissions.progress import watch as watch_module
from submissions.progress.watch import Job, take_snapshot, watch
from submissions.progress.work import START, Stage

STAGES = (Stage(START, "starting", 20), Stage("members/x", "training", 60), Stage("x, test", "predicting test", 20))


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def jobs(make_run, monkeypatch):
    """Four jobs of 100 seconds: the first two run."""
    monkeypatch.delenv(QUIET, raising=False)
    monkeypatch.setattr(watch_module, "stages_left", lambda run, name: STAGES)
    monkeypatch.setattr(watch_module, "POLL", 0.01)
    run = make_run()
    found = [Job(run, name) for name in ("resnet50", "mobilenet", "densenet201", "dctnet")]
    write_progress(State("members/x", 3, 4, "step"), found[0].file)
    write_progress(State(START, 0, 0, ""), found[1].file)
    return found


def test_a_snapshot_weighs_stages_and_schedules_what_is_left(jobs):
    now = take_snapshot(jobs, [False] * 4, processes=2)
    assert (now.finished, now.total) == (20 + 45, 400)
    assert list(now.running) == [0, 1]
    assert now.left == 200  # 35 + 100 in one process, 100 + 100 in the other
    now = take_snapshot(jobs, [True, False, False, False], processes=2)
    assert now.finished == 100
    assert list(now.running) == [1]


def run_all(jobs, monkeypatch):
    """Watch the jobs while each finishes at one more look."""
    futures: list[Future[None]] = [Future() for _ in jobs]
    snapshot = watch_module.take_snapshot

    def look(jobs, is_done, processes):
        now = snapshot(jobs, is_done, processes)
        next(future for future in futures if not future.done()).set_result(None) if not all(is_done) else None
        return now

    monkeypatch.setattr(watch_module, "take_snapshot", look)
    watch(jobs, futures, processes=2)


def test_a_terminal_shows_a_bar_with_the_time_that_is_left(jobs, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    run_all(jobs, monkeypatch)
    text = terminal.getvalue()
    assert "16%|" in text and "100%|" in text
    assert "about 2 min left · resnet50 training 3/4 · mobilenet starting" in text


def test_a_pipe_gets_a_line_for_each_stage(jobs, monkeypatch, capsys):
    run_all(jobs, monkeypatch)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "resnet50 training (16 % done in 0 s, about 2 min left)"
    assert lines[1] == "mobilenet starting (16 % done in 0 s, about 2 min left)"
    assert len(lines) == 2  # the others never write a state


def test_quiet_shows_nothing(jobs, monkeypatch, capsys):
    monkeypatch.setenv(QUIET, "1")
    run_all(jobs, monkeypatch)
    assert capsys.readouterr().err == ""


def test_a_failed_job_ends_the_watch(jobs):
    futures: list[Future[None]] = [Future() for _ in jobs]
    futures[1].set_exception(ValueError("failed"))
    watch(jobs, futures, processes=2)
