"""The report has the numbers of the run's files, and no name can break out of its place.

tests/commands/test_report.py opens the report of a trained run in a browser.
"""

from dataclasses import replace
from html.parser import HTMLParser

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from competition.utils.atomic_files import write_json
from competition.utils.errors import InputError
from models.classifier import build
from models.presets import classifier_recipe
from models.recipe import change
from models.saved import MODEL
from submissions.leaderboards.score import measure_ablation, measure_calibration, score_camera, score_settings
from submissions.prediction_cache import load, save
from submissions.reports.contents import Cell, accuracy_cell, interval_cell, number_cell
from submissions.reports.report import MODEL_CARD, REPORT, escape_markdown, write_report
from submissions.run import SIMULATED
from submissions.tasks import Task

SIDE = 64
EVIL = "<b>&\"'`|*x*</td><script>alert(1)</script>"
EVIL_NOTE = "</style><img src=x onerror=alert(1)>"
EMPTY = {"meta", "link", "img", "br", "line", "circle", "polyline"}


class Page(HTMLParser):
    """The elements, texts and attributes of a page; fails if elements are not closed in their order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def complete(run, note):
    """Give a run of `make_run` the files of a trained one: photos, notes, configuration, environment, scores."""
    rng = np.random.default_rng(0)
    for path in run.validation["path"].unique():
        (run.data / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)).save(run.data / path)
    (run.folder / "notes.txt").write_text(note)
    write_json({"format_version": 2, "seed": 0, "recipes": {"mobilenet": {"epochs": 3}}}, run.folder / "config.json")
    write_json({"backend": "tensorflow", "packages": {"keras": "3.0.0"}}, run.folder / "environment.json")
    if run.task.camera:
        score_camera(run)
        measure_ablation(run)
        measure_calibration(run)
    if run.task.settings:
        score_settings(run)


def rename_cameras(run, names):
    """Rename the cameras of a run in all of its files."""
    for file in ("manifest.csv", "validation.csv"):
        table = pd.read_csv(run.folder / file)
        table.assign(camera=table["camera"].map(names)).to_csv(run.folder / file, index=False)
    for path in run.folder.glob("predictions/*/*.npz"):
        predictions = load(path)
        save(replace(predictions, classes=tuple(names[name] for name in predictions.classes)), path)


@pytest.fixture
def camera_run(make_run):
    """A run whose cameras, notes and folder have names that try to break out of the page."""
    run = make_run(Task("camera"), manipulated=True)
    rename_cameras(run, {"a": EVIL, "b": "b"})
    run = replace(run, folder=run.folder.rename(run.folder.with_name("made <i>&")))
    complete(run, f"{SIMULATED}\n{EVIL_NOTE}\nthey share all devices\n")
    keras.utils.set_random_seed(0)
    recipe = change(classifier_recipe("smoke", "dctnet"), patch=SIDE)
    run.front_end_folder.mkdir()
    build("dctnet", recipe, {"camera": 2}).save(run.front_end_folder / MODEL)
    history = pd.DataFrame({"epoch": [-1, 0, 1], "loss": [np.nan, 1.0, 0.5], "val_loss": [2.0, 1.25, 1.5]})
    history.to_csv(run.front_end_folder / "history.csv", index=False)
    return run


def test_report_of_cameras_has_the_scores_and_escapes_every_name(camera_run):
    paths = write_report(camera_run)
    assert [path.name for path in paths] == [REPORT, MODEL_CARD]
    page = Page(paths[0].read_text())
    text = " ".join(page.texts)
    assert EVIL in text
    assert EVIL_NOTE in text
    assert len(page.all("script")) == 1
    assert not page.all("i")
    leaderboard = pd.read_csv(camera_run.folder / "leaderboard.csv")
    for table in (leaderboard, pd.read_csv(camera_run.folder / "ablation.csv")):
        for row in table.to_dict("records"):
            assert f"{row['weighted_accuracy']:.3f} [{row['low']:.3f}, {row['high']:.3f}]" in text
    ids = [section["id"] for section in page.all("section")]
    assert ids == [
        "scores",
        "ablation",
        "confusion",
        "manipulations",
        "reliability",
        "curves",
        "evidence",
        "photos",
        "run",
    ]
    assert [f"#{name}" for name in ids] == [link["href"] for link in page.all("a")]
    assert "lowest validation loss after epoch 1" in text


def test_report_requests_nothing_and_describes_every_picture(camera_run):
    page = Page(write_report(camera_run)[0].read_text())
    pictures, charts = page.all("img"), page.all("svg")
    assert len(pictures) == 4 * 3 + 5 + 5  # evidence maps, the best and the worst photos
    assert all(str(picture["src"]).startswith("data:image/") and picture["alt"] for picture in pictures)
    assert all(chart["role"] == "img" and chart["aria-label"] for chart in charts)
    attributes = [pair for _, found in page.elements for pair in found.items()]
    addresses = [str(value) for name, value in attributes if name in ("src", "href")]
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert "default-src 'none'" in page.all("meta")[3]["content"]


def test_model_card_names_data_scores_and_limits(camera_run):
    card = write_report(camera_run)[1].read_text()
    assert "All photos are simulated" in card
    assert "<script>" not in card
    assert escape_markdown(EVIL) in card
    assert "- They share all devices." in card
    score = pd.read_csv(camera_run.folder / "leaderboard.csv").set_index("entry").loc["blend quadratic"]
    assert f"| Weighted accuracy, validation | {score['weighted_accuracy']:.3f} |" in card
    rows = [line for line in card.splitlines() if line.startswith("|")]
    assert {row.replace("\\|", "").count("|") for row in rows} <= {3, 4}


def test_report_of_settings_leaves_out_what_belongs_to_cameras(make_run):
    run = make_run()
    complete(run, "simulated photographs\n")
    report, card = (path.read_text() for path in write_report(run))
    page = Page(report)
    assert [section["id"] for section in page.all("section")] == [
        "settings-scores",
        "confusion",
        "reliability",
        "curves",
        "photos",
        "run",
    ]
    text = " ".join(page.texts)
    last = pd.read_csv(run.folder / "settings_leaderboard.csv").tail(3)
    for row in last.to_dict("records"):
        assert f"{row['balanced_accuracy']:.3f} [{row['low']:.3f}, {row['high']:.3f}]" in text
    assert "Classes of exposure time: " in card
    assert "Only the cameras" not in card


def test_run_without_scores_raises_and_writes_nothing(camera_run):
    (camera_run.folder / "leaderboard.csv").unlink()
    with pytest.raises(InputError, match=r"leaderboard\.csv does not exist; run predict or leaderboard on the run"):
        write_report(camera_run)
    assert not (camera_run.folder / REPORT).exists()


def test_cells_show_and_sort_missing_values_last():
    assert number_cell(np.nan) == interval_cell(np.nan, 0, 1) == accuracy_cell(np.nan) == Cell("–", "")
    assert interval_cell(0.5, 0.25, 0.75) == Cell("0.500 [0.250, 0.750]", 0.5)
    assert accuracy_cell(0.75) == Cell("0.75", 0.75, 0.25, is_wrong=True)


def test_markdown_is_one_line_without_meaning():
    assert escape_markdown("a|b\n# <c>") == r"a\|b \# \<c\>"
