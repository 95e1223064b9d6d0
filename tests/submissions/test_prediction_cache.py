"""Cached predictions survive a round trip, and damaged or foreign files are rejected."""

import dataclasses
import zipfile
from pathlib import Path

import numpy as np
import pytest

from competition.utils.errors import InputError
from submissions.prediction_cache import Predictions, check_matches, load, load_members, save
from submissions.tasks import CAMERA, JOINT_HEAD, Task

CLASSES = ("iPhone-4s", "iPhone-6", "Sony-NEX-7")


def some(views=8, images=5, seed=0):
    return Predictions(
        names=np.array([f"img_{index}_{'manip' if index % 2 else 'unalt'}.tif" for index in range(images)]),
        is_manipulated=np.arange(images) % 2 == 1,
        classes=CLASSES,
        probabilities=np.random.default_rng(seed).dirichlet(np.ones(3), (views, images)).astype(np.float32),
    )


def parts(**changes):
    """The arrays that `save` writes, with changes."""
    predictions = dataclasses.asdict(some())
    return predictions | {"classes": np.array(CLASSES)} | changes


@pytest.mark.parametrize("use_tta", [True, False])
def test_saved_predictions_load_unchanged(tmp_path, use_tta):
    predictions = dataclasses.replace(some(), use_tta=use_tta)
    save(predictions, tmp_path / "member" / "test.npz")
    read = load(tmp_path / "member" / "test.npz")
    assert (read.classes, read.use_tta) == (predictions.classes, use_tta)
    for field in ("names", "is_manipulated", "probabilities"):
        np.testing.assert_array_equal(getattr(read, field), getattr(predictions, field))
        assert getattr(read, field).dtype == getattr(predictions, field).dtype
    assert [file.name for file in (tmp_path / "member").iterdir()] == ["test.npz"]


def test_missing_file_names_the_command_to_run(tmp_path):
    with pytest.raises(InputError, match=r"test\.npz does not exist; run predict first"):
        load(tmp_path / "test.npz")


@pytest.mark.parametrize("kept", [0, 10, 200, -30])
def test_truncated_file_raises(tmp_path, kept):
    path = tmp_path / "test.npz"
    save(some(), path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match="delete the file and run predict again"):
        load(path)


def test_flipped_byte_raises(tmp_path):
    path = tmp_path / "test.npz"
    save(some(), path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match="delete the file and run predict again"):
        load(path)


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_pickles_are_never_loaded(tmp_path):
    np.savez(tmp_path / "test.npz", **parts(names=np.array([Trap(tmp_path / "sprung")], dtype=object)))
    with pytest.raises(InputError, match="damaged"):
        load(tmp_path / "test.npz")
    assert not (tmp_path / "sprung").exists()


def test_missing_array_is_named(tmp_path):
    held = parts()
    del held["is_manipulated"]
    np.savez(tmp_path / "test.npz", **held)
    with pytest.raises(InputError, match="is_manipulated"):
        load(tmp_path / "test.npz")


THIRD = np.full((8, 5, 3), 1 / 3, np.float32)
INVALID = [
    ({"probabilities": THIRD[0]}, "probabilities must be"),
    ({"probabilities": THIRD[:0]}, "probabilities must be"),
    ({"probabilities": THIRD[:, :4]}, "probabilities must be"),
    ({"probabilities": THIRD[:, :, :2]}, "probabilities must be"),
    ({"probabilities": THIRD.astype(np.float64)}, "float32"),
    ({"probabilities": THIRD * 2}, "sum to one"),
    ({"probabilities": THIRD * np.array([3, 3, -3], np.float32)}, "negative"),
    ({"probabilities": np.where(np.arange(3) == 1, np.float32(np.nan), THIRD)}, "NaN"),
    ({"names": np.arange(5)}, "names must be strings"),
    ({"is_manipulated": np.zeros(4, bool)}, "is_manipulated must be"),
    ({"is_manipulated": np.zeros(5)}, "is_manipulated must be"),
]


@pytest.mark.parametrize("changes, message", INVALID)
def test_invalid_predictions_raise_on_construction_and_loading(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(some(), **changes)
    np.savez(tmp_path / "test.npz", **parts(**changes))
    with pytest.raises(InputError, match=f"{message}.*delete the file and run predict again"):
        load(tmp_path / "test.npz")


def test_failed_save_keeps_the_older_file(tmp_path, monkeypatch):
    path = tmp_path / "test.npz"
    save(some(), path)

    def disk_full(file, **held):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", disk_full)
    with pytest.raises(OSError, match="No space"):
        save(some(seed=1), path)
    np.testing.assert_array_equal(load(path).probabilities, some().probabilities)
    assert [file.name for file in tmp_path.iterdir()] == ["test.npz"]


def test_matching_predictions_pass():
    check_matches(some(), some().names.tolist(), CLASSES)


@pytest.mark.parametrize(
    "names, classes, message",
    [
        (some().names[::-1], CLASSES, "another order"),
        (some().names[:4], CLASSES, "0 are missing and 1 are not expected, such as img_4_unalt.tif"),
        ([*some().names, "new.tif"], CLASSES, "1 are missing and 0 are not expected, such as new.tif"),
        (some().names, CLASSES[::-1], "expected Sony-NEX-7, iPhone-6, iPhone-4s"),
        (some().names, CLASSES[:2], "expected iPhone-4s, iPhone-6;"),
    ],
)
def test_predictions_for_other_images_or_classes_raise(names, classes, message):
    with pytest.raises(InputError, match=f"{message}.*delete the file and run predict again"):
        check_matches(some(), list(names), classes)


def test_load_members_reads_the_members_that_have_predictions(make_run):
    run = make_run()
    assert list(load_members(run, "validation", "iso")) == list(run.recipes)
    run.predictions_file("resnet50", "validation", "iso").unlink()
    assert list(load_members(run, "validation", "iso")) == ["mobilenet"]
    assert load_members(run, "test", "iso") == {}


def test_load_members_of_an_untrained_head_names_the_trained_ones(make_run):
    settings = make_run()
    for head in (CAMERA, JOINT_HEAD):
        with pytest.raises(InputError, match=f"was trained on aperture, iso, exposure_time, not on {head}; train with"):
            load_members(settings, "validation", head)
    camera = make_run(Task("camera"))
    with pytest.raises(InputError, match="was trained on camera, not on iso; train with another --task"):
        load_members(camera, "validation", "iso")


def test_load_members_rejects_predictions_with_other_bins(make_run):
    run, other = make_run(), make_run(Task("settings", bins=2))
    path = other.predictions_file("mobilenet", "validation", "iso")
    run.predictions_file("mobilenet", "validation", "iso").write_bytes(path.read_bytes())
    with pytest.raises(InputError, match=r"for the classes below ISO 316\.2, from ISO 316\.2; expected below ISO 215"):
        load_members(run, "validation", "iso")


def npy_header(shape):
    """An .npy file whose header promises an array of this shape."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()


@pytest.mark.parametrize(
    "content", [npy_header("(100000000000000,)"), npy_header("("), npy_header("(-1,)"), b"", b"not an array"]
)
def test_hostile_array_in_the_archive_is_damaged(content, tmp_path):
    path = tmp_path / "test.npz"
    save(some(), path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {**members, "probabilities.npy": content, "names.npy": members["names.npy"]}.items():
            archive.writestr(name, data)
    with pytest.raises(InputError, match=r"test\.npz (is damaged|lacks an array)"):
        load(path)
