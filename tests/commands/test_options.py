"""Options that several commands share; those of argparse types are tested with bad input."""

import argparse

import pytest

from commands.options import add_json_option, messages_aside


def test_json_is_an_option_without_a_value():
    parser = argparse.ArgumentParser()
    add_json_option(parser)
    assert parser.parse_args(["--json"]).json
    assert not parser.parse_args([]).json


@pytest.mark.parametrize("aside", [False, True])
def test_messages_go_to_standard_error_beside_a_json_table(aside, capsys):
    with messages_aside(aside):
        print("a message")
    print("the table")
    printed = capsys.readouterr()
    assert printed.out == ("the table\n" if aside else "a message\nthe table\n")
    assert printed.err == ("a message\n" if aside else "")
