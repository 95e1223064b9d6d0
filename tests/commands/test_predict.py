"""Command `predict` with photos: one answer for each, whatever is wrong with the others."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from submissions import predict_photos

CAMERAS = ["cat", "dog", "eel"]
COLUMNS = ["path", "camera", "probability", "runner_up", "runner_up_probability", "unknown", "unknown_score"]
COLUMNS += ["patches", "evidence", *CAMERAS, "skipped"]


@pytest.fixture
def album(home):
    """A folder with a photo, a flat one and files that cannot be predicted; the working directory has the run."""
    folder = home / "album"
    (folder / "deeper").mkdir(parents=True)
    photos = home / "photos" / "train"
    (photos / "cat" / "0.jpg").rename(folder / "deeper" / "good.jpg")
    (photos / "cat" / "short.jpg").rename(folder / "short.jpg")
    Image.new("RGB", (96, 96), (90, 90, 90)).save(folder / "flat.png")
    Image.new("L", (96, 96)).save(folder / "gray.png")
    Image.new("RGB", (40, 96)).save(folder / "small.png")
    (folder / "page.jpg").write_text("<html>")
    (folder / "notes.txt").write_text("not a photo")
    return folder


def test_every_photo_has_a_row_and_every_skipped_file_its_reason(album, home, command, capsys):
    another = home / "photos" / "train" / "dog" / "0.jpg"
    assert command("predict", "runs/job", "album", another, "gone.jpg", "--out", "answers/cameras.csv") == 0
    table = pd.read_csv("answers/cameras.csv")
    assert list(table.columns) == COLUMNS
    answers, skipped = table[table["skipped"].isna()], table[table["skipped"].notna()]
    assert answers["path"].tolist() == ["album/deeper/good.jpg", "album/flat.png", str(another)]
    assert answers["patches"].tolist() == [4, 4, 4]  # the default; small photos have fewer
    np.testing.assert_allclose(answers[CAMERAS].sum(axis=1), 1, atol=1e-6)
    ranked = np.sort(answers[CAMERAS].to_numpy(), axis=1)
    np.testing.assert_allclose(answers[["runner_up_probability", "probability"]], ranked[:, 1:])
    assert (answers["camera"] == answers[CAMERAS].idxmax(axis=1)).all()
    assert (answers["camera"] != answers["runner_up"]).all()
    assert dict(zip(skipped["path"], skipped["skipped"], strict=True)) == {
        "album/gray.png": "8-bit L, not 8-bit RGB",
        "album/page.jpg": "a file that begins with b'<html>', not a JPEG, PNG or TIFF image",
        "album/short.jpg": "truncated",
        "album/small.png": "40x96 is smaller than a patch of 64 pixels",
        "gone.jpg": "cannot be read as an image: No such file or directory",
    }
    printed = capsys.readouterr()
    assert printed.out.splitlines()[0].split() == ["path", "camera", "probability", "runner-up", "unknown", "patches"]
    assert printed.out.endswith("answers/cameras.csv: 3 photos, all probabilities\n")
    warnings = [line for line in printed.err.splitlines() if line.startswith("warning: ")]
    assert warnings[0].startswith("warning: 1 photos are almost flat or saturated, such as album/flat.png")
    assert warnings[1:] == [
        f"warning: skipped {path}: {why}" for path, why in zip(skipped["path"], skipped["skipped"], strict=True)
    ]


def test_strict_makes_a_skipped_file_an_error_after_the_others_have_their_answers(album, command, capsys):
    assert command("predict", "runs/job", "album/deeper", "--strict") == 0
    assert command("predict", "runs/job", "album/deeper", "album/page.jpg", "--strict") == 2
    assert "error: 1 of 2 files were skipped" in capsys.readouterr().err
    assert pd.read_csv("cameras.csv")["camera"].notna().sum() == 1


def test_json_has_the_rows_of_the_file_and_nothing_else_is_printed(album, command, capsys):
    assert command("predict", "runs/job", "album/deeper", "album/page.jpg", "--json") == 0
    printed = capsys.readouterr().out
    answer, skipped = json.loads(printed)
    table = pd.read_csv("cameras.csv")
    assert list(answer) == COLUMNS
    assert answer["camera"] == table["camera"][0]
    assert answer["probability"] == pytest.approx(table["probability"][0])
    assert answer["unknown"] is False and answer["patches"] == 4 and answer["skipped"] is None
    assert skipped["skipped"].endswith("not a JPEG, PNG or TIFF image") and skipped["camera"] is None


def test_the_table_names_the_file_with_the_rows_that_it_leaves_out(album, command, capsys, monkeypatch):
    monkeypatch.setattr("commands.predict.PRINTED_ROWS", 1)
    monkeypatch.setattr("competition.utils.tables.terminal_width", lambda: 72)
    assert command("predict", "runs/job", "album") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith("album/deeper/good.jpg") or lines[2].startswith("…")
    assert max(map(len, lines)) <= 72
    assert lines[3] == "… and 1 more photos: all are in cameras.csv"


def test_a_vanished_photo_does_not_cost_the_others_their_answer(album, command, capsys, monkeypatch):
    decode = predict_photos.read_pixels

    def vanish(path):
        if path.endswith("flat.png"):
            (album / "flat.png").unlink()
        return decode(path)

    monkeypatch.setattr(predict_photos, "read_pixels", vanish)
    assert command("predict", "runs/job", "album/flat.png", "album/deeper") == 0
    table = pd.read_csv("cameras.csv").set_index("path")
    assert pd.isna(table.loc["album/deeper/good.jpg", "skipped"])
    assert "does not exist" in table.loc["album/flat.png", "skipped"]


def test_a_folder_that_is_no_run_says_what_to_train(home, error_of):
    message = error_of("predict", "photos", "album")
    assert message.startswith(
        "error: photos is not a trained run; train one on photos of your cameras with 'camera train"
    )
    assert "minutes" in message
    assert "; runs has the runs runs/job; " in error_of("predict", "runs/other", "photos")


def test_without_a_usable_photo_the_error_has_the_reasons(home, error_of):
    (home / "empty").mkdir()
    assert "none of the 2 files is a usable photo (gone.jpg: cannot be read as an image: No such file" in error_of(
        "predict", "runs/job", "gone.jpg", "empty"
    )


def test_json_needs_photos(home, error_of):
    assert "--json needs photos" in error_of("predict", "runs/job", "--json")


def test_explain_draws_the_evidence_for_every_answer(album, command, capsys):
    assert command("predict", "runs/job", "album", "--patches", 1, "--explain", "maps") == 0
    pictures = sorted((album.parent / "maps").iterdir())
    assert [path.name for path in pictures] == ["01-good.png", "02-flat.png", "evidence-maps.png"]
    for path in pictures:
        with Image.open(path) as picture:
            picture.load()
    assert "maps: 3 pictures of the evidence" in capsys.readouterr().out


def test_explain_needs_photos(home, error_of):
    assert error_of("predict", "runs/job", "--explain", "maps").startswith("error: --explain needs photos")
