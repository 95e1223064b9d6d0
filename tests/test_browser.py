"""The browser reports what a page does wrong, so that tests of pages can fail."""

import pytest


@pytest.fixture
def page_of(browser, tmp_path):
    """A function that opens a page with some HTML."""

    def open_page(body: str, **size):
        file = tmp_path / "page.html"
        file.write_text(f"<!doctype html><html><head><link rel=icon href='data:,'></head><body>{body}</body></html>")
        page = browser.open(file.as_uri(), **size)
        pages.append(page)
        return page

    pages: list = []
    yield open_page
    for page in pages:
        page.close()


def test_errors_of_the_console_are_found(page_of):
    page = page_of("<script>console.error('went', 'wrong'); null.x</script>")
    assert "went wrong" in page.errors
    assert any("TypeError" in error for error in page.errors)


def test_requests_are_found(page_of, tmp_path):
    page = page_of("<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw=' alt=''><img src='absent.png' alt=''>")
    assert page.requests == [(tmp_path / name).as_uri() for name in ("page.html", "absent.png")]
    assert page.errors


def test_keys_clicks_and_files_reach_the_page(page_of, tmp_path):
    page = page_of("<button onclick='this.textContent += 1'>n</button><input type=file>")
    page.click("button")
    page.evaluate("document.querySelector('button').focus()")
    page.press("Enter")
    assert page.evaluate("document.querySelector('button').textContent") == "n11"
    page.upload("input", tmp_path / "page.html")
    assert page.wait_for("document.querySelector('input').files[0].text()").startswith("<!doctype html>")
    assert page.errors == []


def test_size_and_color_scheme_are_those_of_the_test(page_of):
    page = page_of("", width=400)
    assert page.evaluate("innerWidth") == 400
    page.emulate(color_scheme="dark")
    assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    page.emulate("print")
    assert page.evaluate("matchMedia('print').matches")
