"""Everything that is scored and handed in of a run, whatever it was asked."""

from pathlib import Path

from submissions import leaderboard, settings_results
from submissions.results import has_test, score, submit
from submissions.runs import Run


def score_all(run: Run) -> str:
    """Score a run's predictions, write its leaderboards, and return them as text."""
    parts = []
    if run.task.camera:
        parts.append(leaderboard.format_table(score(run)))
    if run.task.settings:
        parts.append(settings_results.format_settings(settings_results.score_settings(run)))
    return "\n\n".join(parts)


def submit_all(run: Run) -> list[Path]:
    """Write the submissions that a run can make, by its default blend; their paths."""
    made = []
    if run.task.camera and has_test(run):
        made.append(run.folder / "submission.csv")
        submit(run, made[-1])
    if run.task.settings:
        made.append(run.folder / settings_results.SUBMISSION)
        settings_results.submit_settings(run, made[-1])
    return made
