"""Train and predict all members of a run, and of its folds: several at a time in processes, or on a cluster.

Building and tracing the graph of a backbone takes up to two minutes on one core. Trainings that run side by side keep
the other cores busy meanwhile. On an accelerator, they run one after another.

Tested by tests/commands/test_main_job.py and tests/commands/test_folds.py.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from competition.utils.errors import InputError
from competition.utils.parallel import parallel_map
from competition.utils.progress import PROGRESS_FILE, State, format_duration, write_progress
from models.members import smallest_patch
from models.training.options import NO_OPTIONS, TrainingOptions
from submissions.blending import merge_folds
from submissions.progress.watch import Job, watch
from submissions.progress.work import START, seconds, slowdown
from submissions.run import FRONT_END, Run, open_run

Unit = tuple[Run, str]  # a run or one of its parts, and a member or the shared front end: what one process trains
POLL = 0.5  # seconds
LOG = "log.txt"
WORK = "import sys; from submissions.train_run import train_place; train_place(sys.argv[1])"
ENVIRONMENT = {  # of the processes; they share the cores, so each has one thread
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",  # page faults of large arrays cost a quarter of the time
}


def train_run(run: Run, processes: int, on_cluster: bool = False, options: TrainingOptions = NO_OPTIONS) -> None:
    """Train and predict every member of a run that is not finished yet, for every fold if the run has folds.

    Args:
        run: a run that was started, see `submissions.run.start_run`.
        processes: number of trainings that run at the same time on this machine.
        on_cluster: run each training on a worker of the current cluster, see `competition.utils.parallel.cluster`. The
            workers need the folder of the run at the same path. If a worker dies, another one continues its training
            after the last complete epoch.
        options: what each training writes beside its result.

    Raises:
        InputError: a training failed for a reason that the user can fix, or a process was killed.
    """
    from submissions.confidence.activations import save_activations
    from submissions.members import finish_training, prepare_training

    if run.folds:
        prepare_training(run)
    if run.shared_front_end is not None:
        _train_all([(part, FRONT_END) for part in run.parts], processes, on_cluster, options)
    units = [(part, member) for part in run.parts for member in part.members]
    # Members that need large maps take longest, so they start first.
    _train_all(sorted(units, key=lambda unit: -smallest_patch(unit[1])), processes, on_cluster, options)
    finish_training(run)
    merge_folds(run)
    if run.task.camera:
        save_activations(run)


def _train_all(units: Sequence[Unit], processes: int, on_cluster: bool, options: TrainingOptions) -> None:
    unfinished = [unit for unit in units if not _is_finished(*unit)]
    try:
        if on_cluster:
            places = [(part.whole.folder.resolve(), part.fold, name) for part, name in unfinished]
            for _ in parallel_map(partial(_train_on_worker, options=options), places, processes, "trainings", chunk=1):
                pass
        elif min(processes, len(unfinished)) > 1:
            _train_in_processes(unfinished, processes, options)
        else:
            _train_in_turn(unfinished, options)
    finally:
        for unit in units:  # also those that are finished: a killed process leaves the file behind
            Job(*unit).file.unlink(missing_ok=True)


def _train_in_turn(units: Sequence[Unit], options: TrainingOptions) -> None:
    """Train units one after another in this process, and print how long the others will take."""
    jobs, begin = [Job(*unit) for unit in units], time.monotonic()
    expected = [seconds(job.stages) for job in jobs]
    for number, (run, name) in enumerate(units, 1):
        _train(run, name, options)
        if number < len(units):
            left = sum(expected[number:]) * slowdown(time.monotonic() - begin, sum(expected[:number]))
            print(f"{name} is finished, {number} of {len(units)}; about {format_duration(left)} left")


def _train(run: Run, name: str, options: TrainingOptions) -> None:
    """Train and predict one member, or the shared front end, of a run or of one of its parts."""
    from submissions.members import predict_member, train_front_end, train_member

    if name == FRONT_END:
        train_front_end(run, options)
    else:
        train_member(run, name, options)
        predict_member(run, name)


def _is_finished(run: Run, name: str) -> bool:
    heads = run.targets.all_heads
    return all(run.predictions_file(name, split, head).exists() for split in run.images for head in heads)


def _open_part(folder: Path, fold: int | None) -> Run:
    run = open_run(folder)
    return run if fold is None else run.parts[fold]


def _log_file(run: Run, name: str) -> Path:
    folder = run.front_end_folder if name == FRONT_END else run.member_folder(name)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / LOG


def _train_on_worker(place: tuple[Path, int | None, str], options: TrainingOptions) -> None:
    """Train a unit on a worker of a cluster, in a process of its own. Messages go to log.txt in the unit's folder.

    The other threads of a worker draw from Python's random numbers, which would change the initial weights.
    """
    folder, fold, name = place
    command = [sys.executable, "-c", WORK, json.dumps([str(folder), fold, name, asdict(options)])]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}, check=False
    )
    if done.returncode:
        log = _log_file(_open_part(folder, fold), name)
        *_, reason = ["it wrote no message", *log.read_text().splitlines()] if log.exists() else ["it did not start"]
        raise InputError(f"a training failed on a worker: {reason.removeprefix('error: ')}; see {log}")


def train_place(place: str) -> None:
    """Train the unit that `_train_on_worker` describes as JSON, in the process that it started."""
    folder, fold, name, options = json.loads(place)
    _watch_parent(os.getppid())
    try:
        _train_in_process(Path(folder), fold, name, TrainingOptions(**options))
    except InputError as error:
        sys.exit(f"error: {error}")


def _train_in_processes(units: Sequence[Unit], processes: int, options: TrainingOptions) -> None:
    jobs = [Job(*unit) for unit in units]
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    os.environ.update(ENVIRONMENT)  # a new process reads them before it loads a framework
    try:
        context = get_context("spawn")
        with ProcessPoolExecutor(min(processes, len(units)), context, _watch_parent, (os.getpid(),)) as pool:
            futures = [
                pool.submit(_train_in_process, part.whole.folder, part.fold, name, options) for part, name in units
            ]
            try:
                watch(jobs, futures, processes)
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


def _train_in_process(folder: Path, fold: int | None, name: str, options: TrainingOptions) -> None:
    """Train a unit in a process of its own. Its output goes to log.txt in its folder."""
    run = _open_part(folder, fold)
    with _log_file(run, name).open("a") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    os.environ[PROGRESS_FILE] = str(Job(run, name).file)
    write_progress(State(START, 0, 0, ""), os.environ[PROGRESS_FILE])
    _train(run, name, options)


def _watch_parent(parent: int) -> None:
    """End this process when its parent is gone, even if it was killed: nobody else would."""

    def end() -> None:
        while os.getppid() == parent:
            time.sleep(POLL)
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()
