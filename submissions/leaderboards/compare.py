"""Everything that is scored and handed in of a run, whatever it was asked."""

from pathlib import Path

import pandas as pd

from competition.settings import SETTINGS
from competition.utils.errors import InputError
from competition.utils.tables import read_text_table
from submissions.leaderboards import camera as leaderboard
from submissions.leaderboards import settings as settings_results
from submissions.run import Run
from submissions.submit import has_test, score, submit


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


def compare_all(runs_folder: Path | str) -> str:
    """The leaderboards of all runs in a folder as text: of cameras, then of settings, whichever there are."""
    settings = compare_settings(runs_folder)
    parts = []
    if settings.empty or any(Path(runs_folder).glob(f"*/{leaderboard.FILE_NAME}")):
        parts.append(leaderboard.format_table(leaderboard.compare(runs_folder)))
    if len(settings):
        shown = {"run": settings["run"].tolist(), "entry": settings["entry"].tolist()}
        for name in (*SETTINGS, "mean", "random"):
            shown[name.replace("_", " ")] = settings[name].map(leaderboard.number).tolist()
        parts.append("settings, balanced accuracy:\n" + leaderboard.aligned(shown, settings["note"]))
    return "\n\n".join(parts)


def compare_settings(runs_folder: Path | str) -> pd.DataFrame:
    """The balanced accuracies of settings of all runs in a folder, a row for every entry, the best mean first.

    Columns run, entry, note, random (what a random draw reaches), one for every setting, NaN where the run was not
    asked for it, and mean, NaN where one is missing. No rows where no run was asked for settings.
    """
    tables = []
    for path in sorted(Path(runs_folder).glob(f"*/{settings_results.LEADERBOARD}")):
        mend = "delete it and run leaderboard RUN again"
        table = read_text_table(path, ["entry", "setting", "balanced_accuracy", "random", "note"], mend)
        try:
            numbers = table.assign(**{name: table[name].astype(float) for name in ("balanced_accuracy", "random")})
            wide = numbers.pivot_table("balanced_accuracy", ["entry", "note", "random"], "setting", sort=False)
        except ValueError as error:
            raise InputError(f"{path} holds no scores of settings ({error}); {mend}") from None
        tables.append(wide.reindex(columns=list(SETTINGS)).reset_index().assign(run=path.parent.name))
    if not tables:
        return pd.DataFrame()
    together = pd.concat(tables)
    together["mean"] = together[list(SETTINGS)].mean(axis=1, skipna=False)
    return together.sort_values("mean", ascending=False, kind="stable", ignore_index=True)
