"""Command `report`: the report of a trained run opens in a browser without errors and requests, and can be used."""

import pytest

from commands.__main__ import main

WIDTHS = (1400, 400)  # pixels: a desk and a telephone


@pytest.fixture(scope="module")
def report(finished):
    """The address of the report that `train` wrote."""
    path = finished / "runs" / "job" / "report.html"
    return path.as_uri()


@pytest.fixture
def page(browser, report):
    page = browser.open(report)
    yield page
    page.close()


def column(page, number, table=0):
    """The texts of a column of a table."""
    rows = f"[...document.querySelectorAll('table.sortable')[{table}].tBodies[0].rows]"
    return page.evaluate(f"{rows}.map(row => row.cells[{number}].textContent)")


def test_command_writes_the_same_report_as_train(finished, home, command, capsys):
    folder = home / "runs" / "job"
    written = {name: (folder / name).read_text() for name in ("report.html", "model_card.md")}
    for name in written:
        (folder / name).unlink()
    assert command("report", "runs/job") == 0
    assert capsys.readouterr().out.split() == [f"runs/job/{name}" for name in written]
    for name, text in written.items():
        assert (folder / name).read_text() == text.replace(str(finished), str(home))


def test_unknown_run_raises(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["report", "runs/job"]) == 2
    assert capsys.readouterr().err.startswith("error: unknown run 'runs/job'")


def test_report_opens_without_errors_and_requests(page, report):
    assert page.errors == []
    assert page.requests == [report]
    broken = "[...document.images].filter(image => !image.naturalWidth || !image.alt).length"
    assert page.evaluate(broken) == 0


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_does_not_scroll_sideways(page, width, scheme):
    page.resize(width)
    page.emulate(color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_tables_sort_by_click_and_by_key(page):
    heading = "document.querySelectorAll('table.sortable')[0].tHead.rows[0].cells[4]"
    before = column(page, 4)
    page.click("table.sortable thead th:nth-child(5) button")
    assert page.evaluate(f"{heading}.getAttribute('aria-sort')") == "ascending"
    assert column(page, 4) == sorted(before, key=float)
    page.evaluate(f"{heading}.querySelector('button').focus()")
    page.press("Enter")
    assert page.evaluate(f"{heading}.getAttribute('aria-sort')") == "descending"
    assert column(page, 4) == sorted(before, key=float, reverse=True)
    page.click("table.sortable thead th:nth-child(1) button")
    assert column(page, 0) == sorted(column(page, 0), key=str.casefold)


def test_dark_page_has_dark_background_and_print_has_a_white_one(page):
    background = "getComputedStyle(document.body).backgroundColor"
    page.emulate(color_scheme="dark")
    assert page.evaluate(background) == "rgb(18, 23, 30)"
    page.emulate("print", "dark")
    assert page.evaluate(background) == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
