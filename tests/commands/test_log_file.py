import re
import sys

import pytest

from commands.log_file import LOG, log_file
from competition.utils.errors import InputError

TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d  "


def lines(folder):
    """The lines of the log without their times."""
    text = (folder / LOG).read_text()
    assert re.fullmatch(rf"({TIME}.*\n)*", text)
    return re.sub(rf"^{TIME}", "", text, flags=re.MULTILINE).splitlines()


def test_what_is_printed_is_logged_and_printed(tmp_path, capsys):
    with log_file(tmp_path, "train ensemble"):
        print("one\n\ntwo", end=" ")
        print("words")
        print("warning: three", file=sys.stderr)
    assert lines(tmp_path) == ["train ensemble", "one", "two words", "warning: three"]
    assert tuple(capsys.readouterr()) == ("one\n\ntwo words\n", "warning: three\n")
    with log_file(tmp_path, "again"):
        pass
    assert lines(tmp_path)[-1] == "again"


def test_only_the_last_state_of_a_bar_is_logged(tmp_path):
    with log_file(tmp_path, "begin"):
        for percent in (0, 50, 100):
            sys.stderr.write(f"\rtraining {percent}%")
        sys.stderr.write("\n")
    assert lines(tmp_path) == ["begin", "training 100%"]


def test_errors_are_logged_with_a_traceback_if_they_are_bugs(tmp_path):
    with pytest.raises(InputError), log_file(tmp_path, "begin"):
        raise InputError("give a smaller --batch")
    assert lines(tmp_path)[1:] == ["error: give a smaller --batch"]
    with pytest.raises(ZeroDivisionError), log_file(tmp_path, "begin"):
        print(1 / 0)
    assert "Traceback (most recent call last):" in lines(tmp_path)
    assert lines(tmp_path)[-1] == "ZeroDivisionError: division by zero"
