"""`./run.sh collect` from the outside, without a network."""

import pytest

from commands.__main__ import main


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    monkeypatch.delenv("FLICKR_API_KEY", raising=False)


def test_addresses_that_are_none_are_told_and_recorded(tmp_path, capsys):
    (tmp_path / "list.csv").write_text("url,camera,licence\nfile:///etc/passwd,iPhone-6,own\n")
    words = ["collect", "--list", str(tmp_path / "list.csv"), "--out", str(tmp_path / "out")]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert "not an address of the web (http or https): file" in told
    assert "0 were dealt with before" in told
    assert main(words) == 0
    assert "1 were dealt with before" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--flickr", "iPhone-6"], "FLICKR_API_KEY is not set"),
        (["--list", "absent.csv"], "absent.csv does not exist"),
        (["--list", "absent.csv", "--text", "six"], "belong to --flickr"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line_and_nothing_is_made(words, told, tmp_path, capsys):
    assert main(["collect", "--out", str(tmp_path / "out"), *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_an_unknown_camera(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("FLICKR_API_KEY", "geheim")
    assert main(["collect", "--out", str(tmp_path / "out"), "--flickr", "iPhone-66"]) == 2
    error = capsys.readouterr().err
    assert "unknown camera 'iPhone-66'" in error
    assert "geheim" not in error
