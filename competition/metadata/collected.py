"""`collected.csv`, which `collect` writes beside the photos: one row per URL, with the device where it is known.

It complements EXIF, which often lacks the device. Tested by tests/competition/collect/test_record.py.
"""

import io
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from competition.utils.errors import InputError

RECORD_NAME = "collected.csv"
KEPT, REFUSED, FAILED = "kept", "refused", "failed"


@dataclass(frozen=True, slots=True)
class Row:
    """The result for one URL.

    path: relative to the folder, empty unless kept. device: one camera body, or its owner. bytes, sha256: of the kept
    file. status: `kept`; `refused`, not requested again; `failed`, requested again by the next run. reason: why the
    file is missing.
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


def read_record(path: Path | str) -> pd.DataFrame:
    """Read the rows of a record, all columns as text, without a last line that a kill cut off.

    Raises:
        InputError: The file is not a record.
    """
    complete_lines = Path(path).read_bytes().rpartition(b"\n")[0]
    try:
        table = pd.read_csv(
            io.BytesIO(complete_lines or ",".join(COLUMNS).encode()), dtype="str", keep_default_na=False
        )
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a record of collect ({str(error).splitlines()[0]}); move it away") from None
    if tuple(table.columns) != COLUMNS:
        raise InputError(f"{path} is not a record of collect: expected the columns {', '.join(COLUMNS)}; move it away")
    return table


def collected_devices(folder: Path | str) -> dict[str, str]:
    """Map the path of each photo that was collected into `folder` to its device, where that is known."""
    path = Path(folder) / RECORD_NAME
    if not path.exists():
        return {}
    table = read_record(path)
    known = table[(table["status"] == KEPT) & (table["device"] != "")]
    return dict(zip(known["path"], known["device"], strict=True))
