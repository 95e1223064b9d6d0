"""Wrong calls end at once: one line that names the fix, exit code 2, nothing written, and no framework loaded.

One process makes all calls, so that it can be checked which modules they import. They are not timed: what takes seconds
is the start of a framework, and the reading of photos, of which the folder has none that can be read.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from competition.utils.errors import suggest, unknown_name
from models.presets import classifier_recipe, dual_encoder_recipe
from submissions.run_config import FORMAT_VERSION, as_json

ROOT = Path(__file__).parents[2]
FRAMEWORKS = {"tensorflow", "keras", "torch", "jax"}
CALLS = {  # a call: a part of its error
    # commands and options
    "": "the following arguments are required: COMMAND",
    "trian": "unknown command 'trian'; known: train, predict",
    "traine": "did you mean 'train'?",
    "train": "the following arguments are required: MEMBER|ensemble|exif-language",
    "train ensemble --presset quick": "unrecognized arguments: --presset quick; did you mean '--preset'?",
    "train ensemble --epochs 0": "--epochs: received '0', expected a whole number of at least 1",
    "train ensemble --epochs": "--epochs: expected one argument",
    "train ensemble --learning-rate nan": "--learning-rate: received 'nan', expected a number above 0",
    "train ensemble --jobs 0": "--jobs: received '0', expected a whole number of at least 1",
    "leaderboard --jsn": "unrecognized arguments: --jsn; did you mean '--json'?",
    # members, presets, tasks, front ends, weights and patches
    "train resnet5": "unknown member 'resnet5'; known: resnet50",
    "train mobilnet": "did you mean 'mobilenet'?",
    "train ensemble --members resnet50,convnt": "unknown member 'convnt'; known: resnet50",
    "train resnet50 --members resnet50": "--members only applies to ensemble, received it with resnet50; remove",
    "train ensemble --preset quik": "unknown preset 'quik'; known: full, paper, quick, smoke; did you mean 'quick'?",
    "train ensemble --data photos --preset fulll": "did you mean 'full'?",
    "train ensemble --task camra": "did you mean 'camera'?",
    "train ensemble --task settings --edges papr": "did you mean 'paper'?",
    "train mobilenet --front-end dctt": "unknown --front-end 'dctt'; known: none, dct",
    "train mobilenet --data photos --front-end high_pas": "did you mean 'high_pass'?",
    "train mobilenet --front-end dct --weights imagenet": "expect three channels: use --front-end none",
    "train mobilenet --data photos --weights mine.keras": "mine.keras do not exist; expected imagenet, none",
    "train mobilenet --patch 31": "mobilenet needs patches of at least 32 pixels, received 31",
    "train mobilenet --patch 100": "a side that is a multiple of 8 pixels, received 100; use 96",
    "train ensemble --bins 3": "--bins only applies with --task settings or --task camera,settings; remove the option",
    "train convnet --backbone resnet50": "--backbone only applies to exif-language",
    "train exif-language --members convnet": "--members does not apply to exif-language; remove the option",
    "train exif-language --preset full": "unknown preset 'full'; known: paper, quick, smoke",
    "train exif-language --backbone resnet5": "did you mean 'resnet50'?",
    "train ensemble --log tensorbord": "unknown --log 'tensorbord'; known: tensorboard, wandb, mlflow; did you mean",
    "train ensemble --config absent.yaml": "the file absent.yaml does not exist; expected options in YAML",
    "train --config wrong.yaml": "unknown option in wrong.yaml 'presett'; known: train, ",
    "experiment output-formt": "did you mean 'output-format'?",
    "experiment output-format --member statne": "did you mean 'statnet'?",
    # folders of photos
    "train ensemble --data absent": "absent does not exist; expected train/<camera>/*.jpg in it",
    "train exif-language --data absent": "absent does not exist",
    "experiment output-format --data absent": "absent does not exist",
    # runs
    "train convnet --data photos --run ../x": "--run: received '../x', expected a name without slashes, such as 'x'",
    "train convnet --data photos --run runs/a/b": "expected a name without slashes, such as 'b'",
    "train convnet --data photos --run /tmp": "expected a name without slashes, such as 'tmp'",
    "train convnet --preset smoke --data photos --run job --seed 1": "was made with other settings: ",
    "predict jb photos": "runs/jb is not a trained run; runs has the runs runs/exif, runs/job; did you mean",
    "submit jb": "unknown run 'runs/jb'; known: runs/exif, runs/job; did you mean 'runs/job'?",
    "submit exif": "runs/exif is an exif-language run; pass a run of cameras or settings",
    "submit job --blend cubic": "unknown blend 'cubic'; known: arithmetic, quadratic, geometric",
    "submit job --balance exat": "did you mean 'exact'?",
    "submit job --quota 5": "--quota only applies with --balance greedy, exact or soft; remove it",
    "leaderboard runs/jobb": "did you mean 'runs/job'?",
    "shakeup job absent": "unknown run 'runs/absent'; known: runs/exif, runs/job",
    "splice photos --run job": "runs/job is not an exif-language run; pass a folder made by `train exif-language`",
    "splice absent.jpg --run exif": "none of the 1 photos or folders exists, such as absent.jpg; check the paths",
    "splice photos --run exif --count 61": "expected a count of 1 to 60 patches along a side, received 61",
    "splice photos --method cutt": "unknown --method 'cutt'; known: shift, cut; did you mean 'cut'?",
    "evaluate-splices job": "runs/job is not an exif-language run",
    "evaluate-splices exif --dataset columbi": "did you mean 'columbia'?",
    "evaluate-splices exif --dataset columbia": "needs the folder of the data set; pass it with --root DIR",
    "probe job --target camera": "runs/job is not an exif-language run",
    "probe exif --target camra": "unknown target 'camra'; known: camera, make",
    # outputs that cannot be written
    "experiment output-format --out note.txt/x": "cannot be written, because note.txt is a file; give another path",
    "submit job --out photos": "photos is a folder, expected a file; give another path",
    "inspect job --out note.txt": "note.txt cannot be written, because note.txt is a file",
    "splice photos --run exif --out note.txt": "note.txt cannot be written",
    "virtual --out note.txt/x": "note.txt/x cannot be written",
    # other commands
    "virtual --size smal": "unknown size 'smal'; known: smoke, small",
    "virtual --splices --sheet x.png": "--sheet does not apply to --splices; leave one of them out",
    "collect --out x": "one of the arguments --list --flickr is required",
    "collect --flickr iPhone-6 --out x": "FLICKR_API_KEY is not set; get a key at",
    "collect --list absent.csv --out x": "absent.csv does not exist",
    "doctor photos --out doctor.csv --without rulee": "unknown rule 'rulee'; known: ",
    "prepare absent --out x": "absent",
}
CODE = """
import io, json, shlex, sys
from contextlib import redirect_stderr, redirect_stdout
from commands.__main__ import main

results = {}
for call in json.loads(sys.stdin.read()):
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main(shlex.split(call))
        except SystemExit as exit:
            code = exit.code
    results[call] = code, err.getvalue(), sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps(results))
"""


def write_config(folder, **values):
    folder.mkdir(parents=True)
    config = {"format_version": FORMAT_VERSION, "seed": 0, **values}
    (folder / "config.json").write_text(json.dumps(config))


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Code, standard error and imported packages of every call; the folder must stay as it is."""
    from dataclasses import asdict

    from competition.manifest import write_manifest
    from submissions.tasks import Task

    home = tmp_path_factory.mktemp("home")
    for name in ("cat", "dog"):
        (home / "photos" / "train" / name).mkdir(parents=True)
        (home / "photos" / "train" / name / "0.jpg").write_bytes(b"not a photo")
    (home / "note.txt").write_text("a file, where a folder is needed")
    (home / "wrong.yaml").write_text("train: ensemble\npresett: quick\n")
    recipes = {"convnet": asdict(classifier_recipe("smoke", "convnet"))}
    data = str(home / "photos")
    write_config(
        home / "runs" / "job", **as_json({"data": data, "photos": None, "task": asdict(Task()), "recipes": recipes})
    )
    write_manifest(make_manifest(), home / "runs" / "job" / "manifest.csv")
    recipe = as_json(asdict(dual_encoder_recipe("smoke")))
    write_config(home / "runs" / "exif", kind="exif-language", data=data, recipe=recipe)
    (home / "runs" / "exif" / "image.keras").touch()
    before = sorted(home.rglob("*"))
    process = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=home,
        env=environment(),
        input=json.dumps(list(CALLS)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert sorted(home.rglob("*")) == before
    return json.loads(process.stdout)


def make_manifest():
    import pandas as pd

    from competition.manifest import COLUMNS

    rows = [
        {"path": f"train/{camera}/{split}.jpg", "camera": camera, "width": 96, "height": 96, "split": split}
        for camera in ("cat", "dog")
        for split in ("train", "validation")
    ]
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def environment():
    import os

    kept = {name: value for name, value in os.environ.items() if name not in ("FLICKR_API_KEY", "CAMERA_PROGRAM")}
    return kept | {"PYTHONPATH": str(ROOT)}


def test_there_are_at_least_forty_wrong_calls():
    assert len(CALLS) >= 40


@pytest.mark.parametrize("call", CALLS)
def test_wrong_call_ends_in_one_line_that_names_the_fix(call, results):
    code, error, _ = results[call]
    lines = [line for line in error.splitlines() if not line.startswith("warning: ")]
    assert code == 2
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert CALLS[call] in lines[0]


@pytest.mark.parametrize("call", CALLS)
def test_wrong_call_loads_no_framework(call, results):
    assert not FRAMEWORKS & set(results[call][2])


@pytest.mark.parametrize(
    ("name", "known", "suggestion"),
    [
        ("quik", ["full", "quick"], "; did you mean 'quick'?"),
        ("ISO", ["iso", "aperture"], "; did you mean 'iso'?"),
        ("vgg16", ["resnet50", "mobilenet"], ""),
        ("", ["resnet50"], ""),
    ],
)
def test_the_most_similar_name_is_suggested(name, known, suggestion):
    assert suggest(name, known) == suggestion


def test_an_empty_registry_is_named():
    assert str(unknown_name("run", "a", [])) == "unknown run 'a'; known: none"
