"""One photograph from the web to the disk: resumed where it broke off, checked, and only then kept."""

import hashlib
import re
import time
from functools import partial
from pathlib import Path

import urllib3

from competition.collect.faults import Failed, Refused
from competition.collect.http import Client
from competition.metadata.header import read_header
from competition.utils.errors import InputError

CHUNK = 1 << 16
JPEG = b"\xff\xd8\xff"
# Some stores of files call everything octet-stream; the content decides then.
TYPES = frozenset({"image/jpeg", "image/jpg", "image/pjpeg", "application/octet-stream", "binary/octet-stream", ""})


def download(client: Client, url: str, part: Path) -> None:
    """Fetch the JPEG at `url` into `part`, going on from what a former run left there.

    Beside `part` lies, while it is incomplete, a file with the host's mark of that version (RFC 9110, 13.1.5), so
    that halves of two versions are never joined. Raises `Refused` where the file is not to be had or is no whole
    JPEG (nothing is left then) and `Failed` where a later run may have more luck.
    """
    try:
        client.persist(partial(_attempt, client, url, part))
    except Refused:
        part.unlink(missing_ok=True)
        raise
    finally:
        if not part.exists():
            _mark(part).unlink(missing_ok=True)


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _attempt(client: Client, url: str, part: Path) -> None:
    mark = _mark(part)
    have = part.stat().st_size if part.exists() and mark.exists() else 0
    asked = {"Range": f"bytes={have}-", "If-Range": mark.read_text()} if have else {}
    with client.get(url, asked) as answer:
        resumed = answer.status == 206
        if answer.status == 416 or (resumed and _first_byte(answer) != have):
            part.unlink(missing_ok=True)
            raise Failed("the host answered with another part of the file")
        length = _length(answer)
        _check_answer(answer, length and length + have * resumed, client.limits.most_bytes)
        if not (have and resumed):
            have = 0
            part.unlink(missing_ok=True)  # before the mark changes: the old bytes do not belong to the new one
            _write_mark(mark, answer)
        _receive(client, answer, part, have)
    _check(part, sure_of_length=length is not None)


def _receive(client: Client, answer: urllib3.BaseHTTPResponse, part: Path, size: int) -> None:
    """Append the body to `part`, which holds `size` bytes."""
    limits, head = client.limits, b""
    deadline = time.monotonic() + limits.most_seconds
    with part.open("ab") as file:
        while data := answer.read1(CHUNK):  # read1, as a slow host must not keep us inside one read
            if size < len(JPEG):
                head = (head + data)[: len(JPEG)]
                if not JPEG.startswith(head):
                    raise Refused("its content is not a JPEG")
            size += len(data)
            if size > limits.most_bytes:
                raise Refused(_too_large(limits.most_bytes))
            file.write(data)
            if time.monotonic() > deadline:
                raise Failed(f"not complete after {limits.most_seconds:g} s", again=False)
            client.pace.sleep(0)  # notices that the run was stopped


def _check_answer(answer: urllib3.BaseHTTPResponse, total: int | None, most_bytes: int) -> None:
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in TYPES:
        raise Refused(f"not a JPEG but {kind[:50]}")
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise Refused("compressed in transit, though asked not to be")
    if total == 0:
        raise Refused("empty")
    if total is not None and total > most_bytes:
        raise Refused(_too_large(most_bytes))


def _check(part: Path, sure_of_length: bool) -> None:
    try:
        header = read_header(part)
    except InputError:
        raise Refused("its content is not a JPEG") from None
    if header.format != "JPEG":
        raise Refused(f"its content is not a JPEG but {header.format}")
    if not header.complete and sure_of_length:
        raise Refused("truncated where it is stored")
    if not header.complete:
        raise Failed("it ended too early")


def _too_large(most_bytes: int) -> str:
    return f"larger than {most_bytes / 2**20:g} MiB"


def _first_byte(answer: urllib3.BaseHTTPResponse) -> int | None:
    found = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return int(found[1]) if found else None


def _length(answer: urllib3.BaseHTTPResponse) -> int | None:
    text = answer.headers.get("Content-Length", "")
    return int(text) if text.isdecimal() else None


def _mark(part: Path) -> Path:
    return part.with_suffix(".version")


def _write_mark(mark: Path, answer: urllib3.BaseHTTPResponse) -> None:
    """Without a mark of the version that allows ranges, a broken transfer begins anew."""
    version = answer.headers.get("ETag", "")
    if not version.startswith('"'):  # a weak one (W/"…") does not promise the same bytes
        version = answer.headers.get("Last-Modified", "")
    if version:
        mark.write_text(version)
    else:
        mark.unlink(missing_ok=True)
