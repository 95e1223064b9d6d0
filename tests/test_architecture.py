"""The architecture: imports point down, frameworks are loaded only where needed, and modules are small and tested."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Set
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FACADE = "camera_competition"
LEVELS = {"competition": 1, "augment": 2, "models": 3, "submissions": 4, "commands": 5, FACADE: 5}
# Order within a package, from the bottom: modules and sub-packages import from their own tier and lower ones.
# "*" stands for all modules and sub-packages that are not named.
TIERS = {
    "competition": ({"utils"}, {"metadata"}, {"*"}, {"prepare", "doctor", "collect", "virtual"}),
    "augment": ({"crops", "decode", "dihedral", "prefetch"}, {"*"}, {"patches"}, {"loaders", "transforms"}),
    "models": (
        {"layers", "recipe", "resnet18"},
        {"backbones", "front_ends"},
        {"members", "saved"},
        {"classifier"},
        {"training"},
        {"presets", "exif_language", "*"},
    ),
    "submissions": ({"*"}, {"leaderboards", "reports"}, {"splices", "probes", "experiments"}, {"app"}),
}
TENSORFLOW_ONLY = "models/training/backend.py"  # and only inside its functions, for the other Keras backends
KERAS_AT_IMPORT = (
    "augment/loaders.py",
    "models/",
    "submissions/predict.py",
    "submissions/members.py",
    "submissions/predict_photos.py",
    "submissions/exports/",
    "submissions/experiments/robustness.py",
    "submissions/reports/explain.py",
    "submissions/reports/picture_sections.py",
    f"{FACADE}.py",
)
FRAMEWORK_FREE = ("competition/", "augment/", "models/presets/")
HEAVY = {"keras", "tensorflow", "pandas"}
MAX_LINES = 300
MAX_SUBMISSIONS_MODULES = 18  # at the top level of submissions/

FILES = sorted(
    path.relative_to(ROOT)
    for package in LEVELS
    for path in [*(ROOT / package).rglob("*.py"), ROOT / f"{package}.py"]
    if path.is_file()
)


def module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in FILES}


def imports(node: ast.AST, inside_functions: bool) -> Iterator[str]:
    """Absolute names of imported modules; with `inside_functions=False` only those loaded when the file is imported."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and not child.level:
            names = [f"{child.module}.{alias.name}" for alias in child.names]
            yield from (name if name in MODULES else str(child.module) for name in names)
        elif inside_functions or not (
            isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            or (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING")
        ):
            yield from imports(child, inside_functions)


def tier(package: str, name: str) -> int:
    """Tier of the module or sub-package `name`."""
    tiers = TIERS[package]
    named = [number for number, names in enumerate(tiers) if name in names]
    return named[0] if named else next(number for number, names in enumerate(tiers) if "*" in names)


def violations(path: Path, source: str) -> list[str]:
    """The rules about imports that a file breaks."""
    tree, name = ast.parse(source), path.as_posix()
    package, *inside = module_name(path).split(".")
    everywhere = set(imports(tree, inside_functions=True))
    libraries = {module.partition(".")[0] for module in everywhere}
    at_import = {module.partition(".")[0] for module in imports(tree, inside_functions=False)}
    level = LEVELS[package]
    found = [f"imports {library} of a higher level" for library in libraries if LEVELS.get(library, 0) > level]
    if package in TIERS and inside:
        own = tier(package, inside[0])
        others = {module.split(".")[1] for module in everywhere if module.startswith(f"{package}.")}
        found += [f"imports {package}.{other} of a higher tier" for other in others if tier(package, other) > own]
    found += ["imports relatively"] * any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))
    if "keras" in at_import and not name.startswith(KERAS_AT_IMPORT):
        found.append("loads keras when it is imported")
    if "keras" in libraries and name.startswith(FRAMEWORK_FREE) and name not in KERAS_AT_IMPORT:
        found.append("uses keras, which this package does not need")
    if "tensorflow" in libraries and name != TENSORFLOW_ONLY:
        found.append("loads tensorflow")
    if "tensorflow" in at_import:
        found.append("loads tensorflow when it is imported")
    return found


def cycle(graph: Mapping[str, Set[str]]) -> list[str]:
    """An import cycle, as a list of modules; empty if there is none."""
    done: set[str] = set()

    def visit(module: str, trail: list[str]) -> list[str]:
        if module in trail:
            return trail[trail.index(module) :]
        if module in done:
            return []
        for imported in sorted(graph[module] & graph.keys()):
            if found := visit(imported, [*trail, module]):
                return found
        done.add(module)
        return []

    return next(filter(None, (visit(module, []) for module in graph)), [])


def test_every_package_has_files():
    assert LEVELS.keys() - {path.parts[0] for path in FILES} <= {FACADE}


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_follow_the_rules(path):
    assert violations(path, (ROOT / path).read_text()) == []


def test_there_are_no_import_cycles():
    """Imports inside functions count, too."""
    sources = {module: ast.parse((ROOT / path).read_text()) for module, path in MODULES.items()}
    assert cycle({module: set(imports(tree, inside_functions=True)) for module, tree in sources.items()}) == []


@pytest.mark.parametrize("path", FILES, ids=str)
def test_modules_are_short(path):
    assert len((ROOT / path).read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", [path for path in FILES if path.name != "__init__.py"], ids=str)
def test_every_module_has_a_test_file_or_names_one(path):
    mirrored = Path("tests") / path.with_name(f"test_{path.stem.strip('_')}.py")
    named = re.findall(r"Tested by (tests/[\w/]+\.py)", ast.get_docstring(ast.parse((ROOT / path).read_text())) or "")
    missing = [file for file in named or [mirrored] if not (ROOT / file).is_file()]
    assert not missing, f"add {mirrored}, or write 'Tested by tests/<file>.py.' in the docstring of {path}"


@pytest.mark.parametrize("path", [path for path in FILES if path.name == "__init__.py"], ids=str)
def test_every_package_names_its_modules(path):
    docstring = ast.get_docstring(ast.parse((ROOT / path).read_text())) or ""
    inside = [file.relative_to(path.parent) for file in FILES if path.parent in file.parents]
    siblings = {file.parts[0].removesuffix(".py") for file in inside}
    assert {name for name in siblings if not re.search(rf"\b{name}\b", docstring)} <= {"__init__", "__main__"}


def test_submissions_is_a_short_list():
    top_level = [path for path in FILES if path.parent == Path("submissions") and path.name != "__init__.py"]
    assert len(top_level) <= MAX_SUBMISSIONS_MODULES


@pytest.mark.parametrize(
    ("path", "source", "found"),
    [
        ("competition/a.py", "from augment.crops import center", "higher level"),
        ("augment/a.py", "def f():\n    import models.classifier", "higher level"),
        ("models/a.py", "if True:\n    from submissions import blending", "higher level"),
        ("submissions/a.py", "import camera_competition", "higher level"),
        ("competition/utils/a.py", "from competition.metadata import header", "higher tier"),
        ("competition/metadata/a.py", "def f():\n    from competition.manifest import read_folder", "higher tier"),
        ("competition/manifest.py", "import competition.collect.record", "higher tier"),
        ("submissions/blending.py", "from submissions.splices.detector import detect", "higher tier"),
        ("submissions/tasks.py", "from submissions import reports", "higher tier"),
        ("submissions/a.py", "from . import blending", "relatively"),
        ("commands/a.py", "import keras.models", "loads keras when"),
        ("submissions/a.py", "class A:\n    import keras", "loads keras when"),
        ("augment/crops.py", "def f():\n    import keras", "does not need"),
        ("models/presets/a.py", "import keras", "does not need"),
        ("models/a.py", "def f():\n    try:\n        import tensorflow.data\n    finally:\n        pass", "tensorflow"),
        ("models/training/backend.py", "import tensorflow as tf", "tensorflow when"),
    ],
)
def test_violations_are_found(path, source, found):
    assert found in " ".join(violations(Path(path), source))


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("commands/a.py", "def run():\n    import keras\n    from models import classifier"),
        ("augment/loaders.py", "import keras"),
        ("models/a.py", "import keras\nfrom competition import manifest"),
        ("competition/doctor/a.py", "from competition.prepare import run"),
        ("competition/manifest.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pandas"),
        ("submissions/splices/a.py", "from submissions.run import Run"),
        ("submissions/predict.py", "from keras import ops"),
        ("models/training/backend.py", "def f():\n    import tensorflow as tf"),
        ("camera_competition.py", "from submissions.run import load_run"),
    ],
)
def test_allowed_imports_pass(path, source):
    assert violations(Path(path), source) == []


def test_cycles_are_found():
    assert cycle({"a": {"b", "os"}, "b": {"c"}, "c": set()}) == []
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]


@pytest.mark.parametrize(("arguments", "code"), [(["--help"], 0), (["trian"], 2)])
def test_help_and_errors_load_no_framework(arguments, code):
    command = [sys.executable, "-X", "importtime", "-m", "commands", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr[-500:]
    loaded = set(re.findall(r"^import time: .*\| +(\S+)$", done.stderr, flags=re.MULTILINE))
    assert "argparse" in loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize("package", ["competition.metadata", "competition.forgeries", "augment", "models.presets"])
def test_packages_of_data_code_load_no_framework(package):
    code = f"import sys, {package}; print(*{{'keras', 'tensorflow', 'torch', 'jax'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
