"""What a report shows: sections with charts, tables and pictures, as plain data for the template.

Tested by tests/submissions/reports/test_report.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from competition.utils.tables import MISSING, format_interval, format_number


@dataclass(frozen=True)
class Cell:
    """A cell.

    Attributes:
        text: what is shown.
        value: what the table is sorted by; "" comes last.
        share: how strongly the cell is shaded, from 0 to 1; None for not at all.
        is_wrong: whether it counts wrong predictions, which are shaded in another color.
    """

    text: str
    value: str | float
    share: float | None = None
    is_wrong: bool = False


@dataclass(frozen=True)
class Table:
    """A table. The first cell of each row is its heading."""

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Chart:
    """A chart, SVG, and a line below it."""

    svg: str
    caption: str


@dataclass(frozen=True)
class Bar:
    """The probability of a class."""

    name: str
    probability: float
    is_true: bool


@dataclass(frozen=True)
class Photo:
    """A photo with its predictions; `picture` is a data URI."""

    picture: str
    alternative: str
    caption: str
    bars: Sequence[Bar]


@dataclass(frozen=True)
class Picture:
    """A picture of an evidence map; `source` is a data URI. If `pixelated`, its pixels are cells to be seen."""

    source: str
    alternative: str
    caption: str
    pixelated: bool = False


@dataclass(frozen=True)
class EvidenceRow:
    """The pictures of one image."""

    title: str
    pictures: Sequence[Picture]


@dataclass(frozen=True)
class Section:
    """A section of the report.

    Attributes:
        id: anchor in the page.
        title: heading.
        text: what the section shows and how to read it.
        charts, tables, photos, evidence: its contents; `photos` by their heading.
        details: tables that can be unfolded, by their heading.
        shaded: whether the tables have cells with a background.
    """

    id: str
    title: str
    text: str
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    photos: Mapping[str, Sequence[Photo]] = field(default_factory=dict)
    evidence: Sequence[EvidenceRow] = ()
    details: Mapping[str, Table] = field(default_factory=dict)
    shaded: bool = False


@dataclass(frozen=True)
class Card:
    """A headline figure: its name, its value, and a detail such as the interval."""

    name: str
    value: str
    detail: str


def text_cell(value: object) -> Cell:
    """Return a cell with a text or a whole number."""
    return Cell(str(value), str(value))


def number_cell(value: float) -> Cell:
    """Return a cell with a number, which may be NaN."""
    return Cell(format_number(value), "" if pd.isna(value) else float(value))


def interval_cell(value: float, low: float, high: float) -> Cell:
    """Return a cell with a number and its interval; NaN if it is not known."""
    return Cell(format_interval(value, low, high), "" if pd.isna(value) else float(value))


def accuracy_cell(accuracy: float) -> Cell:
    """Return a cell with an accuracy, shaded by the share of wrong predictions; NaN if there are no images."""
    return Cell(MISSING, "") if pd.isna(accuracy) else Cell(f"{accuracy:.2f}", float(accuracy), 1 - accuracy, True)


def two_columns(caption: str, rows: Iterable[tuple[str, object]]) -> Table:
    """Return a table of names and values."""
    return Table(caption, ("name", "value"), [(text_cell(name), text_cell(value)) for name, value in rows])
