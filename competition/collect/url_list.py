"""Where photographs are to be had: a list of addresses, each with its camera and licence."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from competition.collect.licences import canonical
from competition.utils.errors import InputError

REQUIRED = ("url", "camera", "licence")
OPTIONAL = ("device",)
CAMERA = re.compile(r"\w(?:[\w .+-]{0,98}[\w+-])?")  # becomes the name of a folder, so no slash and no ".."


@dataclass(frozen=True, slots=True)
class Address:
    """One photograph to fetch. camera: its folder; device: one camera body, or its owner; source: who told."""

    url: str
    camera: str
    device: str
    licence: str
    source: str


def read_list(path: Path | str) -> list[Address]:
    """The addresses of a CSV file with the columns url, camera, licence and, where known, device.

    All of it is checked before anything is fetched. An address that is repeated counts once. Raises `InputError`
    for a file that is missing or no CSV, other columns, an unknown licence, a camera's name that is no name of a
    folder, an address with a password in it, and one that is listed for two cameras.
    """
    path = Path(path)
    found: dict[str, Address] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for line, row in _rows(path, csv.DictReader(file, strict=True)):
                address = _address(path, line, row)
                before = found.setdefault(address.url, address)
                if before.camera != address.camera:
                    raise InputError(
                        f"{path}, line {line}: {address.url} is listed for {before.camera} and for {address.camera}; "
                        "keep one of them"
                    )
    except FileNotFoundError:
        raise InputError(f"{path} does not exist") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a CSV file in UTF-8 ({error})") from None
    if not found:
        raise InputError(f"{path} lists no address")
    return list(found.values())


def check_camera(name: str) -> str:
    """`name`, if a folder may be called so; otherwise `InputError`."""
    if not CAMERA.fullmatch(name):
        raise InputError(
            f"{name!r} is no name for a camera's folder; use letters, digits, spaces and . _ + -, at most 100, "
            "and begin with a letter or digit"
        )
    return name


def _rows(path: Path, reader: "csv.DictReader[str]") -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and row, the columns once checked."""
    header = [name.strip().lower() for name in reader.fieldnames or ()]
    if not set(REQUIRED) <= set(header) <= {*REQUIRED, *OPTIONAL} or len(set(header)) < len(header):
        raise InputError(
            f"{path} has the columns {', '.join(header) or '(none)'}; expected {', '.join(REQUIRED)} and, where "
            f"known, {', '.join(OPTIONAL)}"
        )
    reader.fieldnames = header
    for row in reader:
        if None in row or None in row.values():  # how DictReader tells of too many and of too few
            raise InputError(f"{path}, line {reader.line_num}: not as many fields as columns ({', '.join(header)})")
        yield reader.line_num, {name: field.strip() for name, field in row.items()}


def _address(path: Path, line: int, row: dict[str, str]) -> Address:
    url = row["url"]
    try:
        secret = bool(parse_url(url).auth)
    except HTTPError:
        secret = False  # no address at all: it will be refused, with a row that says so
    if secret:  # the address itself is not repeated here: the password would reach a log
        raise InputError(f"{path}, line {line}: an address with a name or password in it, which would be recorded")
    if not url or not url.isprintable() or " " in url:
        raise InputError(f"{path}, line {line}: {url!r} is no address; expected https://…, without spaces")
    try:
        licence, camera = canonical(row["licence"]), check_camera(row["camera"])
    except InputError as error:
        raise InputError(f"{path}, line {line}: {error}") from None
    return Address(url=url, camera=camera, device=row.get("device", ""), licence=licence, source=path.name)
