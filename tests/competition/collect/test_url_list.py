"""A list of URLs is validated as a whole, before anything is downloaded."""

import pytest

from competition.collect.url_list import PhotoUrl, check_camera_name, read_url_list
from competition.utils.errors import InputError


@pytest.fixture
def read(tmp_path):
    """A function that writes a list and reads it."""

    def read(text: str, encoding: str = "utf-8"):
        path = tmp_path / "list.csv"
        path.write_text(text, encoding=encoding)
        return read_url_list(path)

    return read


def test_rows_become_urls_with_canonical_licenses(read):
    assert read(
        "camera,URL , licence,device\n"
        'iPhone-6,"https://example.org/a,b.jpg",cc by 2.0,me\n'
        "\n"
        "Sony NEX_7+,http://example.org/c.jpg,own,\n"
        'iPhone-6,"https://example.org/a,b.jpg",cc by 2.0,me\n',
        encoding="utf-8-sig",  # as spreadsheet programs write it
    ) == [
        PhotoUrl("https://example.org/a,b.jpg", "iPhone-6", "me", "CC-BY-2.0", "list.csv"),
        PhotoUrl("http://example.org/c.jpg", "Sony NEX_7+", "", "own", "list.csv"),
    ]


def test_the_device_is_optional(read):
    assert [photo.device for photo in read("url,camera,licence\nhttp://a/b,c,own\n")] == [""]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has the columns .none.; expected url, camera, licence and, where known, device"),
        ("url,camera\n", "has the columns url, camera; expected"),
        ("url,camera,licence,color\n", "has the columns url, camera, licence, color; expected"),
        ("url,camera,licence,url\n", "expected"),
        ("url,camera,licence\n", "lists no URL"),
        ("url,camera,licence\nhttp://a/b,c\n", "line 2: expected 3 fields"),
        ("url,camera,licence\nhttp://a/b,c,own,more\n", "line 2: expected 3 fields"),
        ('url,camera,licence\n"http://a/b"x,c,own\n', "is not a CSV file"),
        ("url,camera,licence\nhttp://a/b,c,own\nhttp://a/d,c,GPL\n", "line 3: unknown license 'GPL'"),
        ("url,camera,licence\n,c,own\n", "line 2: '' is not a URL"),
        ("url,camera,licence\nhttp://a/b c,c,own\n", "line 2: .* is not a URL"),
        ("url,camera,licence\nhttp://a/b,c,own\nhttp://a/b,d,own\n", "line 3: http://a/b is listed for c and for d"),
    ],
)
def test_an_invalid_list_raises_a_one_line_error(text, message, read):
    with pytest.raises(InputError, match=message) as caught:
        read(text)
    assert "\n" not in str(caught.value)


def test_a_password_in_a_url_is_rejected_and_not_repeated(read):
    with pytest.raises(InputError, match="line 2: a URL with a user name or password") as caught:
        read("url,camera,licence\nhttp://me:geheim@a/b,c,own\n")
    assert "geheim" not in str(caught.value)


def test_a_missing_list_is_an_error(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_url_list(tmp_path / "list.csv")


@pytest.mark.parametrize(
    "name", ["..", ".", "", "../up", "a/b", "a\\b", "/etc", ".hidden", "a.", "a ", "a\nb", "-rf", "a" * 101]
)
def test_camera_names_that_could_leave_the_folder_are_rejected(name):
    with pytest.raises(InputError, match="is not a valid camera name"):
        check_camera_name(name)


@pytest.mark.parametrize("name", ["iPhone-6", "a", "Sony NEX_7+", "v1.2", "Ünïcode"])
def test_valid_camera_names_are_returned(name):
    assert check_camera_name(name) == name
