"""A run keeps its configuration, and unusable data is rejected before anything is written."""

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest

from competition.utils.errors import InputError
from models.presets import classifier_recipe
from submissions.run import Run, open_run, start_run
from submissions.tasks import Task


def make(folder, data, task="camera", seed=0, photos=None, **changes):
    recipes = {"mobilenet": classifier_recipe("smoke", "mobilenet", task, front_end="none", **changes)}
    return Run(folder / "runs" / "one", data, recipes, seed, Task(task), photos)


@pytest.fixture(scope="module")
def data(photo_folder, tmp_path_factory):
    return photo_folder(tmp_path_factory.mktemp("data") / "photos", test=2)


@pytest.fixture
def copy(photo_folder, tmp_path):
    """Photos for a test to damage."""
    return photo_folder(tmp_path / "photos", test=2)


def rejected(run, message):
    with pytest.raises(InputError, match=message):
        start_run(run, 1)
    assert not run.folder.exists()


def test_opened_run_equals_the_started_one(data, tmp_path):
    started = make(tmp_path, data, seed=3, photos=9)
    assert start_run(started, 1) == []
    assert open_run(started.folder) == started
    assert started.cameras == ("cat", "dog", "eel")
    assert {split: len(table) for split, table in started.images.items()} == {"validation": 6, "test": 12}


def test_photos_limits_the_training_photos_only(data, tmp_path):
    everything, few = make(tmp_path / "a", data), make(tmp_path / "b", data, photos=9)
    for run in (everything, few):
        start_run(run, 1)
    counts = [run.manifest["split"].value_counts().to_dict() for run in (everything, few)]
    assert counts == [{"train": 18, "validation": 3, "test": 12}, {"train": 9, "validation": 3, "test": 12}]
    assert set(few.manifest["path"]) < set(everything.manifest["path"])


def test_starting_again_with_the_same_configuration_changes_nothing(data, tmp_path):
    run = make(tmp_path, data)
    start_run(run, 1)
    before = {path: path.read_bytes() for path in run.folder.iterdir()}
    start_run(run, 1)
    assert {path: path.read_bytes() for path in run.folder.iterdir()} == before


def test_another_configuration_names_the_differences(data, tmp_path):
    run = make(tmp_path, data)
    start_run(run, 1)
    with pytest.raises(InputError, match=r"made with other settings: seed 0 \(now 1\); choose another --run NAME"):
        start_run(replace(run, seed=1), 1)


def test_moved_photos_are_accepted_if_they_agree_with_the_manifest(copy, tmp_path):
    run = make(tmp_path, copy)
    start_run(run, 1)
    before = {path.name: path.read_bytes() for path in run.folder.iterdir() if path.name != "config.json"}
    moved = copy.rename(tmp_path / "elsewhere")
    (message,) = start_run(replace(run, data=moved), 1)
    assert message == f"note: the photos of this run moved from {copy} to {moved}"
    assert open_run(run.folder) == replace(run, data=moved)
    assert {path.name: path.read_bytes() for path in run.folder.iterdir() if path.name != "config.json"} == before
    assert start_run(replace(run, data=moved), 1) == []


@pytest.mark.parametrize("change", ["removed", "replaced"])
def test_other_photos_are_not_the_moved_ones(change, copy, photo_folder, tmp_path):
    run = make(tmp_path, copy)
    start_run(run, 1)
    other = photo_folder(tmp_path / "other", test=2)
    photo = other / "train" / "dog" / "3.jpg"
    photo.unlink()
    if change == "replaced":
        shutil.copy(other / "train" / "cat" / "3.jpg", photo)
    config = (run.folder / "config.json").read_bytes()
    with pytest.raises(
        InputError, match=r"1 of 33 photos are missing in .*other or differ .* such as train/dog/3\.jpg"
    ):
        start_run(replace(run, data=other), 1)
    assert (run.folder / "config.json").read_bytes() == config


def test_unknown_run_lists_the_known_ones(data, tmp_path):
    start_run(make(tmp_path, data), 1)
    with pytest.raises(InputError, match=r"unknown run '.*runs/two'; known: .*runs/one"):
        open_run(tmp_path / "runs" / "two")


@pytest.mark.parametrize("version", [None, 1, 3])
def test_run_of_another_format_is_refused_in_one_line(data, tmp_path, version):
    run = make(tmp_path, data)
    start_run(run, 1)
    config = json.loads((run.folder / "config.json").read_text())
    assert config["format_version"] == 2
    del config["format_version"]
    (run.folder / "config.json").write_text(json.dumps(config | ({"format_version": version} if version else {})))
    message = f"has the format {version or '1 or none'}, expected 2: .* another --run NAME"
    for use in (lambda: open_run(run.folder), lambda: start_run(run, 1)):
        with pytest.raises(InputError, match=message) as caught:
            use()
        assert "\n" not in str(caught.value)


def test_damaged_configuration_raises(data, tmp_path):
    run = make(tmp_path, data)
    start_run(run, 1)
    config = json.loads((run.folder / "config.json").read_text())
    del config["seed"]
    (run.folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=r"config\.json is damaged \('seed'\)"):
        open_run(run.folder)
    (run.folder / "config.json").write_text(json.dumps({**config, "seed": "many"}))
    with pytest.raises(InputError, match=r"config\.json is damaged \(invalid literal"):
        open_run(run.folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"patch": 200}, r"33 photo\(s\) are smaller than a patch of 200 pixels, the first is "),
        ({"batch": 1000}, "18 training photos do not fill a batch of 1000 patches"),
    ],
)
def test_photos_that_do_not_fit_the_recipe_raise_before_anything_is_written(data, tmp_path, changes, message):
    rejected(make(tmp_path, data, **changes), message)


def test_damaged_solution_raises_before_anything_is_written(copy, tmp_path):
    solution = pd.read_csv(copy / "solution.csv")
    solution.drop(columns="manipulation").to_csv(copy / "solution.csv", index=False)
    rejected(make(tmp_path, copy), r"solution\.csv has the header fname,camera,usage, which lacks manipulation")


def test_incomplete_sample_submission_raises_before_anything_is_written(copy, tmp_path):
    pd.read_csv(copy / "sample_submission.csv").drop(0).to_csv(copy / "sample_submission.csv", index=False)
    rejected(make(tmp_path, copy), r"holds files that .*sample_submission\.csv lacks: 'img_00_unalt\.tif'")


def test_unreadable_test_image_raises_before_anything_is_written(copy, tmp_path):
    path = copy / "test" / "img_00_unalt.tif"
    path.write_bytes(path.read_bytes()[:-500])
    rejected(make(tmp_path, copy), r"test lacks readable images of files: 'img_00_unalt\.tif'")


def test_settings_task_ignores_the_solution(settings_folder, tmp_path):
    data = settings_folder(tmp_path / "photos")
    (data / "solution.csv").write_text("damaged")
    messages = start_run(make(tmp_path, data, "settings"), 1)
    assert [message.partition(":")[0] for message in messages] == ["note"]


def test_solution_without_usage_is_accepted(copy, tmp_path):
    pd.read_csv(copy / "solution.csv").drop(columns="usage").to_csv(copy / "solution.csv", index=False)
    assert start_run(make(tmp_path, copy), 1) == []
