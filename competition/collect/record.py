"""`collected.csv`: one row per URL. Rows are only appended, so a killed run loses none."""

import csv
import io
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from competition.metadata.collected import COLUMNS, FAILED, KEPT, RECORD_NAME, REFUSED, Row, read_record
from competition.utils.atomic_files import write_csv
from competition.utils.tables import text_table


class Record:
    """The record of a folder. Only the holder of the lock of the folder may open it, see `competition.utils.locks`."""

    def __init__(self, folder: Path | str) -> None:
        """Create the folder where it is missing and read its record.

        Raises:
            InputError: `collected.csv` is not a record.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / RECORD_NAME
        self._compact()
        self._file = self._path.open("ab", buffering=0)

    def __enter__(self) -> "Record":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._compact()

    def finished_for(self, url: str) -> str | None:
        """Return the camera for which a URL is kept or refused, or None if it has to be requested."""
        return self._cameras.get(url)

    def add(self, row: Row) -> None:
        """Append a row, in one write."""
        line = io.StringIO()
        # One row is one line, even if a server or a list sent line breaks.
        csv.writer(line, lineterminator="\n").writerow(" ".join(str(value).split()) for value in asdict(row).values())
        self._file.write(line.getvalue().encode())
        if row.status != FAILED:
            self._cameras[row.url] = row.camera

    def _compact(self) -> None:
        """Keep one row per URL, the last one."""
        table = read_record(self._path) if self._path.exists() else pd.DataFrame(columns=list(COLUMNS), dtype="str")
        table = table.drop_duplicates("url", keep="last")
        write_csv(table, self._path)
        finished = table[table["status"] != FAILED]
        self._cameras = dict(zip(finished["url"], finished["camera"], strict=True))


def summary(folder: Path | str) -> str:
    """Format two tables: URLs by camera and status, and the reasons why files are missing."""
    table = read_record(Path(folder) / RECORD_NAME)
    by_camera = pd.crosstab(table["camera"], table["status"], margins=True, margins_name="all")
    statuses = by_camera.reindex(columns=[KEPT, REFUSED, FAILED, "all"], fill_value=0).rename_axis(columns=None)
    reasons = table.loc[table["reason"] != "", "reason"].value_counts().rename("files").to_frame()
    return "\n\n".join(text_table(part.reset_index().to_dict("list")) for part in (statuses, reasons) if len(part))
