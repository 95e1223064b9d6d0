"""Command `virtual --splices`: makes a data set of splices."""

from competition.forgeries.datasets import open_dataset


def test_splices_have_the_general_layout(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert command("virtual", "--splices", "--size", "smoke", "--jobs", 1) == 0
    assert len(open_dataset("general", tmp_path / "data" / "splices-smoke")) == 8
    assert "4 spliced and 4 authentic images, simulated" in capsys.readouterr().out


def test_options_that_do_not_apply_to_splices_raise(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert command("virtual", "--splices", "--sheet", "sheet.png") == 2
    assert "--sheet" in capsys.readouterr().err
    assert command("virtual", "--splices", "--size", "settings") == 2
    assert "smoke, small, full" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
