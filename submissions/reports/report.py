"""The report of a run: `report.html`, one file that requests nothing, and a model card.

All numbers come from the files of the run. Jinja escapes every text, because names of cameras and of files may contain
anything. The model card follows Mitchell et al. (2019, arXiv 1810.03993).
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from competition import __version__
from competition.manipulation import UNALTERED
from competition.metrics.calibration import Reliability
from competition.settings import SETTINGS
from competition.utils.atomic_files import read_json, write_bytes
from submissions.reports import picture_sections, score_sections
from submissions.reports.contents import Card, Section, two_columns
from submissions.reports.explain import can_explain, load_networks
from submissions.reports.figures import HEAD_LABELS
from submissions.reports.inspect_run import HeadPredictions, collect_predictions, measure_reliability
from submissions.run import SIMULATED, Run, flatten, read_config
from submissions.tasks import CAMERA

TEMPLATES = Path(__file__).parent / "templates"
REPORT, MODEL_CARD = "report.html", "model_card.md"
SHARED = "share"  # in notes about what validation and training have in common
MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|#])")


def write_report(run: Run) -> list[Path]:
    """Write report.html and model_card.md into the folder of a run; returns their paths.

    Raises:
        InputError: the run has no predictions or no scores, or a photo cannot be read. Nothing is written then.
    """
    values = collect(run)
    written = {run.folder / name: render(name, values) for name in (REPORT, MODEL_CARD)}
    for path, content in written.items():
        write_bytes(content.encode(), path)
    return list(written)


def collect(run: Run) -> dict[str, Any]:
    """Return the variables of the templates. Raises `InputError`, see `write_report`."""
    by_head = collect_predictions(run)
    diagrams = {head: measure_reliability(run, found) for head, found in by_head.items()}
    environment = read_json(run.folder / "environment.json")
    splits = {split: int(count) for split, count in run.manifest["split"].value_counts(sort=False).items()}
    simulated = SIMULATED in run.note
    task = "cameras and settings" if run.task.camera and run.task.settings else run.task.name
    return {
        "name": run.folder.name,
        "simulated": simulated,
        "summary": _summary(run, task, splits),
        "task": task,
        "members": ", ".join(run.recipes),
        "version": __version__,
        "keras": environment["packages"]["keras"],
        "backend": environment["backend"],
        "splits": splits,
        "classes": {HEAD_LABELS[head]: found.classes for head, found in by_head.items()},
        "cards": _cards(run, diagrams),
        "notes": list(filter(None, run.note.split("; "))),
        "limits": _limits(run, simulated),
        "sections": list(_sections(run, by_head, diagrams)),
    }


def render(name: str, values: Mapping[str, Any]) -> str:
    """Fill in a template of `templates/`: HTML is escaped, and Markdown by the filter `md`."""
    loader = jinja2.FileSystemLoader(TEMPLATES)
    environment = jinja2.Environment(
        loader=loader,
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters["md"] = escape_markdown
    return environment.get_template(name).render(values)


def escape_markdown(text: object) -> str:
    """Return a text on one line without any meaning in Markdown and HTML."""
    return MARKDOWN.sub(r"\\\1", " ".join(str(text).split()))


def _sections(
    run: Run, by_head: Mapping[str, HeadPredictions], diagrams: Mapping[str, Reliability]
) -> Iterator[Section]:
    unaltered = np.flatnonzero(run.validation["manipulation"] == UNALTERED)
    if run.task.camera:
        yield score_sections.camera_section(run)
        yield score_sections.ablation_section(run)
    if run.task.settings:
        yield score_sections.settings_section(run)
    yield score_sections.confusion_section(by_head)
    if run.task.camera:
        yield score_sections.manipulation_section(run)
    yield score_sections.reliability_section(run, diagrams)
    yield score_sections.curves_section(run)
    if run.task.camera and can_explain(networks := load_networks(run, backbones=False)):
        yield picture_sections.evidence_section(run, networks, by_head[CAMERA], unaltered)
    ranked = {head: found for head, found in by_head.items() if head in SETTINGS} or by_head
    if np.logical_and.reduce([found.known[unaltered] for found in ranked.values()]).sum() > 1:
        yield picture_sections.photos_section(run, ranked, unaltered)
    environment = flatten(read_json(run.folder / "environment.json"))
    details = {
        "Environment": two_columns("environment.json", environment.items()),
        "Configuration": two_columns("config.json", flatten(read_config(run.folder)).items()),
    }
    yield Section("run", "The run", "Where the networks were trained, and with which settings.", details=details)


def _cards(run: Run, diagrams: Mapping[str, Reliability]) -> list[Card]:
    cards = score_sections.camera_cards(run) if run.task.camera else []
    if run.task.settings:
        cards += score_sections.settings_cards(run)
    if CAMERA in diagrams:
        found = diagrams[CAMERA]
        interval = f"[{found.error_low:.3f}, {found.error_high:.3f}]"
        cards.append(Card("Expected calibration error", f"{found.error:.3f}", interval))
    return cards


def _summary(run: Run, task: str, splits: Mapping[str, int]) -> str:
    members = len(run.recipes)
    images = ", ".join(f"{count:,} {split}" for split, count in splits.items())
    return (
        f"Task {task}; {len(run.cameras)} cameras; {members} member{'s' * (members != 1)} "
        f"({', '.join(run.recipes)}); images: {images}."
    )


def _limits(run: Run, simulated: bool) -> list[str]:
    """What a user of the networks must know."""
    limits = [f"{note[0].upper()}{note[1:]}." for note in run.note.split("; ") if SHARED in note]
    if run.task.camera:
        limits += [
            "Only the cameras named above can be predicted. A photo by another camera is assigned to one of them, "
            "sometimes with a high probability.",
            "The scores hold for unaltered originals and for the eight manipulations of the competition: JPEG "
            "compression, resizing and gamma correction. Photos from social networks are altered in other ways.",
        ]
    if run.task.settings:
        limits.append("Settings are predicted as bins; values beyond the training data fall into the outer bins.")
    if simulated:
        limits.append("The photos are simulated, and the networks have never seen a real camera.")
    limits.append("Flat, dark and saturated photos carry little evidence: their predictions are close to guesses.")
    return limits
