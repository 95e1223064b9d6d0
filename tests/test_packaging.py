"""The program starts from any folder: installed from a wheel, or by run.sh through a symbolic link.

The folders of these tests hold a `models.py` and a `competition.py` that must never be imported.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from competition import __version__

ROOT = Path(__file__).parents[1]
SOURCES = ("competition", "augment", "models", "submissions", "commands")
FILES = ("pyproject.toml", "README.md", "LICENSE", "requirements.txt", "camera_competition.py")
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
OFFLINE = ("--no-index", "--no-deps")


@pytest.fixture
def folder(tmp_path):
    """A folder of a user whose own modules have the names of ours."""
    for name in ("models.py", "competition.py", "commands.py"):
        (tmp_path / name).write_text("raise RuntimeError('imported the module of the user')\n")
    return tmp_path


def execute(folder, *words):
    """Run a program in `folder`, without variables that say where Python finds modules."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CAMERA_"))}
    command = [str(word) for word in words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def camera(tmp_path_factory):
    """The program `camera`, installed from a wheel into a new environment that also sees the packages of this one."""
    home = tmp_path_factory.mktemp("package")
    source = home / "source"
    for name in SOURCES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, source / name)
    done = execute(home, *PIP, "wheel", *OFFLINE, "--no-build-isolation", "--wheel-dir", home, source)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = home.glob("*.whl")
    environment = home / "environment"
    venv.create(environment, symlinks=True)
    paths = {"base": str(environment), "platbase": str(environment)}
    packages = Path(sysconfig.get_path("purelib", vars=paths))
    (packages / "packages_of_the_tests.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    python = Path(sysconfig.get_path("scripts", vars=paths)) / "python"
    done = execute(home, *PIP, "--python", python, "install", *OFFLINE, wheel)
    assert done.returncode == 0, done.stdout + done.stderr
    return python.with_name("camera")


@pytest.mark.slow
def test_installed_program_prints_its_version_and_no_commit(camera, folder):
    done = execute(folder, camera, "--version")
    assert (done.returncode, done.stdout) == (0, f"camera-competition {__version__}\n"), done.stderr


@pytest.mark.slow
def test_installed_program_describes_the_environment(camera, folder):
    done = execute(folder, camera, "info")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["git_commit"] is None


@pytest.mark.slow
def test_installed_program_reports_errors_under_its_own_name(camera, folder):
    done = execute(folder, camera, "trian")
    assert done.returncode == 2
    assert re.fullmatch(r"error: .*'trian'.* \(see camera --help\)\n", done.stderr)
    done = execute(folder, camera, "test")
    assert done.returncode == 2
    assert re.fullmatch(r"error: the tests are not installed; .*\n", done.stderr)
    done = execute(folder, camera, "train", "dctnet", "--augment", "social")  # the packaged pipelines are installed
    assert (done.returncode, "camera-phone, social-media" in done.stderr) == (2, True)


@pytest.mark.slow
def test_wheel_has_the_templates_of_pages(camera):
    packages = next(camera.parents[1].glob("lib/python*/site-packages"))
    for page in (ROOT / "submissions").glob("*/templates/*"):
        assert (packages / page.relative_to(ROOT)).is_file()


@pytest.mark.slow
def test_installed_program_works_in_processes_and_writes_below_the_folder_of_the_caller(camera, folder):
    done = execute(folder, camera, "virtual", "--size", "smoke", "--jobs", 2)
    assert done.returncode == 0, done.stderr
    assert "next: camera train ensemble --data data/virtual-smoke" in done.stdout
    assert (folder / "data" / "virtual-smoke" / "sample_submission.csv").is_file()


@pytest.fixture
def link(folder):
    """A relative symbolic link to another link to run.sh."""
    (folder / "bin").mkdir()
    (folder / "bin" / "absolute").symlink_to(ROOT / "run.sh")
    (folder / "camera").symlink_to(Path("bin") / "absolute")
    return "./camera"


def test_run_sh_prints_the_version_and_the_commit_of_the_clone(link, folder):
    done = execute(folder, link, "--version")
    assert re.fullmatch(rf"camera-competition {re.escape(__version__)}( \(commit \w+\+?\))?\n", done.stdout), (
        done.stderr
    )
    assert ("commit" in done.stdout) == (ROOT / ".git").exists()


def test_run_sh_names_the_command_that_was_used(link, folder):
    assert "usage: ./camera train" in execute(folder, link, "train", "--help").stdout
    assert execute(folder, link, "trian").stderr.endswith("(see ./camera --help)\n")


@pytest.mark.slow
@pytest.mark.skipif(
    not (ROOT / ".venv" / ".installed-requirements.txt").is_file(), reason="run.sh did not set up .venv"
)
def test_run_sh_through_a_link_resolves_paths_against_the_folder_of_the_caller(link, folder, photo_folder):
    photo_folder(folder / "photos", photos=2)
    done = execute(folder, link, "doctor", "photos", "--out", "checked/doctor.csv", "--jobs", 2)
    assert done.returncode == 0, done.stderr
    assert len((folder / "checked" / "doctor.csv").read_text().splitlines()) == 1 + 6
    done = execute(folder, link, "train", "convnet", "--data", "absent")
    assert (done.returncode, done.stderr) == (
        2,
        "error: the folder absent does not exist; expected train/<camera>/*.jpg in it (see ./camera train --help)\n",
    )


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["experiment", "--help"], ["--version"], ["trian"]])
def test_help_and_errors_need_no_installed_package(words, folder):
    python = Path(sys.base_prefix) / "bin" / "python3"
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from commands.__main__ import main; main({words!r})"
    done = execute(folder, python, "-I", "-S", "-c", code)
    assert done.returncode == (2 if words == ["trian"] else 0), done.stderr
