"""The main job: from photos to a checked submission and a leaderboard, and the commands that use the finished run."""

import json

import numpy as np
import pandas as pd
import pytest

from models.training.checkpoints import START
from submissions.leaderboards.camera import COLUMNS
from submissions.prediction_cache import load
from submissions.submission_csv import check_submission, read_expected_names

CAMERAS = ("cat", "dog", "eel")
NETWORKS = ("front_end", "members/dctnet", "members/mobilenet/front_end", "members/mobilenet")
PREDICTIONS = [
    f"predictions/{name}/{split}.npz"
    for name in ("front_end", "dctnet", "mobilenet")
    for split in ("validation", "test")
]
FILES = {
    "config.json",
    "environment.json",
    "manifest.csv",
    "validation.csv",
    "notes.txt",
    "scores.json",
    "leaderboard.csv",
    "submission.csv",
    "ablation.csv",
    "calibration.csv",
    "activations.npz",
    "log.txt",
    "report.html",
    "model_card.md",
    *(f"{network}/{name}" for network in NETWORKS for name in ("history.csv", "model.keras")),
    *PREDICTIONS,
}
SCORE = {"weighted_accuracy", "unaltered_accuracy", "manipulated_accuracy", "log_loss", "interval", "images"}


def files(run):
    return {path.relative_to(run).as_posix(): path for path in run.rglob("*") if path.is_file()}


def test_run_folder_has_exactly_the_documented_files(finished):
    assert set(files(finished / "runs" / "job")) == FILES


def test_config_and_environment_describe_the_run(finished):
    run = finished / "runs" / "job"
    config = json.loads((run / "config.json").read_text())
    assert config["seed"] == 0
    assert list(config["recipes"]) == ["dctnet", "mobilenet"]
    assert config["recipes"]["mobilenet"]["front_end_recipe"]["epochs"] == 1
    environment = json.loads((run / "environment.json").read_text())
    assert {"backend", "devices", "python", "packages", "git_commit"} <= set(environment)


def test_splits_contain_every_usable_photo(finished):
    run = finished / "runs" / "job"
    manifest = pd.read_csv(run / "manifest.csv")
    assert manifest["split"].value_counts().to_dict() == {"train": 18, "test": 12, "validation": 3}
    validation = pd.read_csv(run / "validation.csv")
    assert sorted(validation["camera"]) == sorted(2 * CAMERAS)
    assert set(validation["path"]) == set(manifest.loc[manifest["split"] == "validation", "path"])
    assert (validation["manipulation"] == "unaltered").sum() == 3


@pytest.mark.parametrize("network", NETWORKS)
def test_history_has_one_row_per_epoch(network, finished):
    history = pd.read_csv(finished / "runs" / "job" / network / "history.csv")
    assert history["epoch"].tolist() == (
        [START, 0] if network == "members/mobilenet" else [0]
    )  # it starts from a front end
    assert np.isfinite(history[history["epoch"] != START].to_numpy(float)).all()


@pytest.mark.parametrize("name", PREDICTIONS)
def test_predictions_of_all_views_are_cached(name, finished):
    predicted = load(finished / "runs" / "job" / name)
    views = 1 if "front_end" in name else 8
    assert predicted.probabilities.shape == (views, 12 if "test" in name else 6, 3)
    assert predicted.classes == CAMERAS
    assert predicted.is_manipulated.sum() == predicted.is_manipulated.size / 2


def test_scores_of_members_and_blend_have_intervals(finished):
    scores = json.loads((finished / "runs" / "job" / "scores.json").read_text())
    assert set(scores) == {"members", "blend"}
    assert set(scores["members"]) == {"dctnet", "mobilenet"}
    for parts in (*scores["members"].values(), scores["blend"]):
        assert {name: part["images"] for name, part in parts.items()} == {"validation": 6, "private": 6}
        for part in parts.values():
            assert set(part) == SCORE
            low, high = part["interval"]
            assert 0 <= low <= part["weighted_accuracy"] <= high <= 1


def test_leaderboard_has_every_member_blend_and_balance(finished):
    table = pd.read_csv(finished / "runs" / "job" / "leaderboard.csv")
    assert list(table.columns) == COLUMNS
    assert table["entry"].tolist() == [
        "dctnet",
        "dctnet+tta",
        "mobilenet",
        "mobilenet+tta",
        "blend arithmetic",
        "blend quadratic",
        "blend geometric",
        "blend quadratic, greedy",
        "blend quadratic, exact",
        "blend optimized",
        "blend selection",
        "blend stacking",
    ]
    assert (table["run"] == "job").all()
    assert table["weighted_accuracy"].between(0, 1).all()
    assert table["private_weighted_accuracy"].between(0, 1).all()
    scores = json.loads((finished / "runs" / "job" / "scores.json").read_text())
    blend = table.set_index("entry").loc["blend quadratic", "weighted_accuracy"]
    assert blend == pytest.approx(scores["blend"]["validation"]["weighted_accuracy"])


def test_ablation_compares_every_step_with_the_one_before(finished):
    table = pd.read_csv(finished / "runs" / "job" / "ablation.csv").set_index(["images", "step"])
    steps = ["front end alone", "dctnet", "dctnet, 8 views", "mobilenet", "mobilenet, 8 views", "blend"]
    steps += ["blend, optimized", "blend, selection", "blend, stacking"]
    assert table.loc["validation"].index.tolist() == [*steps, "blend, balanced classes"]
    assert table.loc["test"].index.tolist() == [*steps, "blend, balanced classes"]
    differences = table.loc["test"].drop(index="front end alone")
    assert (differences["difference_low"] <= differences["difference"]).all()
    assert (differences["difference"] <= differences["difference_high"]).all()


@pytest.mark.slow
def test_members_that_train_side_by_side_equal_those_that_train_one_after_another(
    photo_folder, command, tmp_path, monkeypatch, untraced
):
    """The processes of those that train side by side compile their graphs, hence the tolerance."""
    photo_folder(tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    members = ["--members", "dctnet,statnet", "--preset", "smoke", "--data", "photos"]
    for jobs in ("1", "2"):
        assert command("train", "ensemble", *members, "--jobs", jobs, "--run", jobs) == 0
    for member in ("dctnet", "statnet"):
        one, other = (load(tmp_path / "runs" / jobs / "predictions" / member / "validation.npz") for jobs in "12")
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-3)
        assert (tmp_path / "runs" / "2" / "members" / member / "log.txt").exists()


def test_submission_passes_its_check(finished):
    names = read_expected_names(finished / "photos")
    assert len(check_submission(finished / "runs" / "job" / "submission.csv", CAMERAS, names)) == 12


def test_repeated_command_keeps_every_result(home, command, main_job, capsys):
    quotas = "".join(f"{camera},2,2\n" for camera in CAMERAS)
    (home / "photos" / "quotas.csv").write_text(f"camera,unaltered,manipulated\n{quotas}")
    run = home / "runs" / "job"
    before = {name: (path.stat().st_mtime_ns, path.read_bytes()) for name, path in files(run).items()}
    assert command(*main_job) == 0
    after = {name: (path.stat().st_mtime_ns, path.read_bytes()) for name, path in files(run).items()}
    assert set(after) == set(before)
    changed = {name for name in after if after[name][1] != before[name][1]}
    assert changed - {"report.html"} == {"log.txt"}  # the report is drawn again
    assert after["log.txt"][1].startswith(before["log.txt"][1])
    derived = {"scores.json", "leaderboard.csv", "ablation.csv", "calibration.csv", "submission.csv"}
    derived |= {"log.txt", "report.html", "model_card.md"}
    assert {name for name in after if after[name][0] != before[name][0]} <= derived
    output = capsys.readouterr().out
    assert "3 cameras, 18 train, 3 validation, 12 test images" in output
    assert "next: camera submit runs/job --fingerprints --balance exact" in output


def test_unreadable_photos_are_counted_and_named(photo_folder, command, tmp_path, monkeypatch, capsys):
    photos = photo_folder(tmp_path / "photos")
    (photos / "train" / "cat" / "page.jpg").write_text("<html>not found</html>")
    (photos / "train" / "dog" / "short.jpg").write_bytes((photos / "train" / "dog" / "0.jpg").read_bytes()[:1000])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("submissions.train_run.train_run", stop)
    assert command("train", "convnet", "--preset", "smoke", "--data", photos, "--jobs", 1) == 130
    warning = capsys.readouterr().err.splitlines()[0]
    assert warning.startswith("warning: skipped 2 file(s): train/cat/page.jpg (")
    assert warning.endswith("train/dog/short.jpg (truncated)")


def stop(*arguments):
    raise KeyboardInterrupt


def test_predict_computes_missing_predictions(home, command):
    lost = home / "runs" / "job" / "predictions" / "mobilenet" / "test.npz"
    before = load(lost)
    lost.unlink()
    assert command("predict", "runs/job") == 0
    np.testing.assert_allclose(load(lost).probabilities, before.probabilities, atol=1e-6)


def test_balanced_submission_gives_every_camera_its_quota(home, command, capsys):
    assert command("submit", "runs/job", "--balance", "exact", "--blend", "geometric", "--out", "balanced.csv") == 0
    table = check_submission(home / "balanced.csv", CAMERAS, read_expected_names(home / "photos"))
    kinds = table["fname"].str.extract("_(unalt|manip)", expand=False)
    assert (table.groupby(["camera", kinds]).size() == 2).all()
    assert "balanced.csv: 12 images, checked; blend geometric, balance exact" in capsys.readouterr().out


def test_leaderboards_are_compared_and_detailed(home, command, capsys):
    assert command("leaderboard") == 0
    compared = capsys.readouterr().out
    assert command("leaderboard", "runs/job") == 0
    detailed = capsys.readouterr().out
    for message in (compared, detailed):
        assert "blend quadratic, exact" in message
    assert all(camera in detailed for camera in CAMERAS)


def test_leaderboards_write_nothing(home, command):
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*")}
    assert command("leaderboard", "job") == 0
    assert command("leaderboard") == 0
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*")} == before


def test_leaderboards_and_submissions_are_printed_as_json(home, command, capsys):
    for words in (["leaderboard"], ["leaderboard", "job"]):
        assert command(*words, "--json", "--quiet") == 0
        rows = json.loads(capsys.readouterr().out)
        assert {row["entry"] for row in rows} >= {"dctnet", "mobilenet+tta", "blend quadratic"}
        assert {row["task"] for row in rows} == {"camera"}
    assert command("submit", "job", "--json") == 0
    output, messages = capsys.readouterr()
    assert sum(row["unaltered"] + row["manipulated"] for row in json.loads(output)) == 12
    assert "12 images, checked" in messages


def test_another_submission_is_only_replaced_by_force(home, command, error_of):
    run = home / "runs" / "job"
    path, first = run / "submission.csv", (run / "submission.csv").read_bytes()
    assert command("submit", "job", "--balance", "exact", "--blend", "geometric") == 0
    assert path.read_bytes() == first
    balanced = (run / "submission-geometric-exact.csv").read_bytes()
    assert command("submit", "job") == 0  # the same submission
    (run / "submission.csv").write_bytes(balanced)
    message = error_of("submit", "job")
    assert "runs/job/submission.csv has another submission; give --force to replace it, or another file" in message
    assert command("submit", "job", "--force") == 0
    assert path.read_bytes() == first


def test_an_existing_file_is_refused_before_images_are_compared(home, error_of, monkeypatch):
    monkeypatch.setattr("submissions.fingerprints.pull.link_images", lambda *args, **options: pytest.fail("compared"))
    (home / "runs" / "job" / "submission-fingerprints.csv").write_text("fname,camera\n")
    assert "submission-fingerprints.csv already exists; give --force" in error_of("submit", "job", "--fingerprints")


def test_what_train_prints_is_logged(finished):
    log = (finished / "runs" / "job" / "log.txt").read_text()
    assert "  camera train ensemble --members dctnet,mobilenet --preset smoke --data photos" in log.splitlines()[0]
    for words in ("3 cameras, 18 train, 3 validation, 12 test images", "device   cpu:0", "warning: skipped 2 file(s)"):
        assert words in log


@pytest.mark.slow
def test_a_run_is_repeated_from_its_configuration(home, command, tiny_mobilenet, untraced):
    assert command("train", "--config", "runs/job/config.json", "--run", "two", "--jobs", 1) == 0
    for member in ("dctnet", "mobilenet"):
        first, second = (
            pd.read_csv(home / "runs" / run / "members" / member / "history.csv") for run in ("job", "two")
        )
        np.testing.assert_allclose(second["val_loss"], first["val_loss"], rtol=1e-3)  # the first compiled its graphs


def test_info_prints_the_environment_as_json(command, capsys):
    assert command("info") == 0
    output = json.loads(capsys.readouterr().out)
    assert {"backend", "devices", "python", "packages", "free_memory_gib", "free_disk_gib"} <= set(output)
    assert {"keras", "numpy", "pandas"} <= set(output["packages"])


def test_virtual_competition_and_its_contact_sheet_are_made(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert command("virtual", "--size", "smoke", "--sheet", "sheet.png", "--jobs", 1) == 0
    assert len(read_expected_names(tmp_path / "data" / "virtual-smoke")) == 40
    assert len(list((tmp_path / "data" / "virtual-smoke" / "train").glob("*/*.jpg"))) == 60
    assert (tmp_path / "sheet.png").stat().st_size > 0
    assert "simulated photos" in capsys.readouterr().out


def test_submission_in_another_file_is_checked(home, command, capsys):
    path = home / "runs" / "job" / "submission.csv"
    assert command("submit", "runs/job", "--check", path) == 0
    assert "12 images" in capsys.readouterr().out
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    assert command("submit", "runs/job", "--check", path) == 2
    assert "lacks files" in capsys.readouterr().err
