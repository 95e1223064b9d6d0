"""Small tables: CSV read as text, so that no label is taken for a number or for missing, and Markdown written."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from competition.utils.errors import InputError


def read_text_table(path: Path, columns: Sequence[str], mend: str) -> pd.DataFrame:
    """A CSV table of strings ("" where empty) that has at least `columns`.

    InputError, ending in how to `mend` it, for a missing file, a file that is no CSV table, and a lacking
    column.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; {mend}") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a CSV table ({str(error).strip()}); {mend}") from None
    missing = [column for column in columns if column not in table]
    if missing:
        header = ",".join(map(str, table.columns))
        raise InputError(f"{path} has the header {header}, which lacks {', '.join(missing)}; {mend}")
    return table.fillna("")  # lines that end early


def markdown_table(headings: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table, a line for the headings, one under them and one for each row; without a newline at its end."""
    first = list(headings)
    lines: list[Iterable[object]] = [first, ["---"] * len(first), *rows]
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in lines)
