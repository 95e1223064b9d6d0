"""Download one photo to disk: resume a broken transfer, validate the file, keep it only when it is complete."""

import hashlib
import re
import time
from functools import partial
from pathlib import Path

import urllib3

from competition.collect.http import Client, DownloadFailed, DownloadRefused
from competition.metadata.header import read_header
from competition.utils.errors import InputError

CHUNK_BYTES = 1 << 16
JPEG_SIGNATURE = b"\xff\xd8\xff"
# Some file servers send every file as octet-stream; the content decides then.
CONTENT_TYPES = frozenset(
    {"image/jpeg", "image/jpg", "image/pjpeg", "application/octet-stream", "binary/octet-stream", ""}
)


def download(client: Client, url: str, part: Path) -> None:
    """Download the JPEG at `url` to `part`, resuming from the bytes that an earlier run left there.

    While `part` is incomplete, a file beside it holds the validator of its version (ETag or Last-Modified, RFC 9110,
    section 13.1.5), so that parts of two versions are never joined.

    Raises:
        DownloadRefused: The file is not available or not a complete JPEG; `part` is removed.
        DownloadFailed: The transfer failed; a later run may succeed.
    """
    try:
        client.retry(partial(_attempt, client, url, part))
    except DownloadRefused:
        part.unlink(missing_ok=True)
        raise
    finally:
        if not part.exists():
            validator_path(part).unlink(missing_ok=True)


def validator_path(part: Path) -> Path:
    """Path of the file that holds the validator of an incomplete `part`."""
    return part.with_suffix(".version")


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _attempt(client: Client, url: str, part: Path) -> None:
    validator = validator_path(part)
    size = part.stat().st_size if part.exists() and validator.exists() else 0
    headers = {"Range": f"bytes={size}-", "If-Range": validator.read_text()} if size else {}
    with client.get(url, headers) as response:
        resumed = response.status == 206
        if response.status == 416 or (resumed and _first_byte(response) != size):
            part.unlink(missing_ok=True)
            raise DownloadFailed("the host sent another range than requested")
        length = _length(response)
        _check_headers(response, length and length + size * resumed, client.limits.max_bytes)
        if not (size and resumed):
            size = 0
            part.unlink(missing_ok=True)  # before the validator changes: the old bytes belong to the old one
            _write_validator(validator, response)
        _receive(client, response, part, size)
    _check_file(part, length_known=length is not None)


def _receive(client: Client, response: urllib3.BaseHTTPResponse, part: Path, size: int) -> None:
    """Append the body to `part`, which holds `size` bytes."""
    limits, start = client.limits, b""
    deadline = time.monotonic() + limits.max_seconds
    with part.open("ab") as file:
        while data := response.read1(CHUNK_BYTES):  # read1, because a slow host would block inside read
            if size < len(JPEG_SIGNATURE):
                start = (start + data)[: len(JPEG_SIGNATURE)]
                if not JPEG_SIGNATURE.startswith(start):
                    raise DownloadRefused("the content is not a JPEG")
            size += len(data)
            if size > limits.max_bytes:
                raise DownloadRefused(_too_large(limits.max_bytes))
            file.write(data)
            if time.monotonic() > deadline:
                raise DownloadFailed(f"not complete after {limits.max_seconds:g} s", retryable=False)
            client.rate_limiter.sleep(0)  # raises if the run was stopped


def _check_headers(response: urllib3.BaseHTTPResponse, total: int | None, max_bytes: int) -> None:
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if content_type not in CONTENT_TYPES:
        raise DownloadRefused(f"expected a JPEG, received {content_type[:50]}")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise DownloadRefused("the host compressed the file although identity encoding was requested")
    if total == 0:
        raise DownloadRefused("empty")
    if total is not None and total > max_bytes:
        raise DownloadRefused(_too_large(max_bytes))


def _check_file(part: Path, length_known: bool) -> None:
    try:
        header = read_header(part)
    except InputError:
        raise DownloadRefused("the content is not a JPEG") from None
    if header.format != "JPEG":
        raise DownloadRefused(f"the content is not a JPEG but {header.format}")
    if not header.complete and length_known:
        raise DownloadRefused("the file on the host is truncated")
    if not header.complete:
        raise DownloadFailed("the transfer ended too early")


def _too_large(max_bytes: int) -> str:
    return f"larger than {max_bytes / 2**20:g} MiB"


def _first_byte(response: urllib3.BaseHTTPResponse) -> int | None:
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(match[1]) if match else None


def _length(response: urllib3.BaseHTTPResponse) -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isdecimal() else None


def _write_validator(path: Path, response: urllib3.BaseHTTPResponse) -> None:
    """Write the strong validator; without one, a broken transfer starts again from the first byte."""
    validator = response.headers.get("ETag", "")
    if not validator.startswith('"'):  # a weak ETag (W/"…") does not guarantee the same bytes
        validator = response.headers.get("Last-Modified", "")
    if validator:
        path.write_text(validator)
    else:
        path.unlink(missing_ok=True)
