"""Watch members that train in other processes, and show how far all of them are together."""

import sys
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tqdm import tqdm

from competition.utils.progress import State, format_duration, hide_bars, is_quiet, read_progress
from submissions.progress.work import Stage, duration, finished_seconds, seconds, slowdown, stages_left
from submissions.run import FRONT_END, Run

POLL = 0.5  # seconds
FILE = "progress.json"  # in the folder of a member, while it trains


@dataclass(frozen=True)
class Job:
    """One member of a run or of a part of it, or the front end, that a process trains and predicts."""

    run: Run
    name: str

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """What is left to do when the job is first looked at."""
        return stages_left(self.run, self.name)

    @property
    def file(self) -> Path:
        """Where the process writes its progress."""
        folder = self.run.front_end_folder if self.name == FRONT_END else self.run.member_folder(self.name)
        return folder / FILE

    def describe(self, state: State) -> str:
        """Return, for example, `resnet50 training 24/48`."""
        labels = {stage.title: stage.label for stage in self.stages}
        name = self.name if self.run.fold is None else f"fold {self.run.fold} {self.name}"
        count = f" {state.done}/{state.total}" if state.total else ""
        return f"{name} {labels.get(state.title, state.title)}{count}"


@dataclass(frozen=True)
class Snapshot:
    """How far all jobs are: seconds of work on one core, and the states of the jobs that run."""

    finished: float
    total: float
    left: float
    running: dict[int, State]


def take_snapshot(jobs: Sequence[Job], is_done: Sequence[bool], processes: int) -> Snapshot:
    """Read how far the jobs are. `left` is the time that they still need together on `processes` cores."""
    states = [None if done else read_progress(job.file) for job, done in zip(jobs, is_done, strict=True)]
    totals = [seconds(job.stages) for job in jobs]
    finished = [
        total if done else finished_seconds(job.stages, state)
        for job, done, total, state in zip(jobs, is_done, totals, states, strict=True)
    ]
    running = {index: state for index, state in enumerate(states) if state is not None}
    waiting = [total for total, done, state in zip(totals, is_done, states, strict=True) if not done and state is None]
    left = duration([totals[index] - finished[index] for index in running], waiting, processes)
    return Snapshot(sum(finished), sum(totals), left, running)


def watch(jobs: Sequence[Job], futures: Sequence["Future[None]"], processes: int) -> None:
    """Show the progress of all jobs until all are finished or one has failed.

    On a terminal, this is a bar with the time that is left. In a file or a pipe, it is one line for every stage that
    a job begins.
    """
    begin = last = time.monotonic()
    spent, pending, begun = 0.0, set(futures), dict[int, str]()
    layout = "{percentage:3.0f}%|{bar:20}| {elapsed}{postfix}"
    with tqdm(total=100, bar_format=layout, disable=hide_bars()) as bar:
        while pending and not any(future.done() and future.exception() for future in futures):
            _, pending = wait(pending, POLL, FIRST_EXCEPTION)
            now = take_snapshot(jobs, [future.done() for future in futures], processes)
            spent, last = spent + (time.monotonic() - last) * len(now.running), time.monotonic()
            left = format_duration(now.left * slowdown(spent, now.finished))
            percent = 100 * now.finished / now.total if now.total else 100.0
            described = {index: jobs[index].describe(state) for index, state in now.running.items()}
            bar.set_postfix_str(" · ".join([f"about {left} left", *described.values()]), refresh=False)
            bar.update(percent - bar.n)
            bar.refresh()
            if is_quiet() or not bar.disable:
                continue
            for index, state in now.running.items():
                if begun.get(index) != state.title:
                    begun[index] = state.title
                    stage = jobs[index].describe(State(state.title, 0, 0, state.unit))
                    elapsed = format_duration(last - begin)
                    print(
                        f"{stage} ({percent:.0f} % done in {elapsed}, about {left} left)", file=sys.stderr, flush=True
                    )
