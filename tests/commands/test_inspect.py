"""Command `inspect`: draws the figures of a run. tests/commands/test_settings.py draws those of settings."""

from xml.etree import ElementTree

from PIL import Image

ALWAYS = ("best-worst", "contact-sheet", "reliability")


def files(names):
    return sorted(f"{name}{suffix}" for name in names for suffix in (".png", ".svg"))


def check_figures(folder, names):
    """Check that the folder holds exactly these figures and those of every task, and that all of them open."""
    assert sorted(path.name for path in folder.iterdir()) == files((*ALWAYS, *names))
    for path in folder.glob("*.png"):
        with Image.open(path) as image:
            image.load()
    for path in folder.glob("*.svg"):
        ElementTree.parse(path)


def test_figures_of_a_camera_run(home, command, capsys):
    assert command("inspect", "runs/job") == 0
    names = (*ALWAYS, "confusion-camera")
    check_figures(home / "runs" / "job" / "figures", ("confusion-camera",))
    paths = capsys.readouterr().out.split()
    assert sorted(paths) == [f"runs/job/figures/{name}" for name in files(names)]


def test_run_without_predictions_raises(home, command, capsys):
    for path in home.glob("runs/job/predictions/*/*.npz"):
        path.unlink()
    assert command("inspect", "runs/job") == 2
    assert (
        capsys.readouterr().err == "error: the run runs/job has no predictions of its head camera; run predict first\n"
    )
    assert not (home / "runs" / "job" / "figures").exists()


def test_unknown_run_raises(home, command, capsys):
    assert command("inspect", "runs/jobs") == 2
    assert capsys.readouterr().err == "error: unknown run 'runs/jobs'; known: runs/job; did you mean 'runs/job'?\n"


def test_missing_photo_raises(home, command, capsys):
    for path in home.glob("photos/train/*/*.jpg"):
        path.unlink()
    assert command("inspect", "runs/job") == 2
    assert "does not exist" in capsys.readouterr().err
    assert not (home / "runs" / "job" / "figures").exists()
