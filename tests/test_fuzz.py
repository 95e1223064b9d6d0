"""Mutated files are read or refused with an InputError; `benchmarks.fuzz` tries many more of them, and commands."""

import numpy as np
import pytest

from benchmarks import fuzz_targets
from competition.utils.errors import InputError

READERS = (
    "jpg",
    "png",
    "tif",
    "bmp",
    "config.json",
    "tokens.json",
    "manifest.csv",
    "urls.csv",
    "predictions",
)
CASES = 25  # of each reader


@pytest.fixture(scope="module")
def targets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    for name in ("home", "output"):
        (folder / name).mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder / "home")
        patch.setattr("submissions.run.environment", dict)
        return {target.name: target for target in fuzz_targets.make_targets(folder)}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", READERS)
def test_mutated_files_are_read_or_refused(name, targets):
    target = targets[name]
    target.file.write_bytes(target.seeds[0])
    target.read(target.file)
    refused = 0
    for case in range(CASES):
        rng = np.random.default_rng((7, case))
        mutate = target.mutations[case % len(target.mutations)]
        target.file.write_bytes(mutate(target.seeds[case % len(target.seeds)], rng))
        try:
            target.read(target.file)
        except InputError as error:
            assert "\n" not in str(error)
            refused += 1
    target.file.write_bytes(target.seeds[0])
    assert refused > 0
