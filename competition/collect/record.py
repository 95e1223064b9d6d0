"""`collected.csv`: what became of every address. Lines are only ever appended, so a kill loses none."""

import csv
import fcntl
import io
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import pandas as pd

from competition.utils.atomic_files import write_csv
from competition.utils.errors import InputError

NAME = "collected.csv"
KEPT, REFUSED, FAILED = "kept", "refused", "failed"


@dataclass(frozen=True, slots=True)
class Row:
    """One address. path: relative to the folder, empty unless kept. device: one camera body, or its owner.

    status: `kept`; `refused`, not asked for again; `failed`, asked for again by the next run. bytes, sha256: of
    the file kept. reason: why it was not.
    """

    path: str
    url: str
    camera: str
    device: str
    licence: str
    source: str
    bytes: int | str
    sha256: str
    status: str
    reason: str


COLUMNS = tuple(field.name for field in fields(Row))


class Record:
    """The record of a folder, open for one run at a time."""

    def __init__(self, folder: Path | str) -> None:
        """Make the folder where it is missing and read what is recorded there.

        Raises `InputError` while another run writes it, and where `collected.csv` is something else.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / NAME
        self._lock = (folder / ".collect.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._settle()
        except BlockingIOError:
            self._lock.close()
            raise InputError(f"another collection into {folder} is running; wait for it or stop it") from None
        except BaseException:
            self._lock.close()
            raise
        self._file = self._path.open("ab", buffering=0)

    def __enter__(self) -> "Record":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._settle()
        self._lock.close()

    def camera(self, url: str) -> str | None:
        """For which camera an address is done; None where something is left to do."""
        return self._cameras.get(url)

    def add(self, row: Row) -> None:
        """Append a row, in one write."""
        line = io.StringIO()
        # One row is one line, whatever a server or a list said.
        csv.writer(line, lineterminator="\n").writerow(" ".join(str(value).split()) for value in asdict(row).values())
        self._file.write(line.getvalue().encode())
        if row.status != FAILED:
            self._cameras[row.url] = row.camera

    def _settle(self) -> None:
        """Leave one row for each address, the last."""
        table = read_record(self._path) if self._path.exists() else pd.DataFrame(columns=list(COLUMNS), dtype="str")
        table = table.drop_duplicates("url", keep="last")
        write_csv(table, self._path)
        done = table[table["status"] != FAILED]
        self._cameras = dict(zip(done["url"], done["camera"], strict=True))


def read_record(path: Path | str) -> pd.DataFrame:
    """The rows of a record, all columns as text; a last line that a kill cut off is left out.

    Raises `InputError` for a file that is no record.
    """
    whole_lines = Path(path).read_bytes().rpartition(b"\n")[0]
    try:
        table = pd.read_csv(io.BytesIO(whole_lines or ",".join(COLUMNS).encode()), dtype="str", keep_default_na=False)
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a record of `collect` ({str(error).splitlines()[0]})") from None
    if tuple(table.columns) != COLUMNS:
        raise InputError(
            f"{path} is not a record of `collect`: expected the columns {', '.join(COLUMNS)}; move it away"
        )
    return table


def devices(folder: Path | str) -> dict[str, str]:
    """Path → device, of the photographs that were collected into `folder` and whose device is known."""
    path = Path(folder) / NAME
    if not path.exists():
        return {}
    table = read_record(path)
    told = table[(table["status"] == KEPT) & (table["device"] != "")]
    return dict(zip(told["path"], told["device"], strict=True))


def summary(folder: Path | str) -> str:
    """Addresses by camera and status, and the reasons why files are missing."""
    table = read_record(Path(folder) / NAME)
    by_camera = pd.crosstab(table["camera"], table["status"], margins=True, margins_name="all")
    statuses = by_camera.reindex(columns=[KEPT, REFUSED, FAILED, "all"], fill_value=0).rename_axis(columns=None)
    reasons = table.loc[table["reason"] != "", "reason"].value_counts().rename("files").to_frame()
    return "\n\n".join(part.to_string() for part in (statuses, reasons) if len(part))
