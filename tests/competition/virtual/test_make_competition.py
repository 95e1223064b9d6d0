import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from augment.manipulations import cut_test_patch, source_size
from competition.manifest import read_folder
from competition.manipulation import MANIPULATIONS
from competition.utils.errors import InputError
from competition.virtual.cameras import CAMERAS
from competition.virtual.capture import take_photo
from competition.virtual.degradations import COLUMNS as DEGRADATIONS
from competition.virtual.degradations import SIMULATION
from competition.virtual.files import decode_jpeg
from competition.virtual.make_competition import (
    SIZES,
    TEST_DEVICE,
    VirtualSize,
    device_name,
    find_size,
    make_competition,
    plan_test,
)

TINY = VirtualSize(photos=2, patches=2, patch=32, scale=0.25)


def cut(photo, manipulation, size):
    """A simple replacement for `augment.manipulations.cut_test_patch`: the center, darker if manipulated."""
    top, left = ((side - size) // 2 for side in photo.shape[:2])
    patch = photo[top : top + size, left : left + size]
    return patch if manipulation == "unaltered" else (patch // 2).astype(np.uint8)


def source(size, manipulation):
    return size


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("virtual") / "tiny"
    make_competition(folder, TINY, 3, cut, source, jobs=1)
    return folder


def test_folder_has_the_layout_of_kaggle(made):
    assert {path.name for path in (made / "train").iterdir()} == set(CAMERAS)
    assert len(list(made.glob("train/*/*.jpg"))) == 20
    assert (made / "train/Virtual-Fir-F2/Virtual-Fir-F2_0001.jpg").exists()
    solution, sample = pd.read_csv(made / "solution.csv"), pd.read_csv(made / "sample_submission.csv")
    assert list(sample) == ["fname", "camera"]
    assert list(solution) == ["fname", "camera", "manipulation", "usage"]
    assert set(solution["fname"]) == set(sample["fname"]) == {path.name for path in made.glob("test/*")}
    quotas = pd.read_csv(made / "quotas.csv")
    assert quotas["camera"].tolist() == sorted(CAMERAS)
    assert (quotas[["unaltered", "manipulated"]] == 1).to_numpy().all()
    record = json.loads((made / "virtual.json").read_text())
    assert record["complete"] and record["seed"] == 3 and record["test_patches"] == 20


def test_patches_are_lossless_and_do_not_name_the_camera(made):
    for path in made.glob("test/*.tif"):
        with Image.open(path) as image:
            assert image.size == (32, 32) and image.mode == "RGB"
            assert not image.getexif().get_ifd(0x8769)
            assert image.info.get("compression") == "raw"
        assert b"irtual" not in path.read_bytes()


def test_file_names_contain_whether_a_patch_is_manipulated(made):
    solution = pd.read_csv(made / "solution.csv")
    ends = solution["fname"].str.extract(r"^img_[0-9a-f]{7}_(unalt|manip)\.tif$")[0]
    assert ((ends == "manip") == (solution["manipulation"] != "unaltered")).all()


def test_patch_from_simulated_center_equals_patch_from_whole_photo(tmp_path):
    size = VirtualSize(photos=0, patches=16, patch=48, scale=0.6)
    make_competition(tmp_path, size, 3, cut_test_patch, source_size, jobs=1)
    plan = plan_test(size, 3)
    for row in plan[plan["camera"].isin(["Virtual-Alder-A1", "Virtual-Elm-E5"])].itertuples():
        index = plan.loc[row.Index, "index"]
        photo = take_photo(CAMERAS[row.camera], device_name(row.camera, TEST_DEVICE), 3, index, size.scale)
        expected = cut_test_patch(decode_jpeg(photo.jpeg()), row.manipulation, size.patch)
        with Image.open(tmp_path / "test" / row.fname) as image:
            assert (np.asarray(image) != expected).mean() < 0.01, row.manipulation


def test_result_does_not_depend_on_number_of_processes(made, tmp_path):
    make_competition(tmp_path / "again", TINY, 3, cut, source, jobs=2)
    assert contents(tmp_path / "again") == contents(made)


def test_only_missing_files_are_made_again(made):
    before = contents(made)
    kept, lost = made / "train/Virtual-Fir-F2/Virtual-Fir-F2_0000.jpg", next(made.glob("test/*.tif"))
    when = kept.stat().st_mtime_ns
    lost.unlink()
    make_competition(made, TINY, 3, cut, source, jobs=1)
    assert contents(made) == before
    assert kept.stat().st_mtime_ns == when


def test_other_seed_or_other_files_raise(made, tmp_path):
    with pytest.raises(InputError, match="another size, seed or version"):
        make_competition(made, TINY, 4, cut, source, jobs=1)
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(InputError, match="other files"):
        make_competition(tmp_path, TINY, 3, cut, source, jobs=1)


@pytest.mark.parametrize("name", [name for name, size in SIZES.items() if size.patch])
def test_plan_is_balanced(name):
    size = SIZES[name]
    plan = plan_test(size, 0)
    assert plan["fname"].is_unique and len(plan) == 10 * size.patches
    unaltered = plan[plan["manipulation"] == "unaltered"]
    assert (unaltered["camera"].value_counts() == size.patches - size.patches // 2).all()
    counts = plan.loc[plan["manipulation"] != "unaltered", "manipulation"].value_counts()
    assert set(counts.index) == set(MANIPULATIONS) and counts.max() - counts.min() <= 1
    assert (plan["usage"] == "Public").mean() == pytest.approx(0.3, abs=0.01)
    groups = plan.groupby(["camera", plan["manipulation"] != "unaltered"])["usage"]
    public = groups.apply(lambda usage: (usage == "Public").sum())
    assert public.max() - public.min() <= 1


def test_file_names_are_in_random_order():
    plan = plan_test(SIZES["small"], 0)
    number = plan["camera"].map({name: place for place, name in enumerate(CAMERAS)})
    assert abs(np.corrcoef(number, np.arange(len(plan)))[0, 1]) < 0.15


def test_training_and_test_photos_are_by_different_devices():
    devices = [device_name(camera, number) for camera in CAMERAS for number in (1, TEST_DEVICE)]
    assert len(set(devices)) == 20


def test_unknown_size_raises_and_lists_known_names():
    with pytest.raises(InputError, match="smoke, small, settings, settings-large, settings-smoke, full"):
        find_size("huge")


def test_size_may_have_no_test_set_and_many_devices(tmp_path):
    size = VirtualSize(photos=3, patches=0, patch=0, scale=0.25, devices=3)
    make_competition(tmp_path / "made", size, 0, cut, source, jobs=1)
    assert not (tmp_path / "made" / "solution.csv").exists()
    table, _ = read_folder(tmp_path / "made")
    assert (table.groupby("camera")["device"].nunique() == 3).all()
    assert not set(table["device"]) & {device_name(camera, TEST_DEVICE) for camera in CAMERAS}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("virtual") / "whole"
    make_competition(folder, VirtualSize(photos=2, patches=2, patch=0, scale=0.25), 0, cut, source, jobs=1)
    return folder


def test_whole_test_photos_have_no_metadata_and_their_settings_are_in_the_solution(whole):
    solution = pd.read_csv(whole / "solution.csv")
    assert [*solution] == ["fname", "camera", "manipulation", "usage", "f_number", "iso", "exposure_time"]
    assert set(solution["fname"]) == {path.name for path in (whole / "test").iterdir()}
    assert set(solution["manipulation"]) == {"unaltered"}
    plan = plan_test(VirtualSize(photos=2, patches=2, patch=0, scale=0.25), 0)
    for row in solution.head(3).itertuples():
        index = plan.set_index("fname").loc[row.fname, "index"]
        photo = take_photo(CAMERAS[row.camera], device_name(row.camera, TEST_DEVICE), 0, index, 0.25)
        assert (row.f_number, row.iso) == (photo.settings.f_number, photo.settings.iso)
        assert row.exposure_time == pytest.approx(float(photo.settings.exposure_time))
        path = whole / "test" / row.fname
        assert b"irtual" not in path.read_bytes() and b"Exif" not in path.read_bytes()
        np.testing.assert_array_equal(decode_jpeg(path.read_bytes()), decode_jpeg(photo.jpeg()))


def test_simulation_has_the_degradations_of_every_photo(whole):
    table = pd.read_csv(whole / SIMULATION)
    assert [*table] == ["path", *DEGRADATIONS]
    assert set(table["path"]) == {path.relative_to(whole).as_posix() for path in whole.rglob("*.jpg")}
    assert table.notna().all(axis=None) and (table["noise"] > 0).all()


def test_settings_sizes_have_a_test_set_of_whole_photos():
    assert all(SIZES[name].whole_photos for name in ("settings", "settings-smoke"))
