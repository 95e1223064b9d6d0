import os
import sys

from commands.messages import print_messages, quiet, warn
from competition.utils.progress import QUIET, is_quiet


def test_warnings_go_to_standard_error(capsys):
    warn("a")
    print_messages(["warning: b", "note: c"])
    assert tuple(capsys.readouterr()) == ("note: c\n", "warning: a\nwarning: b\n")


def test_quiet_keeps_warnings_and_json(capsys, monkeypatch):
    monkeypatch.delenv(QUIET, raising=False)
    for keep_output in (False, True):
        with quiet(keep_output):
            assert is_quiet()
            print("result")
            print("error", file=sys.stderr)
        assert tuple(capsys.readouterr()) == ("result\n" if keep_output else "", "error\n")
    assert QUIET not in os.environ


def test_quiet_command_prints_nothing(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert command("virtual", "--size", "smoke", "--splices", "--jobs", 1, "--quiet") == 0
    assert tuple(capsys.readouterr()) == ("", "")
    assert (tmp_path / "data" / "splices-smoke" / "splices.csv").is_file()
    assert command("leaderboard", "absent", "--quiet") == 2
    assert capsys.readouterr().err.startswith("error: unknown run 'runs/absent'")
