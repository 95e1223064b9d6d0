"""Compare all runs in a folder, each on its own tasks."""

from pathlib import Path

import pandas as pd

from competition.settings import SETTINGS
from competition.utils.tables import format_number, text_table
from submissions.leaderboards import camera
from submissions.leaderboards.settings import compare_settings


def compare_runs(runs_folder: Path | str) -> str:
    """The leaderboards of all runs in a folder as text: cameras first, then settings.

    Raises:
        InputError: a leaderboard is damaged, or there is none.
    """
    settings = compare_settings(runs_folder)
    parts = []
    if settings.empty or any(Path(runs_folder).glob(f"*/{camera.FILE_NAME}")):
        parts.append(camera.format_table(camera.compare_camera(runs_folder)))
    if len(settings):
        shown = {"run": settings["run"].tolist(), "entry": settings["entry"].tolist()}
        for name in (*SETTINGS, "mean", "random"):
            shown[name.replace("_", " ")] = list(map(format_number, settings[name]))
        parts.append("settings, balanced accuracy:\n" + text_table(shown, settings["note"], left=2))
    return "\n\n".join(parts)


def read_leaderboards(runs_folder: Path | str) -> pd.DataFrame:
    """Return the rows of the leaderboards of all runs in a folder, with the column task: camera, then settings.

    Raises:
        InputError: a leaderboard is damaged, or there is none.
    """
    settings, tables = compare_settings(runs_folder), []
    if settings.empty or any(Path(runs_folder).glob(f"*/{camera.FILE_NAME}")):
        tables.append(camera.compare_camera(runs_folder).assign(task="camera"))
    if len(settings):
        tables.append(settings.assign(task="settings"))
    return pd.concat(tables, ignore_index=True)
