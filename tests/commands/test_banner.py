import pytest

from commands import banner as banner_module
from commands.banner import banner
from models.presets import classifier_recipe
from submissions.progress import work
from submissions.run import Run
from submissions.tasks import Task


@pytest.fixture
def run(photo_folder, tmp_path, monkeypatch):
    from submissions.run import open_run, start_run

    data = photo_folder(tmp_path / "photos")
    recipes = {"dctnet": classifier_recipe("smoke", "dctnet")}
    requested = Run(tmp_path / "runs" / "job", data, recipes, 0, Task())
    start_run(requested, 1)
    return open_run(requested.folder)


def test_the_banner_names_run_preset_device_and_measured_time(run, monkeypatch):
    monkeypatch.setattr(work, "TIMES", {"dctnet": work.Times(600, 0, 0)})
    lines = banner(run, "smoke", 2).splitlines()
    assert lines[0] == f"run {run.folder}: 3 cameras, 18 train, 3 validation images"
    assert lines[1] == "preset   smoke: dctnet; patches of 64 pixels"
    assert lines[2].startswith("device   cpu:0 (tensorflow), ")
    assert lines[3].startswith("time     about 10 min on cores as in docs/command-line.md")


@pytest.mark.parametrize("is_known", ["members", "device"])
def test_no_time_is_invented(is_known, run, monkeypatch):
    if is_known == "members":
        monkeypatch.setattr("models.training.backend.has_gpu", lambda: True)
    else:
        monkeypatch.setattr(work, "TIMES", {"resnet50": work.Times(600, 0, 0)})
    assert banner_module.expected_time(run, 1).startswith("not measured for this device and these members")
