"""Options that several commands share; those of argparse types are tested with bad input."""

import argparse

import pytest

from commands.options import add_json_option, messages_aside


def test_json_is_an_option_without_a_value():
    parser = argparse.ArgumentParser()
    add_json_option(parser)
    assert parser.parse_args(["--json"]).json
    assert not parser.parse_args([]).json


def test_quiet_leaves_the_json_table_alone(capsys, monkeypatch):
    monkeypatch.setenv("TQDM_DISABLE", "1")
    with messages_aside(True):
        print("a message")
    print("the table")
    assert tuple(capsys.readouterr()) == ("the table\n", "")


@pytest.mark.parametrize("aside", [False, True])
def test_messages_go_to_standard_error_beside_a_json_table(aside, capsys):
    with messages_aside(aside):
        print("a message")
    print("the table")
    printed = capsys.readouterr()
    assert printed.out == ("the table\n" if aside else "a message\nthe table\n")
    assert printed.err == ("a message\n" if aside else "")
