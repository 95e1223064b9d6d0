"""The house keeps its floors: imports point down, and heavy packages are loaded only where needed."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = {"competition": 1, "augment": 2, "models": 3, "submissions": 4, "commands": 5}
FILES = sorted(path.relative_to(ROOT) for package in FLOORS for path in (ROOT / package).rglob("*.py"))
TENSORFLOW_ONLY = "models/training/backend.py"  # and only inside its functions: other Keras backends must never load it
KERAS_AT_IMPORT = (
    "augment/loaders.py",
    "models/",
    "submissions/predict.py",
    "submissions/members.py",
    "submissions/predict_photos.py",
)
HEAVY = {"keras", "tensorflow", "pandas"}


def imports(tree: ast.AST, inside_functions: bool) -> Iterator[str]:
    """Absolute names of imported modules; with `inside_functions=False` only what importing the file runs."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif inside_functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from imports(node, inside_functions)


def violations(path: Path, source: str) -> list[str]:
    """What a file imports against the rules of the house."""
    tree = ast.parse(source)
    at_import = {name.partition(".")[0] for name in imports(tree, inside_functions=False)}
    everywhere = {name.partition(".")[0] for name in imports(tree, inside_functions=True)}
    floor = FLOORS[path.parts[0]]
    found = [f"imports {name} of a higher floor" for name in everywhere if FLOORS.get(name, 0) > floor]
    found += ["imports relatively"] * any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))
    if not path.as_posix().startswith(KERAS_AT_IMPORT):
        if "keras" in at_import:
            found.append("loads keras when it is imported")
        if "keras" in everywhere and floor <= FLOORS["augment"]:
            found.append("loads keras, and data code needs none")
    if "tensorflow" in everywhere and path.as_posix() != TENSORFLOW_ONLY:
        found.append("loads tensorflow")
    if "tensorflow" in at_import:
        found.append("loads tensorflow when it is imported")
    return found


def test_every_package_has_files():
    assert {path.parts[0] for path in FILES} == set(FLOORS)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_the_floors_are_kept(path):
    assert violations(path, (ROOT / path).read_text()) == []


@pytest.mark.parametrize(
    "path, source, found",
    [
        ("competition/a.py", "from augment.crops import center", "higher floor"),
        ("augment/a.py", "def f():\n    import models.classifier", "higher floor"),
        ("models/a.py", "if True:\n    from submissions import blending", "higher floor"),
        ("submissions/a.py", "from . import blending", "relatively"),
        ("commands/a.py", "import keras.models", "loads keras when"),
        ("submissions/a.py", "class A:\n    import keras", "loads keras when"),
        ("augment/crops.py", "def f():\n    import keras", "data code"),
        (
            "models/a.py",
            "def f():\n    try:\n        import tensorflow.data\n    finally:\n        pass",
            "tensorflow",
        ),
        ("models/training/backend.py", "import tensorflow as tf", "tensorflow when"),
    ],
)
def test_a_broken_rule_is_noticed(path, source, found):
    assert found in " ".join(violations(Path(path), source))


@pytest.mark.parametrize(
    "path, source",
    [
        ("commands/a.py", "def run():\n    import keras\n    from models import network"),
        ("augment/loaders.py", "import keras"),
        ("models/a.py", "import keras\nfrom competition import scoring"),
        ("submissions/predict.py", "from keras import ops"),
        ("models/training/backend.py", "def f():\n    import tensorflow as tf"),
    ],
)
def test_what_is_allowed_passes(path, source):
    assert violations(Path(path), source) == []


@pytest.mark.parametrize("words, code", [(["--help"], 0), (["trian"], 2)])
def test_the_front_door_answers_without_a_framework(words, code):
    command = [sys.executable, "-X", "importtime", "-m", "commands", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr[-500:]
    loaded = set(re.findall(r"^import time: .*\| +(\S+)$", done.stderr, flags=re.MULTILINE))
    assert "argparse" in loaded
    assert not loaded & HEAVY
