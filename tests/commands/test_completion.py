import subprocess
import sys

import pytest

from commands.completion import SHELLS


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_names_commands_options_and_values(shell, command, capsys):
    assert command("--print-completion", shell) == 0
    script = capsys.readouterr().out
    for word in ("evaluate-splices", "--learning-rate", "densenet201", "exif-language", "camera,settings"):
        assert word in script


def test_bash_completes_members(command, capsys):
    assert command("--print-completion", "bash") == 0
    script = capsys.readouterr().out
    lines = [script, 'COMP_WORDS=(camera train dense) COMP_CWORD=2 COMP_LINE="camera train dense"']
    lines += ["$(complete -p camera | sed 's/.*-F \\([^ ]*\\).*/\\1/')", 'echo "${COMPREPLY[@]}"']
    done = subprocess.run(["bash", "-c", "\n".join(lines)], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["densenet201"], done.stderr


def test_a_missing_package_is_named(command, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert command("--print-completion", "bash") == 2
    assert "needs the package shtab; run pip install -r requirements.txt" in capsys.readouterr().err
