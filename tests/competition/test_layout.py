"""The forms in which the competition's data are in use are found, and a test set is never lost silently."""

from pathlib import Path

import pytest

from competition.layout import describe_layout, find_layout
from competition.manifest import read_folder
from competition.prepare.run import prepare
from competition.utils.errors import InputError
from submissions.submission_csv import read_expected_names

FORMS = {
    "described": ("train", "test"),
    "doubled": ("train/train", "test/test"),
    "train doubled": ("train/train", "test"),
    "test doubled": ("train", "test/test"),
    "cameras alone": (".", "test"),
    "cameras alone, test doubled": (".", "test/test"),
}


@pytest.fixture
def arrange(photo_folder, tmp_path):
    """A function that makes a data folder of three cameras and six test images in a form of `FORMS`."""

    def make(train: str, test: str) -> Path:
        made = photo_folder(tmp_path / "made", photos=2, test=1)
        (made / "solution.csv").unlink()
        (made / "train").rename(made / ".train")
        (made / "test").rename(made / ".test")
        for name, place in ((".train", train), (".test", test)):
            (made / place).mkdir(parents=True, exist_ok=True)
            for path in sorted((made / name).iterdir()):
                path.rename(made / place / path.name)
            (made / name).rmdir()
        return made

    return make


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_photos(form, arrange):
    train, test = FORMS[form]
    folder = arrange(train, test)
    layout = find_layout(folder)
    assert (layout.train, layout.test) == (folder / train, folder / test)
    table, skipped = read_folder(folder)
    assert skipped == {}
    assert table["split"].value_counts().to_dict() == {"train": 6, "test": 6}
    assert table["camera"].value_counts().to_dict() == {"cat": 2, "dog": 2, "eel": 2}
    assert all((folder / path).is_file() for path in table["path"])
    assert len(read_expected_names(folder)) == 6


@pytest.mark.parametrize("form", FORMS)
def test_every_form_can_be_prepared_twice(form, arrange, tmp_path):
    folder = arrange(*FORMS[form])
    for _ in range(2):
        prepare(folder, tmp_path / "prepared")
    assert read_folder(tmp_path / "prepared")[0]["path"].tolist() == read_folder(folder)[0]["path"].tolist()


def test_a_layout_is_described_in_one_line(arrange):
    folder = arrange("train/train", "test")
    assert describe_layout(find_layout(folder)) == (
        f"{folder}: 3 camera folders in train/train, 6 test images in test, sample_submission.csv"
    )


def test_a_folder_without_a_test_set_says_so(photo_folder, tmp_path):
    folder = photo_folder(tmp_path / "photos", photos=1)
    assert describe_layout(find_layout(folder)) == f"{folder}: 3 camera folders in train, no test set"


@pytest.mark.parametrize(("train", "inner"), [("train", "train"), ("train/train", "train"), ("train/train",) * 2])
def test_the_training_folder_alone_would_lose_the_test_set(train, inner, arrange, monkeypatch):
    folder = arrange(train, "test/test")
    message = f"contains only the training photos of {folder}: the test set {folder}/test would be lost; pass {folder}"
    with pytest.raises(InputError, match=message):
        find_layout(folder / inner)
    monkeypatch.chdir(folder / inner)
    with pytest.raises(InputError, match=message):
        find_layout(Path())


def test_the_training_folder_alone_is_accepted_without_a_test_set(photo_folder, tmp_path):
    folder = photo_folder(tmp_path / "photos", photos=1) / "train"
    assert find_layout(folder).train == folder


def test_test_images_in_an_unknown_folder_would_be_lost(arrange):
    folder = arrange("train", "test/images")
    with pytest.raises(InputError, match=f"the folder images: the test set would be lost; move .* to {folder}/test"):
        find_layout(folder)


def test_two_folders_of_test_images_are_ambiguous(arrange):
    folder = arrange("train", "test")
    (folder / "test" / "test").mkdir()
    (folder / "test" / "img_x_unalt.tif").write_bytes(b"II*\0")
    (folder / "test" / "test" / "img_x_unalt.tif").write_bytes(b"II*\0")
    with pytest.raises(InputError, match="test/test both contain images; move all test images"):
        find_layout(folder)


def test_a_whole_download_inside_train_would_lose_the_test_set(arrange):
    folder = arrange("train/train", "train/test")
    with pytest.raises(InputError, match=f"the test set {folder}/train/test would be lost; pass {folder}/train"):
        find_layout(folder)
    assert find_layout(folder / "train").train == folder / "train" / "train"


def test_a_folder_around_the_data_folder_names_it(arrange):
    folder = arrange("train", "test")
    with pytest.raises(InputError, match=f"has no folder 'train'; .*, or pass {folder}"):
        find_layout(folder.parent)


def test_a_folder_with_an_archive_names_it(tmp_path):
    (tmp_path / "sp-society.zip").write_bytes(b"PK")
    with pytest.raises(InputError, match=f"or pass {tmp_path}/sp-society.zip"):
        find_layout(tmp_path)


def test_an_archive_of_test_images_that_is_not_unpacked_would_be_lost(photo_folder, tmp_path):
    folder = photo_folder(tmp_path / "photos", photos=1)
    (folder / "test.zip").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"test\.zip is not unpacked; unpack it to"):
        find_layout(folder)


def test_photos_beside_camera_folders_are_skipped_and_named(arrange):
    folder = arrange(".", "test")
    (folder / "cat" / "0.jpg").rename(folder / "stray.jpg")
    assert read_folder(folder)[1] == {"stray.jpg": "not inside a camera's folder"}
