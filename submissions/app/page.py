"""The page of the app, and its answer for a photo as HTML. Jinja escapes every text."""

import base64
from collections.abc import Sequence
from pathlib import Path

import jinja2

from submissions.app.examination import Examination

TEMPLATES = Path(__file__).parent / "templates"
STATIC = {"/app.css": "text/css; charset=utf-8", "/app.js": "text/javascript; charset=utf-8"}  # address → content type
SHOWN_CAMERAS = 5
ORIGINAL = {True: "yes", False: "no", None: "cannot tell"}


def render_page(title: str, max_bytes: int, max_pixels: int, notes: Sequence[str]) -> str:
    """Return the page before a photo is dropped. notes: what a reader of the answers must know about the runs."""
    return (
        _environment()
        .get_template("page.html")
        .render(title=title, max_bytes=max_bytes, max_pixels=max_pixels, notes=notes)
    )


def render_answer(examination: Examination) -> str:
    """Return the part of the page that answers for a photo."""
    return (
        _environment()
        .get_template("answer.html")
        .render(
            found=examination,
            original=ORIGINAL[examination.verdicts.original],
            shown=examination.cameras[:SHOWN_CAMERAS],
            hidden=len(examination.cameras) - SHOWN_CAMERAS,
        )
    )


def render_error(message: str) -> str:
    """Return the part of the page that says why there is no answer."""
    return _environment().get_template("error.html").render(message=message)


def read_static(address: str) -> bytes:
    """Return the file of an address of `STATIC`."""
    return (TEMPLATES / address.removeprefix("/")).read_bytes()


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["uri"] = _data_uri
    return environment


def _data_uri(data: bytes) -> str:
    kind = "jpeg" if data.startswith(b"\xff\xd8") else "png"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
