"""Train and predict all members of a run, several at a time in processes of their own.

Building and tracing the graph of a backbone takes up to two minutes on one core. Members that train side by side keep
the other cores busy meanwhile. On an accelerator, members train one after another.

Tested by tests/commands/test_main_job.py.
"""

import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from tqdm import tqdm

from competition.utils.errors import InputError
from models.members import smallest_patch
from submissions.run import FRONT_END, Run, open_run

POLL = 0.5  # seconds
LOG = "log.txt"
ENVIRONMENT = {  # of the processes; they share the cores, so each has one thread
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",  # page faults of large arrays cost a quarter of the time
    "TQDM_DISABLE": "1",  # one bar in the main process instead
}


def train_run(run: Run, processes: int) -> None:
    """Train and predict every member of a run that is not finished yet.

    Args:
        run: a run that was started, see `submissions.run.start_run`.
        processes: number of members that train at the same time.

    Raises:
        InputError: a training failed for a reason that the user can fix, or a process was killed.
    """
    from submissions.members import finish_training, predict_member, train_front_end, train_member

    train_front_end(run)
    unfinished = [member for member in run.recipes if not _is_finished(run, member)]
    unfinished.sort(key=smallest_patch, reverse=True)  # those that need large maps take longest, so they start first
    if min(processes, len(unfinished)) > 1:
        _train_in_processes(run, unfinished, processes)
    else:
        for member in unfinished:
            train_member(run, member)
            predict_member(run, member)
    finish_training(run)


def _is_finished(run: Run, member: str) -> bool:
    heads = run.targets.all_heads
    return all(run.predictions_file(member, split, head).exists() for split in run.images for head in heads)


def _train_in_processes(run: Run, members: Sequence[str], processes: int) -> None:
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    os.environ.update(ENVIRONMENT)  # a new process reads them before it loads a framework
    try:
        with ProcessPoolExecutor(min(processes, len(members)), get_context("spawn"), _watch_parent) as pool:
            futures = [pool.submit(_train_and_predict, run.folder, member) for member in members]
            try:
                _show_progress(run, members, futures)
                for future in futures:
                    future.result()
            except BrokenProcessPool:
                raise InputError(
                    "a training process was killed, perhaps because the memory was full; give the same command again, "
                    "with --jobs 1 to train one member at a time"
                ) from None
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _train_and_predict(folder: Path, member: str) -> None:
    """Train and predict one member in a process of its own. Its output goes to log.txt in the member's folder."""
    run = open_run(folder)
    run.member_folder(member).mkdir(parents=True, exist_ok=True)
    with (run.member_folder(member) / LOG).open("a") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    from submissions.members import predict_member, train_member

    train_member(run, member)
    predict_member(run, member)


def _watch_parent() -> None:
    """End this process when its parent is gone, even if it was killed: nobody else would."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(POLL)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _show_progress(run: Run, members: Sequence[str], futures: Sequence["Future[None]"]) -> None:
    """Show the finished epochs and predictions of all members until all are finished or one has failed."""
    recipes = [run.recipes[member] for member in members]
    epochs = sum(
        recipe.epochs + (recipe.front_end_recipe.epochs if recipe.front_end_recipe else 0) for recipe in recipes
    )
    folders = [run.member_folder(member) for member in members]
    histories = [folder / name for folder in folders for name in ("history.csv", f"{FRONT_END}/history.csv")]
    head = next(iter(run.targets.all_heads))
    files = [run.predictions_file(member, split, head) for member in members for split in run.images]
    with tqdm(
        total=epochs + len(files), desc="members", bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}"
    ) as bar:
        pending: set[Future[None]] = set(futures)
        while pending and not any(future.done() and future.exception() for future in futures):
            _, pending = wait(pending, POLL, FIRST_EXCEPTION)
            finished = sum(map(_rows, histories)) + sum(file.exists() for file in files)
            bar.update(min(bar.total, finished) - bar.n)


def _rows(history: Path) -> int:
    return max(0, history.read_text().count("\n") - 1) if history.exists() else 0
