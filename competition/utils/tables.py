"""Tables: CSV read as text, and aligned text, Markdown and JSON written.

CSV is read as text, so that no label is mistaken for a number or for a missing value.
"""

import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from competition.utils.errors import InputError

MISSING = "–"
NARROWEST = 12  # characters: a first column is not shortened further


def read_text_table(path: Path, columns: Sequence[str], fix: str) -> pd.DataFrame:
    """Read a CSV table of strings ("" where empty) that has at least `columns`.

    Raises InputError, which ends with `fix`, how to fix it, for a missing file, a file that is not a CSV table, and a
    missing column.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; {fix}") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a CSV table ({str(error).strip()}); {fix}") from None
    missing = [column for column in columns if column not in table]
    if missing:
        header = ",".join(map(str, table.columns))
        raise InputError(f"{path} has the header {header}, which lacks {', '.join(missing)}; {fix}")
    return table.fillna("")  # short lines


def text_table(
    columns: Mapping[str, Iterable[object]],
    notes: Iterable[str] = (),
    left: int = 1,
    width: int | None = None,
) -> str:
    """Return a table for the terminal: heading → cells, then each different note once.

    Floats are written by `format_number`. The first `left` columns are aligned to the left, the others to the right.
    If lines are longer than `width` characters, the cells of the first column are shortened, see `shorten`, to
    `NARROWEST` characters at least. There is no newline at the end.
    """
    cells = {heading: list(map(_text, values)) for heading, values in columns.items()}
    widths = {heading: max(map(len, [heading, *column])) for heading, column in cells.items()}
    if width is not None and cells:
        first = next(iter(cells))
        excess = sum(widths.values()) + 2 * (len(widths) - 1) - width
        widths[first] = min(widths[first], max(widths[first] - excess, NARROWEST, len(first)))
        cells[first] = [shorten(cell, widths[first]) for cell in cells[first]]
    padded = []
    for index, (heading, column) in enumerate(cells.items()):
        pad = str.ljust if index < left else str.rjust
        padded.append([pad(cell, widths[heading]) for cell in (heading, "─" * widths[heading], *column)])
    lines = ["  ".join(row).rstrip() for row in zip(*padded, strict=True)]
    return "\n".join([*lines, *(f"note: {note}" for note in dict.fromkeys(notes) if note)])


def shorten(text: str, width: int) -> str:
    """Return the end of `text`, which names the file of a path, after `…`, or `text` if it has `width` characters."""
    return text if len(text) <= width else f"…{text[len(text) - width + 1 :]}"


def terminal_width() -> int | None:
    """Return the columns of the terminal that standard output is; None if it is a file or a pipe."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def json_table(table: pd.DataFrame) -> str:
    """Return the rows of a table as a JSON array of objects: numbers in full precision, null for missing values.

    Raises ValueError for an infinite number, which JSON cannot represent.
    """
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return json.dumps(rows, indent=2, ensure_ascii=False, allow_nan=False)


def markdown_table(columns: Mapping[str, Iterable[object]]) -> str:
    """Return a Markdown table: heading → cells, with floats as in `text_table` and no newline at the end."""
    lines = [columns.keys(), ["---"] * len(columns), *zip(*columns.values(), strict=True)]
    return "\n".join(f"| {' | '.join(map(_text, cells))} |" for cells in lines)


def format_number(value: float) -> str:
    """Return a number with three decimals, or a dash for NaN."""
    return MISSING if pd.isna(value) else f"{value:.3f}"


def format_interval(value: float, low: float, high: float) -> str:
    """Return `0.912 [0.890, 0.931]`: a number and its interval, or a dash for NaN."""
    return MISSING if pd.isna(value) else f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _text(cell: object) -> str:
    return format_number(cell) if isinstance(cell, float) else str(cell)
