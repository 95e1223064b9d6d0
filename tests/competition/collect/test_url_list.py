"""A list of addresses is checked whole, before anything is fetched."""

import pytest

from competition.collect.url_list import Address, check_camera, read_list
from competition.utils.errors import InputError


@pytest.fixture
def listed(tmp_path):
    """Writes a list and reads it."""

    def read(text: str, encoding: str = "utf-8"):
        path = tmp_path / "list.csv"
        path.write_text(text, encoding=encoding)
        return read_list(path)

    return read


def test_rows_become_addresses(listed):
    assert listed(
        "camera,URL , licence,device\n"
        'iPhone-6,"https://example.org/a,b.jpg",cc by 2.0,me\n'
        "\n"
        "Sony NEX_7+,http://example.org/c.jpg,own,\n"
        'iPhone-6,"https://example.org/a,b.jpg",cc by 2.0,me\n',
        encoding="utf-8-sig",  # as spreadsheets write it
    ) == [
        Address("https://example.org/a,b.jpg", "iPhone-6", "me", "CC-BY-2.0", "list.csv"),
        Address("http://example.org/c.jpg", "Sony NEX_7+", "", "own", "list.csv"),
    ]


def test_the_device_may_be_left_out(listed):
    assert [address.device for address in listed("url,camera,licence\nhttp://a/b,c,own\n")] == [""]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has the columns .none.; expected url, camera, licence and, where known, device"),
        ("url,camera\n", "has the columns url, camera; expected"),
        ("url,camera,licence,color\n", "has the columns url, camera, licence, color; expected"),
        ("url,camera,licence,url\n", "expected"),
        ("url,camera,licence\n", "lists no address"),
        ("url,camera,licence\nhttp://a/b,c\n", "line 2: not as many fields"),
        ("url,camera,licence\nhttp://a/b,c,own,more\n", "line 2: not as many fields"),
        ('url,camera,licence\n"http://a/b"x,c,own\n', "is not a CSV file"),
        ("url,camera,licence\nhttp://a/b,c,own\nhttp://a/d,c,GPL\n", "line 3: unknown licence 'GPL'"),
        ("url,camera,licence\n,c,own\n", "line 2: '' is no address"),
        ("url,camera,licence\nhttp://a/b c,c,own\n", "line 2: .* is no address"),
        ("url,camera,licence\nhttp://a/b,c,own\nhttp://a/b,d,own\n", "line 3: http://a/b is listed for c and for d"),
    ],
)
def test_a_bad_list_is_refused_in_one_line(text, told, listed):
    with pytest.raises(InputError, match=told) as caught:
        listed(text)
    assert "\n" not in str(caught.value)


def test_a_password_in_an_address_is_refused_and_not_repeated(listed):
    with pytest.raises(InputError, match="line 2: an address with a name or password") as caught:
        listed("url,camera,licence\nhttp://me:geheim@a/b,c,own\n")
    assert "geheim" not in str(caught.value)


def test_a_missing_list(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_list(tmp_path / "list.csv")


@pytest.mark.parametrize(
    "name", ["..", ".", "", "../up", "a/b", "a\\b", "/etc", ".hidden", "a.", "a ", "a\nb", "-rf", "a" * 101]
)
def test_a_camera_cannot_leave_its_folder(name, listed):
    with pytest.raises(InputError, match="is no name for a camera's folder"):
        check_camera(name)


@pytest.mark.parametrize("name", ["iPhone-6", "a", "Sony NEX_7+", "v1.2", "Ünïcode"])
def test_names_of_cameras(name):
    assert check_camera(name) == name
