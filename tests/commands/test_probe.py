"""The command hands on what was asked, tells what was measured, and refuses what it is not for."""

import argparse
from pathlib import Path

import numpy as np
import pytest

from commands import probe
from competition.utils.errors import InputError
from submissions import exif_language
from submissions.probes import linear_probe as probing
from submissions.probes.targets import TARGETS


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    probe.add_arguments(parser)
    return parser.parse_args(words)


def test_what_was_asked_is_handed_on(monkeypatch, capsys):
    labels = np.arange(12) % 3
    asked = []

    def probe_run(run, *words):
        asked.append((run, words))
        sample = argparse.Namespace(labels=labels, measured=labels < 3, classes=("a", "b", "c"))
        fitted = {probing.THIS: probing.Probe(np.ones(12), 0.1), probing.UNTRAINED: probing.Probe(labels / 2, 10.0)}
        return probing.score(fitted, sample).assign(note="one thing; another")

    run = argparse.Namespace(folder=Path("runs/one"))
    monkeypatch.setattr(exif_language, "open_exif_language", lambda folder: run)
    monkeypatch.setattr(probing, "probe_run", probe_run)
    probe.run(parse("runs/one", "--target", "make", "--classifier", "runs/two", "--patches", "4", "--jobs", "2"))
    assert asked == [(run, ("make", None, None, "casia1", Path("runs/two"), 4, 0, 2))]
    told = capsys.readouterr().out
    assert "1.000 [1.000, 1.000]" in told and "note: another" in told and "runs/one/probe-make.csv" in told


def test_what_it_is_not_for_is_refused(tmp_path):
    with pytest.raises(InputError, match="nowhere does not exist"):
        probe.run(parse("runs/one", "--target", "make", "--data", "nowhere"))
    (tmp_path / "config.json").write_text('{"recipes": {}}')
    with pytest.raises(InputError, match="is not an exif-language run"):
        probe.run(parse(str(tmp_path), "--target", "make"))


def test_the_help_names_every_target():
    parser = argparse.ArgumentParser()
    probe.add_arguments(parser)
    told = "".join(parser.format_help().split())  # lines are broken at hyphens, too
    assert all(target in told for target in TARGETS)
