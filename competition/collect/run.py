"""The loop of `collect`: several threads download, one thread records the result for each URL."""

import hashlib
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from competition.collect.download import download, sha256, validator_path
from competition.collect.http import Client, DownloadFailed, DownloadRefused
from competition.collect.record import Record
from competition.collect.url_list import PhotoUrl
from competition.metadata.collected import FAILED, KEPT, REFUSED, Row
from competition.utils.locks import lock_folder
from competition.utils.progress import hide_bars

PARTS = ".parts"  # hidden, so that no other command takes incomplete files for photos


@dataclass
class Skipped:
    """URLs that needed no request. finished: all of them; other_camera: those recorded for another camera."""

    finished: int = 0
    other_camera: int = 0


def collect(photos: Iterable[PhotoUrl], folder: Path | str, client: Client, total: int | None = None) -> Skipped:
    """Download missing photos to `folder`/train/<camera>/ and record them in `folder`/collected.csv.

    A stopped run keeps every complete file, every row and the parts of files, and the next run continues from there.

    Args:
        photos: What to download; may be a generator.
        folder: Created where it is missing.
        client: Its limits set the number of threads.
        total: Number of URLs, for the progress bar.

    Returns:
        How many URLs needed no request.

    Raises:
        InputError: Another process writes to the folder, or see `Record`.
    """
    folder = Path(folder)
    threads = ThreadPoolExecutor(client.limits.connections, thread_name_prefix="collect")
    running: set[Future[Row]] = set()
    skipped, started = Skipped(), dict[str, str]()  # URL → camera
    with (
        lock_folder(folder),
        Record(folder) as record,
        tqdm(desc="photos", unit="", total=total, disable=hide_bars()) as progress,
    ):

        def record_finished(max_running: int) -> None:
            """Wait until at most `max_running` downloads run, and record the finished ones."""
            nonlocal running
            while len(running) > max_running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    record.add(future.result())
                    progress.update()

        try:
            for photo in photos:
                camera = record.finished_for(photo.url) or started.get(photo.url)
                if camera:
                    skipped.finished += 1
                    skipped.other_camera += camera != photo.camera
                    progress.update()
                    continue
                started[photo.url] = photo.camera
                running.add(threads.submit(_collect_one, client, folder, photo))
                record_finished(max_running=2 * client.limits.connections)
            record_finished(max_running=0)
        except BaseException:
            client.rate_limiter.stop()
            raise
        finally:
            threads.shutdown(cancel_futures=True)
    parts = folder / PARTS
    if parts.is_dir() and not any(parts.iterdir()):
        parts.rmdir()
    return skipped


def photo_path(photo: PhotoUrl) -> str:
    """Path of a downloaded photo relative to the folder. The file's name is a hash, so no URL can leave the folder."""
    return f"train/{photo.camera}/{hashlib.sha256(photo.url.encode()).hexdigest()[:20]}.jpg"


def _collect_one(client: Client, folder: Path, photo: PhotoUrl) -> Row:
    target = folder / photo_path(photo)
    try:
        if not target.exists():  # a killed run may have kept the file without writing its row
            part = folder / PARTS / target.name
            part.parent.mkdir(parents=True, exist_ok=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            download(client, photo.url, part)
            part.replace(target)
            validator_path(part).unlink(missing_ok=True)
    except DownloadRefused as error:
        return _row(photo, REFUSED, reason=str(error))
    except DownloadFailed as error:
        return _row(photo, FAILED, reason=str(error))
    return _row(photo, KEPT, path=photo_path(photo), bytes=target.stat().st_size, sha256=sha256(target))


def _row(
    photo: PhotoUrl, status: str, path: str = "", bytes: int | str = "", sha256: str = "", reason: str = ""
) -> Row:
    return Row(
        path=path,
        url=photo.url,
        camera=photo.camera,
        device=photo.device,
        licence=photo.licence,
        source=photo.source,
        bytes=bytes,
        sha256=sha256,
        status=status,
        reason=reason,
    )
