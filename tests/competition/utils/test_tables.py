import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from competition.utils.errors import InputError
from competition.utils.tables import (
    NARROWEST,
    format_interval,
    format_number,
    json_table,
    markdown_table,
    read_text_table,
    shorten,
    terminal_width,
    text_table,
)

cells = st.text("abc 0.[]–", max_size=6)
columns = st.integers(1, 4).flatmap(
    lambda rows: st.dictionaries(cells.filter(str.strip), st.lists(cells, min_size=rows, max_size=rows), min_size=1)
)


def test_the_first_columns_are_aligned_to_the_left_and_the_others_to_the_right():
    table = {"run": ["a", "long"], "entry": ["b", "c"], "score": ["0.5", "1"]}
    assert text_table(table, left=2).splitlines() == [
        "run   entry  score",
        "────  ─────  ─────",
        "a     b        0.5",
        "long  c          1",
    ]
    assert text_table(table).splitlines()[2] == "a         b    0.5"


@given(columns)
def test_all_cells_of_a_column_end_at_the_same_place(table):
    lines = text_table(table, left=0).split("\n")
    assert len(lines) == 2 + len(next(iter(table.values())))
    rule = lines[1]
    for index, line in enumerate(lines):
        padded = line.ljust(len(rule))
        start = 0
        for heading, column in table.items():
            width = max(map(len, [heading, *column]))
            cell = [heading, "─" * width, *column][index]
            assert padded[start : start + width] == cell.rjust(width)
            start += width + 2


def test_each_note_appears_once_and_empty_notes_never():
    lines = text_table({"a": ["1"]}, ["first", "", "second", "first"]).splitlines()
    assert lines[3:] == ["note: first", "note: second"]


def test_markdown_has_a_line_for_each_row():
    assert markdown_table({"a": ["x", "y"], "b": [1, 0.5]}) == "| a | b |\n| --- | --- |\n| x | 1 |\n| y | 0.500 |"


def test_columns_of_different_lengths_are_rejected():
    for make in (text_table, markdown_table):
        with pytest.raises(ValueError, match="shorter"):
            make({"a": ["x", "y"], "b": ["z"]})


def test_floats_in_cells_are_formatted():
    assert text_table({"a": ["x"], "b": [np.float64(0.25)], "c": [float("nan")], "d": [7]}).splitlines()[2] == (
        "x  0.250  –  7"
    )


def test_numbers_have_three_decimals_and_missing_ones_a_dash():
    assert (format_number(0.12345), format_number(float("nan"))) == ("0.123", "–")
    assert format_interval(0.5, 0.4, 0.61) == "0.500 [0.400, 0.610]"
    assert format_interval(float("nan"), float("nan"), float("nan")) == "–"


def test_labels_stay_text(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("fname,camera,usage\n1e3,NA\n007,,x\n")
    table = read_text_table(path, ["fname", "camera"], "restore it")
    assert table.to_numpy().tolist() == [["1e3", "NA", ""], ["007", "", "x"]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist; restore it"),
        (b"", "is not a CSV table"),
        (b'a,b\n"1', "is not a CSV table"),
        (b"\xff\xfe", "is not a CSV table"),
        (b"a,c\n1,2\n", "has the header a,c, which lacks b; restore it"),
    ],
)
def test_files_that_are_not_the_table_are_rejected_in_one_line(content, message, tmp_path):
    path = tmp_path / "a.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_text_table(path, ["a", "b"], "restore it")
    assert "\n" not in str(caught.value)


def test_a_table_that_is_too_wide_shortens_its_first_column():
    table = {"path": ["holiday/2026/beach/a.jpg", "b.jpg"], "camera": ["cat", "dog"]}
    assert text_table(table, width=25).splitlines() == [
        "path               camera",
        "─────────────────  ──────",
        "…2026/beach/a.jpg     cat",
        "b.jpg                 dog",
    ]


@given(columns, st.integers(1, 40))
def test_the_width_is_kept_unless_the_first_column_is_at_its_narrowest(table, width):
    lines = text_table(table, width=width).split("\n")
    first = lines[1].split("  ")[0]
    assert max(map(len, lines)) <= width or len(first) <= max(NARROWEST, len(next(iter(table))))
    assert len(lines) == len(text_table(table).split("\n"))


@given(st.text("abc/.", max_size=9), st.integers(1, 9))
def test_shortened_text_has_the_end_of_the_text(text, width):
    short = shorten(text, width)
    assert len(short) <= width
    assert text.endswith(short.removeprefix("…"))
    assert (short == text) == (len(text) <= width)


def test_json_has_full_precision_and_null_for_missing_values():
    table = pd.DataFrame(
        {"path": ["ä.jpg", None], "probability": [1 / 3, np.nan], "patches": [4, 1], "far": [True, False]}
    )
    assert json.loads(json_table(table)) == [
        {"path": "ä.jpg", "probability": 1 / 3, "patches": 4, "far": True},
        {"path": None, "probability": None, "patches": 1, "far": False},
    ]
    assert json_table(table.head(0)) == "[]"
    with pytest.raises(ValueError, match="JSON"):
        json_table(pd.DataFrame({"a": [np.inf]}))


def test_a_pipe_has_no_width():
    assert terminal_width() is None
