"""`environment` describes the backend and the versions; `git_commit` only names the commit of this code."""

import subprocess

import pytest

from submissions.environment import environment, git_commit


def test_environment_names_backend_devices_and_installed_packages():
    found = environment()
    assert {"version", "backend", "devices", "python", "git_commit", "free_memory_gib"} <= set(found)
    assert {"keras", "numpy", "opencv-python-headless"} <= set(found["packages"])
    assert found["backend"] in found["packages"]


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A git checkout with one commit."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "no-config"))

    def git(*words):
        identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
        subprocess.run(["git", *identity, *words], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    (tmp_path / "file").write_text("first")
    git("add", "file")
    git("commit", "-m", "first")
    return tmp_path


def test_commit_of_a_changed_checkout_ends_in_a_plus(checkout):
    commit = git_commit(checkout)
    assert commit is not None and len(commit) == 12
    (checkout / "file").write_text("second")
    assert git_commit(checkout) == f"{commit}+"


def test_code_below_another_checkout_has_no_commit(checkout):
    installed = checkout / ".venv" / "site-packages"
    installed.mkdir(parents=True)
    assert git_commit(installed) is None
