"""The list of photos to download: a CSV file of URLs, each with its camera and license."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from competition.collect.licenses import canonical_name
from competition.utils.errors import InputError

REQUIRED = ("url", "camera", "licence")
OPTIONAL = ("device",)
CAMERA_NAME = re.compile(r"\w(?:[\w .+-]{0,98}[\w+-])?")  # becomes a folder's name: no slash and no ".."


@dataclass(frozen=True, slots=True)
class PhotoUrl:
    """A photo to download.

    camera: the name of its folder. device: one camera body, or its owner. licence: a canonical name. source: the
    list or web page that has the URL.
    """

    url: str
    camera: str
    device: str
    licence: str
    source: str


def read_url_list(path: Path | str) -> list[PhotoUrl]:
    """Read a CSV file with the columns url, camera, licence and, where known, device.

    The whole file is validated before anything is downloaded. A repeated URL counts once.

    Raises:
        InputError: The file is missing, not CSV, has other columns or no rows; a license is unknown; a camera's
            name is not valid as a folder's name; a URL is malformed, contains a password or is listed for two
            cameras.
    """
    path = Path(path)
    photos: dict[str, PhotoUrl] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for line, row in _rows(path, csv.DictReader(file, strict=True)):
                photo = _parse_row(path, line, row)
                first = photos.setdefault(photo.url, photo)
                if first.camera != photo.camera:
                    raise InputError(
                        f"{path}, line {line}: {photo.url} is listed for {first.camera} and for {photo.camera}; "
                        "remove one of the lines"
                    )
    except FileNotFoundError:
        raise InputError(f"{path} does not exist") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a CSV file in UTF-8 ({error})") from None
    if not photos:
        raise InputError(f"{path} lists no URL; expected at least one line below the header")
    return list(photos.values())


def check_camera_name(name: str) -> str:
    """Return `name` if it is valid as a folder's name; raise `InputError` otherwise."""
    if not CAMERA_NAME.fullmatch(name):
        raise InputError(
            f"{name!r} is not a valid camera name; use at most 100 letters, digits, spaces and . _ + -, "
            "starting with a letter or digit"
        )
    return name


def _rows(path: Path, reader: "csv.DictReader[str]") -> Iterator[tuple[int, dict[str, str]]]:
    """Validate the header, then yield each line's number and fields."""
    header = [name.strip().lower() for name in reader.fieldnames or ()]
    if not set(REQUIRED) <= set(header) <= {*REQUIRED, *OPTIONAL} or len(set(header)) < len(header):
        raise InputError(
            f"{path} has the columns {', '.join(header) or '(none)'}; expected {', '.join(REQUIRED)} and, where "
            f"known, {', '.join(OPTIONAL)}"
        )
    reader.fieldnames = header
    for row in reader:
        if None in row or None in row.values():  # DictReader's signs of too many and of too few fields
            raise InputError(f"{path}, line {reader.line_num}: expected {len(header)} fields ({', '.join(header)})")
        yield reader.line_num, {name: field.strip() for name, field in row.items()}


def _parse_row(path: Path, line: int, row: dict[str, str]) -> PhotoUrl:
    url = row["url"]
    try:
        has_password = bool(parse_url(url).auth)
    except HTTPError:
        has_password = False  # not a URL: `collect` refuses it and records the reason
    if has_password:  # the URL is not part of the message: the password would reach a log
        raise InputError(f"{path}, line {line}: a URL with a user name or password, which would be recorded; remove it")
    if not url or not url.isprintable() or " " in url:
        raise InputError(f"{path}, line {line}: {url!r} is not a URL; expected https://…, without spaces")
    try:
        licence, camera = canonical_name(row["licence"]), check_camera_name(row["camera"])
    except InputError as error:
        raise InputError(f"{path}, line {line}: {error}") from None
    return PhotoUrl(url=url, camera=camera, device=row.get("device", ""), licence=licence, source=path.name)
