"""Text tables: CSV read as text, and aligned text and Markdown written.

CSV is read as text, so that no label is mistaken for a number or for a missing value.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from competition.utils.errors import InputError

MISSING = "–"


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


def text_table(columns: Mapping[str, Iterable[object]], notes: Iterable[str] = (), left: int = 1) -> str:
    """Return a table for the terminal: heading → cells, then each different note once.

    Floats are written by `format_number`. The first `left` columns are aligned to the left, the others to the right.
    There is no newline at the end.
    """
    padded = []
    for index, (heading, values) in enumerate(columns.items()):
        cells = list(map(_text, values))
        width = max(map(len, [heading, *cells]))
        pad = str.ljust if index < left else str.rjust
        padded.append([pad(cell, width) for cell in (heading, "─" * width, *cells)])
    lines = ["  ".join(cells).rstrip() for cells in zip(*padded, strict=True)]
    return "\n".join([*lines, *(f"note: {note}" for note in dict.fromkeys(notes) if note)])


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
