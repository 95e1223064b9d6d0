"""Command `probe`: passes its options on, prints the scores, and rejects invalid input."""

import argparse
from pathlib import Path

import numpy as np
import pytest

from commands import probe
from competition.utils.errors import InputError
from submissions import exif_language
from submissions.probes import linear_probe
from submissions.probes.targets import TARGETS, Sample


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    probe.add_arguments(parser)
    return parser.parse_args(arguments)


def test_options_are_passed_on_and_scores_printed(monkeypatch, capsys):
    labels = np.arange(12) % 3
    calls = []

    def probe_run(run, *arguments):
        calls.append((run, arguments))
        names = labels.astype(str)
        sample = Sample(Path(), names, ("a", "b", "c"), labels, labels < 3, names, lambda pixels, index: pixels, ())
        probes = {
            linear_probe.TRAINED: linear_probe.Probe(np.ones(12), 0.1),
            linear_probe.UNTRAINED: linear_probe.Probe(labels / 2, 10.0),
        }
        return linear_probe.score_probes(probes, sample).assign(note="first note; second note")

    run = argparse.Namespace(folder=Path("runs/one"))
    monkeypatch.setattr(exif_language, "open_exif_language", lambda folder: run)
    monkeypatch.setattr(linear_probe, "probe_run", probe_run)
    probe.run(parse("runs/one", "--target", "make", "--classifier", "runs/two", "--patches", "4", "--jobs", "2"))
    assert calls == [(run, ("make", None, None, "casia1", Path("runs/two"), 4, 0, 2))]
    output = capsys.readouterr().out
    assert "1.000 [1.000, 1.000]" in output and "note: second note" in output
    assert "runs/one/probe-make.csv" in output


def test_missing_data_folder_and_other_kind_of_run_raise(tmp_path):
    with pytest.raises(InputError, match="nowhere does not exist"):
        probe.run(parse("runs/one", "--target", "make", "--data", "nowhere"))
    (tmp_path / "config.json").write_text('{"format_version": 2, "recipes": {}}')
    with pytest.raises(InputError, match="is not an exif-language run"):
        probe.run(parse(str(tmp_path), "--target", "make"))


def test_help_lists_every_target():
    parser = argparse.ArgumentParser()
    probe.add_arguments(parser)
    text = "".join(parser.format_help().split())  # lines may be broken at hyphens
    assert all(target in text for target in TARGETS)
