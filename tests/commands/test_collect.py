"""The command `collect`, without a network."""

import argparse

import pytest

from commands import collect
from competition.collect.http import Limits


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    monkeypatch.delenv("FLICKR_API_KEY", raising=False)


def test_refused_urls_are_reported_and_recorded(command, tmp_path, capsys):
    (tmp_path / "list.csv").write_text("url,camera,licence\nfile:///etc/passwd,iPhone-6,own\n")
    arguments = ["collect", "--list", tmp_path / "list.csv", "--out", tmp_path / "out"]
    assert command(*arguments) == 0
    printed = capsys.readouterr().out
    assert "not a valid URL: expected http or https with a host, received file" in printed
    assert "0 were finished before" in printed
    assert command(*arguments) == 0
    assert "1 were finished before" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--flickr", "iPhone-6"], "FLICKR_API_KEY is not set"),
        (["--list", "absent.csv"], "absent.csv does not exist"),
        (["--list", "absent.csv", "--text", "six"], "only apply with --flickr"),
    ],
)
def test_invalid_input_is_one_line_and_writes_nothing(arguments, message, error_of, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message in error_of("collect", "--out", "out", *arguments)


def test_an_unknown_camera_is_rejected_without_the_key(error_of, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLICKR_API_KEY", "geheim")
    error = error_of("collect", "--out", "out", "--flickr", "iPhone-66")
    assert "unknown camera 'iPhone-66'" in error
    assert "geheim" not in error


def test_default_options_are_the_default_limits():
    parser = argparse.ArgumentParser()
    collect.add_arguments(parser)
    assert collect.limits(parser.parse_args(["--list", "a.csv", "--out", "out"])) == Limits()
