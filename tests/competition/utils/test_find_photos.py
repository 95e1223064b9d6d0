import pytest

from competition.utils.errors import InputError
from competition.utils.find_photos import IMAGE_SUFFIXES, find_photos, list_files


@pytest.fixture
def folder(tmp_path):
    for name in ("b.jpg", "a.PNG", "c.bmp", "notes.txt", ".hidden.jpg", "deep/d.TIF", "deep/er/e.jpeg", ".cache/f.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.jpg").mkdir()
    return tmp_path


def names(folder, found):
    return [path.relative_to(folder).as_posix() for path in found]


def test_photos_are_found_by_suffix_in_any_case_and_sorted(folder):
    assert names(folder, find_photos(folder)) == ["a.PNG", "b.jpg"]


def test_other_suffixes_can_be_chosen(folder):
    assert names(folder, find_photos(folder, IMAGE_SUFFIXES)) == ["a.PNG", "b.jpg", "c.bmp"]
    assert names(folder, find_photos(folder, {".txt"})) == ["notes.txt"]


def test_a_recursive_search_includes_all_folders_but_hidden_ones(folder):
    found = names(folder, find_photos(str(folder), recursive=True))
    assert found == ["a.PNG", "b.jpg", "deep/d.TIF", "deep/er/e.jpeg"]


def test_a_named_file_is_returned_whatever_its_suffix(folder):
    for name in ("notes.txt", ".hidden.jpg", "absent.jpg"):
        assert find_photos(folder / name) == [folder / name]


def test_a_hidden_folder_that_is_named_is_searched(folder):
    assert names(folder, find_photos(folder / ".cache")) == [".cache/f.jpg"]


def test_broken_links_are_listed_so_that_readers_report_them(folder):
    (folder / "link.jpg").symlink_to(folder / "absent.jpg")
    assert folder / "link.jpg" in find_photos(folder)


def test_all_files_are_listed_relative_to_the_folder(folder):
    assert list_files(folder) == ["a.PNG", "b.jpg", "c.bmp", "deep/d.TIF", "deep/er/e.jpeg", "notes.txt"]
    assert list_files(folder, recursive=False) == ["a.PNG", "b.jpg", "c.bmp", "notes.txt"]


def test_a_folder_that_cannot_be_read_is_rejected(tmp_path):
    with pytest.raises(InputError, match="absent cannot be read"):
        list_files(tmp_path / "absent")
