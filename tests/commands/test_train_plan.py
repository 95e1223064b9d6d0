"""The run that the options of `train` ask for, from the command line, a file of options, or config.json of a run."""

from dataclasses import replace
from pathlib import Path

import pytest

from commands.__main__ import make_parser
from commands.train_plan import plan_repetition, plan_run
from competition.utils.atomic_files import write_json
from competition.utils.errors import InputError
from models.presets import classifier_recipe
from submissions.run import Run, _config, open_run
from submissions.tasks import Task


def parse(*words):
    return make_parser().parse_args(["train", *map(str, words)])


@pytest.fixture
def old(photo_folder, tmp_path, monkeypatch):
    """The configuration of a run with two members, as it is written into its folder."""
    monkeypatch.chdir(tmp_path)
    photo_folder(tmp_path / "photos")
    recipes = {name: classifier_recipe("smoke", name, epochs=3) for name in ("dctnet", "mobilenet")}
    run = Run(Path("runs") / "old", tmp_path / "photos", recipes, 7, Task(), 15)
    write_json(_config(run), run.folder / "config.json")
    return run


def test_a_configuration_repeats_its_run(old):
    plan = plan_repetition(parse("--config", "runs/old/config.json"))
    assert plan.run == replace(old, folder=Path("runs/old-again"))
    assert (plan.source, plan.virtual_size, plan.fit_patches) == ("as in runs/old/config.json", None, False)


def test_options_of_the_command_line_win(old):
    words = ("--run", "new", "--seed", 0, "--members", "mobilenet", "--epochs", 1, "--batch", 4, "--photos", 9)
    run = plan_repetition(parse("--config", "runs/old/config.json", *words)).run
    assert (run.folder, run.seed, run.photos, list(run.recipes)) == (Path("runs/new"), 0, 9, ["mobilenet"])
    recipe = run.recipes["mobilenet"]
    assert (recipe.epochs, recipe.patches.batch_size) == (1, 4)
    assert recipe.front_end_recipe is not None
    assert recipe.front_end_recipe.patches.batch_size == 4  # as without --config, it also applies to the front end


def test_number_of_validation_photos_is_a_part_of_the_configuration(old):
    run = plan_repetition(parse("--config", "runs/old/config.json", "--validation-photos", 5, "--run", "few")).run
    assert run.validation_photos == 5
    write_json(_config(run), run.folder / "config.json")
    assert open_run(run.folder) == run
    with pytest.raises(InputError, match="--validation-photos does not apply with folds"):
        plan_run(parse("dctnet", "--preset", "smoke", "--data", old.data, "--validation-photos", 5, "--folds", 3))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--preset", "quick"], "--preset does not apply to a run that runs/old/config.json describes"),
        (["ensemble"], "leave out 'ensemble', or give --members"),
        (["--members", "dctnt"], "unknown member in runs/old/config.json 'dctnt'; known: dctnet, .*did you mean"),
        (["--data", "absent"], "absent does not exist"),
    ],
)
def test_options_that_do_not_fit_a_configuration_are_rejected(words, message, old):
    with pytest.raises(InputError, match=message):
        plan_repetition(parse("--config", "runs/old/config.json", *words))


def test_a_configuration_needs_its_name(old):
    Path("runs/old/config.json").rename("other.json")
    with pytest.raises(InputError, match=r"other\.json describes a run; expected the name config\.json"):
        plan_repetition(parse("--config", "other.json"))


def test_the_seed_is_zero_by_default(old):
    plan = plan_run(parse("dctnet", "--preset", "smoke", "--data", "photos"))
    assert (plan.run.seed, plan.run.folder) == (0, Path("runs/dctnet-smoke-photos"))
    assert (plan.source, plan.virtual_size, plan.fit_patches) == ("smoke", None, True)
    plan = plan_run(parse("dctnet", "--preset", "smoke", "--patch", 64))
    assert (plan.virtual_size, plan.fit_patches) == ("smoke", False)
