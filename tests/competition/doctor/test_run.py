"""Every file in a folder gets two verdicts, based on the profile of the collection."""

import errno
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from competition.doctor.read_file import Photo, read_photo
from competition.doctor.rules import MIN_AGREEING, MIN_QUALITY, RULES
from competition.doctor.run import build_profile, examine, kept_manifest, summary
from competition.doctor.verdicts import UNREADABLE
from competition.manifest import DTYPES, load_manifest, write_manifest
from competition.metadata.collected import COLUMNS
from competition.utils.errors import InputError


def save(path: Path, seed: int = 0, size: tuple[int, int] = (640, 512), model: str = "M-1", **options) -> Path:
    """A photo by an unknown maker, with a coarse random pattern."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Acme", model
    exif[0x8769] = {0x9003: f"2020:01:01 {seed // 3600:02}:{seed // 60 % 60:02}:{seed % 60:02}"}
    pattern = np.random.default_rng(seed).integers(0, 256, (8, 10, 3), dtype=np.uint8)
    Image.fromarray(pattern).resize(size).save(path, exif=exif.tobytes(), **({"quality": 95} | options))
    return path


def broken_rules(report: pd.DataFrame) -> dict[str, str]:
    """path → names of the rules that speak against either verdict, in the order of the rules."""
    columns = report.set_index("path")[["original_reasons", "fit_reasons"]].fillna("")
    found = {
        path: {part.split(":")[0] for text in texts for part in text.split("; ")}
        for path, *texts in columns.itertuples()
    }
    return {path: " ".join(name for name in (UNREADABLE, *RULES) if name in names) for path, names in found.items()}


def is_kept(report: pd.DataFrame) -> list[bool]:
    kept = set(kept_manifest(report)["path"])
    return [path in kept for path in report["path"]]


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    """`MIN_AGREEING` photos that agree, and one for each defect."""
    folder = tmp_path_factory.mktemp("collection")
    for number in range(MIN_AGREEING):
        save(folder / "train" / "mine" / f"{number:02}.jpg", number)
    bad = folder / "train" / "mine" / "bad"
    save(bad / "model.jpg", 100, model="M-2")
    save(bad / "size.jpg", 101, size=(1280, 1024))
    save(bad / "small.jpg", 102, size=(320, 256))
    save(bad / "quality.jpg", 103, quality=80)
    truncated = save(bad / "truncated.jpg", 104)
    truncated.write_bytes(truncated.read_bytes()[:-500])
    (bad / "copy.jpg").write_bytes((folder / "train" / "mine" / "03.jpg").read_bytes())
    (bad / "page.jpg").write_text("<html>404</html>")
    (bad / ".hidden.jpg").write_text("nothing")
    save(folder / "train" / "other" / "1.jpg", 200, model="M-2")
    save(folder / "validation" / "mine" / "1.jpg", 5, size=(512, 640), quality=96)
    save(folder / "test" / "1_manip.tif", 300, size=(512, 512))
    save(folder / "test" / "nameless.tif", 301, size=(512, 512))
    save(folder / "stray.jpg", 302, model="M-3")
    return folder


EXPECTED = {
    "stray.jpg": "",
    "test/1_manip.tif": "",
    "test/nameless.tif": "test_name",
    **{f"train/mine/{number:02}.jpg": "" for number in range(MIN_AGREEING)},
    "train/mine/bad/copy.jpg": "duplicate",
    "train/mine/bad/model.jpg": "model",
    "train/mine/bad/page.jpg": UNREADABLE,
    "train/mine/bad/quality.jpg": "table quality",
    "train/mine/bad/size.jpg": "usual_size",
    "train/mine/bad/small.jpg": "usual_size patch_fits",
    "train/mine/bad/truncated.jpg": "complete",
    "train/other/1.jpg": "",
    "validation/mine/1.jpg": "table",
}


def test_every_file_has_the_expected_verdicts(collection):
    report = examine(collection)
    assert broken_rules(report) == EXPECTED
    assert report["path"].tolist() == sorted(EXPECTED)
    assert is_kept(report) == [not EXPECTED[path] for path in sorted(EXPECTED)]
    original = report.set_index("path")["original"]
    assert original[original == "no"].index.tolist() == [
        *("train/mine/bad/quality.jpg", "train/mine/bad/truncated.jpg", "validation/mine/1.jpg"),
    ]
    assert original[original.isna()].index.tolist() == [
        *("test/1_manip.tif", "test/nameless.tif", "train/mine/bad/page.jpg"),
    ]
    assert report["camera"].fillna("").value_counts().to_dict() == {"mine": 28, "": 3, "other": 1}
    assert report["split"].value_counts().to_dict() == {"train": 29, "test": 2, "validation": 1}


def test_parallel_reading_returns_the_same_report(collection):
    pd.testing.assert_frame_equal(examine(collection, jobs=2), examine(collection))


def test_rules_are_selected_by_name(collection):
    only = examine(collection, rules=["model"])
    assert {*broken_rules(only).values()} == {"", "model", UNREADABLE}
    with pytest.raises(InputError, match=r"unknown rule 'modell'; known: complete, .*near_duplicate"):
        examine(collection, rules=["modell"])


def test_decoding_finds_damage_and_near_duplicates_across_splits(collection):
    report = examine(collection, pixels=True)
    more = {"train/mine/bad/truncated.jpg": "complete decodes", "train/mine/05.jpg": "near_duplicate"}
    assert broken_rules(report) == EXPECTED | more
    reason = report.set_index("path")["fit_reasons"]["train/mine/05.jpg"]
    assert reason == "near_duplicate: looks like validation/mine/1.jpg of another split"


def test_given_splits_replace_those_of_the_folders(collection):
    splits = {f"train/mine/{number:02}.jpg": "validation" for number in range(10)} | {
        "train/mine/bad/copy.jpg": "train"
    }
    found = examine(collection, rules=["near_duplicate"], pixels=True, splits=splits)
    assert broken_rules(found)["train/mine/bad/copy.jpg"] == "near_duplicate"


def test_too_few_photos_have_no_profile(tmp_path):
    for number in range(MIN_AGREEING - 1):
        save(tmp_path / "mine" / f"{number}.jpg", number)
    save(tmp_path / "mine" / "odd.jpg", 99, size=(1280, 1024), model="M-2", quality=96)
    assert all(is_kept(examine(tmp_path)))
    save(tmp_path / "mine" / "one more.jpg", 50)
    assert broken_rules(examine(tmp_path))["mine/odd.jpg"] == "table model usual_size"


def test_the_profile_does_not_depend_on_order(collection):
    paths = [path for path in EXPECTED if "page" not in path]
    photos = [photo for path in paths if isinstance(photo := read_photo(collection, False, path), Photo)]
    assert len(photos) == len(paths)
    assert build_profile(photos) == build_profile(photos[::-1])


def test_the_kept_manifest_can_be_loaded(collection, tmp_path):
    report = examine(collection)
    table = kept_manifest(report)
    assert {name: str(kind) for name, kind in table.dtypes.items()} == DTYPES
    assert table["path"].tolist() == [path for path in sorted(EXPECTED) if not EXPECTED[path]]
    assert table.set_index("path")["manipulation"].to_dict() == {
        path: "manipulated" if path.startswith("test/") else "unaltered" for path in table["path"]
    }
    write_manifest(table, tmp_path / "manifest.csv")
    pd.testing.assert_frame_equal(load_manifest(tmp_path / "manifest.csv"), table)


def test_the_summary_counts_verdicts_by_camera_and_findings_by_rule(collection):
    lines = summary(examine(collection)).split("\n")
    assert [line.split() for line in lines if line.startswith(("mine", "all"))] == [
        ["mine", "28", "3", "7", "20"],
        ["all", "32", "3", "8", "23"],
    ]
    assert ["not", "original", "table", "2"] in [line.split() for line in lines]
    assert ["not", "fit", "usual_size", "2"] in [line.split() for line in lines]


def test_a_folder_without_files_is_rejected(tmp_path):
    with pytest.raises(InputError, match="has no files"):
        examine(tmp_path)
    with pytest.raises(InputError, match="absent does not exist; expected a folder with photos"):
        examine(tmp_path / "absent")


def test_a_folder_that_cannot_be_read_is_named(collection, monkeypatch):
    """The permissions of a folder do not stop a test that runs as root, so the error is simulated."""
    walk = os.walk

    def refuse(top, onerror):
        yield from walk(top)
        onerror(PermissionError(errno.EACCES, "Permission denied", str(collection / "train" / "mine")))

    monkeypatch.setattr("competition.utils.find_photos.os.walk", refuse)
    with pytest.raises(InputError, match=r"the folder .*train/mine cannot be read \(Permission denied\)"):
        examine(collection)


def test_a_camera_with_a_variable_low_quality_is_original_and_fit(tmp_path):
    """The Fujifilm A200 adapts its tables to each photo, with qualities from 64 to 84."""
    for number in range(MIN_AGREEING + 10):
        save(tmp_path / "a200" / f"{number}.jpg", number, quality=64 + number % 21)
    report = examine(tmp_path)
    assert (report[["original", "fit"]] == "yes").all(axis=None)


def test_a_folder_of_many_models_has_no_quality_of_its_own(tmp_path):
    for number in range(2 * MIN_AGREEING):
        save(tmp_path / "unsorted" / f"{number}.jpg", number, quality=70, model=f"M-{number}")
    assert set(broken_rules(examine(tmp_path)).values()) == {"quality"}


def test_adapted_tables_do_not_speak_against_a_rare_one(tmp_path):
    for number in range(2 * MIN_AGREEING):
        save(tmp_path / "mine" / f"{number}.jpg", number, quality=95 if number < MIN_AGREEING else 30 + number)
    assert (examine(tmp_path)["original"] == "yes").all()


def test_photos_of_an_archive_with_a_folder_of_its_own_name_keep_their_camera(tmp_path):
    save(tmp_path / "train" / "train" / "mine" / "1.jpg")
    save(tmp_path / "test" / "test" / "1_manip.tif")
    (tmp_path / "train.zip").write_bytes(b"PK")
    report = examine(tmp_path)
    assert report["camera"].fillna("").tolist() == ["", "mine"]
    assert report["split"].tolist() == ["test", "train"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_files_are_rejected_without_an_exception(tmp_path, data):
    original = save(tmp_path / "x.jpg", size=(64, 64)).read_bytes()
    damaged = bytearray(original)
    for position in data.draw(st.lists(st.integers(0, len(original) - 1), max_size=10)):
        damaged[position] = data.draw(st.integers(0, 255))
    (tmp_path / "x.jpg").write_bytes(damaged[: data.draw(st.integers(0, len(original)))])
    (tmp_path / "y").write_bytes(data.draw(st.binary(max_size=50)))
    report = examine(tmp_path, pixels=True)
    assert report["path"].tolist() == ["x.jpg", "y"]
    assert (report["fit"] == "no").all()
    assert not report["fit_reasons"].str.contains("\n").any()


def test_real_photos(real_photos):
    found = examine(real_photos, pixels=True).set_index("path")
    genuine = found[found.index.str.startswith("train/")]
    assert len(genuine) == 96
    assert (genuine["original"] == "yes").all()
    fujifilm = genuine[genuine["camera"] == "Fujifilm-FinePix-A200"]
    assert fujifilm["jpeg_quality"].max() < MIN_QUALITY
    assert (fujifilm["fit"] == "yes").all()
    reasons = found["original_reasons"].fillna("")
    edited = ["Canon_IXUS_400", "FujiFilm_FinePixS1Pro_3", "Kodak_CLAS_Digital_Film_Scanner_HR200_1", "Olympus_C960"]
    assert reasons[reasons.str.contains("software:")].index.tolist() == [f"unsorted/{name}.jpg" for name in edited]
    assert reasons[reasons.str.contains("camera_size:")].index.tolist() == [
        *("unsorted/Nikon_E5000.jpg", "unsorted/Olympus_C4040Z.jpg", "unsorted/Pentax_Optio_S4i.jpg"),
    ]
    resized = [
        "FujiFilm_FinePixS1Pro_3",
        "Kodak_DC240",
        "Nikon_E5000",
        "Olympus_C4040Z",
        "Olympus_C960",
        "Ricoh_RDC5300",
    ]
    assert reasons[reasons.str.contains("exif_size:")].index.tolist() == [f"unsorted/{name}.jpg" for name in resized]


def test_the_device_may_come_from_the_record_of_collect(tmp_path):
    """Photos without a serial number get their owner's name. The record itself is not report."""
    for number in range(2):
        save(tmp_path / "train" / "mine" / f"{number}.jpg", number)
    row = dict.fromkeys(COLUMNS, "") | {"path": "train/mine/0.jpg", "device": "ann", "status": "kept"}
    pd.DataFrame([row]).to_csv(tmp_path / "collected.csv", index=False)
    report = examine(tmp_path).set_index("path")
    assert report.index.tolist() == ["train/mine/0.jpg", "train/mine/1.jpg"]
    assert report["device"].fillna("").tolist() == ["ann", ""]
