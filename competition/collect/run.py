"""The run: several connections fetch, one thread writes down what became of each address."""

import hashlib
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from competition.collect.download import checksum, download
from competition.collect.faults import Failed, Refused
from competition.collect.http import Client
from competition.collect.record import FAILED, KEPT, REFUSED, Record, Row
from competition.collect.url_list import Address

PARTS = ".parts"  # hidden, so that it is never taken for photographs


@dataclass
class Found:
    """Addresses that needed nothing. before: already dealt with; elsewhere: those of them for another camera."""

    before: int = 0
    elsewhere: int = 0


def collect(addresses: Iterable[Address], folder: Path | str, client: Client, total: int | None = None) -> Found:
    """Fetch what is not yet there into `folder`/train/<camera>/ and record it in `folder`/collected.csv.

    `total`: of addresses, for the progress bar. A stopped run keeps every whole file, every row and the parts of
    files, and the next one goes on from there.
    """
    folder = Path(folder)
    threads = ThreadPoolExecutor(client.limits.connections, thread_name_prefix="collect")
    running: set[Future[Row]] = set()
    found, started = Found(), dict[str, str]()  # address → camera
    with Record(folder) as record, tqdm(desc="photographs", unit="", total=total, disable=None) as progress:

        def write_down(enough: int) -> None:
            """Wait until at most `enough` are running, and record the others."""
            nonlocal running
            while len(running) > enough:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    record.add(future.result())
                    progress.update()

        try:
            for address in addresses:
                camera = record.camera(address.url) or started.get(address.url)
                if camera:
                    found.before += 1
                    found.elsewhere += camera != address.camera
                    progress.update()
                    continue
                started[address.url] = address.camera
                running.add(threads.submit(_collect, client, folder, address))
                write_down(enough=2 * client.limits.connections)
            write_down(enough=0)
        except BaseException:
            client.pace.stop()
            raise
        finally:
            threads.shutdown(cancel_futures=True)
    parts = folder / PARTS
    if parts.is_dir() and not any(parts.iterdir()):
        parts.rmdir()
    return found


def place(address: Address) -> str:
    """Where a photograph is kept, relative to the folder. No part of an address becomes part of a file's name."""
    return f"train/{address.camera}/{hashlib.sha256(address.url.encode()).hexdigest()[:20]}.jpg"


def _collect(client: Client, folder: Path, address: Address) -> Row:
    target = folder / place(address)
    try:
        if not target.exists():  # a killed run may have kept it without getting to its row
            part = folder / PARTS / target.name
            part.parent.mkdir(parents=True, exist_ok=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            download(client, address.url, part)
            part.replace(target)
            part.with_suffix(".version").unlink(missing_ok=True)
    except Refused as reason:
        return _row(address, REFUSED, reason=str(reason))
    except Failed as reason:
        return _row(address, FAILED, reason=str(reason))
    return _row(address, KEPT, path=place(address), bytes=target.stat().st_size, sha256=checksum(target))


def _row(
    address: Address, status: str, path: str = "", bytes: int | str = "", sha256: str = "", reason: str = ""
) -> Row:
    return Row(
        path=path,
        url=address.url,
        camera=address.camera,
        device=address.device,
        licence=address.licence,
        source=address.source,
        bytes=bytes,
        sha256=sha256,
        status=status,
        reason=reason,
    )
