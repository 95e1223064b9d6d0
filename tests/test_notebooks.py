"""Notebooks in docs/ have no outputs, and every command in them exists with its options."""

import ast
import json
import re
import shlex
from pathlib import Path

import pytest

from commands.__main__ import make_parser

NOTEBOOKS = sorted((Path(__file__).parents[1] / "docs").glob("*.ipynb"))
SHELL = re.compile(r"^(\s*)[!%].*", re.MULTILINE)


def read_cells(path, kind):
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == kind]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_cells_are_valid_and_have_no_outputs(path):
    notebook = json.loads(path.read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    identifiers = [cell["id"] for cell in notebook["cells"]]
    assert len(set(identifiers)) == len(identifiers)
    for cell in read_cells(path, "code"):
        assert (cell["outputs"], cell["execution_count"]) == ([], None)
        ast.parse(SHELL.sub(r"\1pass", "".join(cell["source"])))  # lines for the shell are no Python


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_commands_exist(path):
    lines = [line.strip() for cell in read_cells(path, "code") for line in "".join(cell["source"]).splitlines()]
    commands = [shlex.split(line) for line in lines if line.startswith("!python -m commands ")]
    assert len(commands) >= 5
    for words in commands:
        make_parser().parse_args(words[3:])
