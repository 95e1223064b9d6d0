"""Hostile input: mutated files given to every reader and to commands.

    python -m benchmarks.fuzz
    python -m benchmarks.fuzz --cases 100000 --seed 1 --targets jpeg "command doctor"

A case mutates one file (see `benchmarks.mutations`) and gives it to a reader or a command. It survives if the reader
returns or raises `InputError`, or the command exits with 0 or 2, within `--seconds` and `--memory`, without writing
outside its output folder, and without running code from the file. An audit hook watches every file that Python opens
for writing, every process and every unpickled object. The cases run one after another in a process of their own, which
is started again after a case that kills it or does not end.

Prints the numbers of cases that were tried and that survived, the slowest case and the largest memory; then each failed
case with its number. `--first N --cases 1` repeats case N. The exit code is 1 if a case failed.
"""

import argparse
import os
import resource
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from benchmarks.fuzz_targets import Target

RUNS_CODE = {"os.system", "os.exec", "os.fork", "os.posix_spawn", "subprocess.Popen", "socket.connect", "marshal.loads"}
RUNS_CODE.add("pickle.find_class")
CHANGES_FILES = {"os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod"}


@dataclass(frozen=True)
class Result:
    """The result of a case. `failure` is None if it survived."""

    case: int
    target: str
    seconds: float  # of processor time
    memory: int  # MiB: the largest resident memory of the process so far
    refused: bool
    failure: str | None = None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=60, help="limit of the time of a case")
    parser.add_argument("--memory", type=float, default=4, help="GiB that a case may allocate")
    parser.add_argument("--targets", nargs="+", help="names of targets; default: all")
    options = parser.parse_args()
    results: list[Result] = []
    while len(results) < options.cases:
        results += run_process(options, options.first + len(results), options.cases - len(results))
    failed = [result for result in results if result.failure]
    counts = Counter(result.target for result in results)
    slowest = max(results, key=lambda result: result.seconds)
    print(f"{len(results)} tried, {len(results) - len(failed)} survived, of which")
    print(f"{sum(result.refused for result in results)} were refused with a message and exit code 2")
    print(f"slowest: {slowest.seconds:.2f} s of processor time, case {slowest.case}, {slowest.target}")
    print(f"largest memory of the process: {max(result.memory for result in results)} MiB")
    print("cases: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    for result in failed:
        print(f"case {result.case}, {result.target}: {result.failure}")
    return int(bool(failed))


def run_process(options: argparse.Namespace, first: int, count: int) -> list[Result]:
    """Run cases in a process until all are done or one ends it; returns their results."""
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    with tempfile.TemporaryDirectory() as folder:
        arguments = (sender, Path(folder), first, count, options.seed, options.memory, options.targets)
        process = context.Process(target=work, args=arguments)
        process.start()
        sender.close()
        receiver.recv()  # the process is ready
        results: list[Result] = []
        failure = None
        started = time.monotonic()
        while len(results) < count and failure is None:
            if not receiver.poll(options.seconds):
                failure = f"does not end within {options.seconds} s"
                break
            try:
                results.append(receiver.recv())
            except EOFError:
                process.join()
                failure = f"the process ended with code {process.exitcode}"
            started = time.monotonic()
        process.kill()
        process.join()
    if failure is not None:
        case = first + len(results)
        results.append(Result(case, "?", time.monotonic() - started, 0, refused=False, failure=failure))
    return results


def work(
    sender: Connection, folder: Path, first: int, count: int, seed: int, memory: float, targets: Sequence[str] | None
) -> None:
    """Run cases in this process, and send the result of each. The working directory becomes a new folder."""
    os.environ["TMPDIR"] = str(folder / "output")
    tempfile.tempdir = None
    for name in ("output", "home"):
        (folder / name).mkdir()
    os.chdir(folder / "home")
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        known = {target.name: target for target in _make_targets(folder, targets)}
        chosen = [known[name] for name in targets or known]
        shares = np.array([target.share for target in chosen])
        watch = _Watch(folder / "output")
        for target in chosen:  # a valid file is accepted, and everything is imported before the hook watches
            target.file.write_bytes(target.seeds[0])
            _, failure = watch.run(partial(target.read, target.file))
            if failure:
                raise RuntimeError(f"{target.name}, a valid file: {failure}")
        sys.addaudithook(watch.hook)
        _limit_memory(memory)
        sender.send("ready")
        for case in range(first, first + count):
            rng = np.random.default_rng((seed, case))
            target = chosen[int(rng.choice(len(chosen), p=shares / shares.sum()))]
            mutate = target.mutations[int(rng.integers(len(target.mutations)))]
            original = target.seeds[int(rng.integers(len(target.seeds)))]
            for made in (folder / "output").iterdir():
                shutil.rmtree(made) if made.is_dir() else made.unlink()
            target.file.write_bytes(mutate(original, rng))
            before = set(folder.rglob("*"))
            start = time.process_time()
            refused, failure = watch.run(partial(target.read, target.file))
            seconds = time.process_time() - start
            strange = [path for path in set(folder.rglob("*")) - before if folder / "output" not in path.parents]
            if strange and failure is None:
                failure = f"made {strange[0]}"
            target.file.write_bytes(target.seeds[0])
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            sender.send(Result(case, target.name, seconds, peak, refused, failure))


def _make_targets(folder: Path, names: Sequence[str] | None) -> "list[Target]":
    """Make the files of all targets; those that need the framework only if `names` has one of them."""
    import submissions.run
    from benchmarks import fuzz_targets

    submissions.run.environment = dict  # which would load the framework
    made = fuzz_targets.make_targets(folder)
    if names is not None and {target.name for target in made}.issuperset(names):
        return made
    from benchmarks import fuzz_models

    return made + fuzz_models.make_targets(folder / "home")


class _Watch:
    """An audit hook that notes what a case must not do."""

    def __init__(self, output: Path) -> None:
        self.output, self.active, self.found = str(output), False, ""

    def hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.active or self.found:
            return
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if writes or event in CHANGES_FILES:
            path = arguments[0]
            if isinstance(path, str | bytes | os.PathLike) and not self._is_allowed(os.fsdecode(path)):
                self.found = f"{event} {os.fsdecode(path)}"
        elif event in RUNS_CODE and not _imports():
            self.found = f"{event} {arguments[:2]}"

    def run(self, read: Callable[[], object]) -> tuple[bool, str | None]:
        """Run a case; returns whether its file was refused, and what it did wrong, or None."""
        from competition.utils.errors import InputError

        self.active, self.found = True, ""
        try:
            result = read()
            refused = isinstance(result, int) and result == 2
            if isinstance(result, int) and result not in (0, 2):
                return False, f"exit code {result}"
        except InputError as error:
            refused = True
            if "\n" in str(error):
                return True, f"a message of several lines: {str(error)[:80]!r}"
        except BaseException as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            return False, f"{type(error).__name__}: {str(error)[:100]} ({place.filename}, line {place.lineno})"
        finally:
            self.active = False
        return refused, self.found or None

    def _is_allowed(self, path: str) -> bool:
        return str(Path.cwd() / path).startswith(self.output) or path == os.devnull


def _imports() -> bool:
    """Whether Python is importing a module, which also unmarshals code."""
    frame = sys._getframe(2)
    while frame is not None and frame.f_code.co_name != "run":
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


def _limit_memory(gibibytes: float) -> None:
    """Limit the address space to what this process uses now and so much more: larger requests raise MemoryError."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limit = used + int(gibibytes * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    sys.exit(main())
