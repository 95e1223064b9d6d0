"""Examine a folder: read every header once, build a profile of the collection, then check each photo by the rules."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import pandas as pd

from competition.doctor.duplicates import near_duplicates
from competition.doctor.read_file import Photo, camera_and_split, read_photo, sort_sides
from competition.doctor.rules import (
    FIT,
    MIN_AGREEING,
    MIN_QUALITY,
    MIN_TABLE_COVERAGE,
    MIN_TABLE_SHARE,
    ORIGINAL,
    RULES,
    Profile,
)
from competition.doctor.verdicts import UNREADABLE, Verdicts, judge
from competition.manifest import COLUMNS, DTYPES
from competition.manipulation import UNALTERED, manipulation_from_name
from competition.metadata.collected import collected_devices
from competition.utils.errors import InputError, unknown_name
from competition.utils.find_photos import list_files
from competition.utils.parallel import parallel_map
from competition.utils.tables import text_table

Value = TypeVar("Value", bound=Hashable)

HEADER_COLUMNS = (  # columns of the manifest that are fields of `Header`
    *("make", "model", "f_number", "iso", "exposure_time"),
    *("width", "height", "jpeg_quality", "software", "taken_at"),
)
REPORT_DTYPES = {
    "path": "str",
    "original": "str",  # yes or no; null where not asked, see `competition.doctor.verdicts`
    "original_reasons": "str",
    "fit": "str",  # yes or no
    "fit_reasons": "str",
    **{name: kind.replace("int64", "Int64") for name, kind in DTYPES.items() if name != "path"},
}


def examine(
    folder: Path | str,
    rules: Sequence[str] = tuple(RULES),
    pixels: bool = False,
    jobs: int = 1,
    splits: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Check every file in `folder` and below, except hidden ones.

    The first folder below `folder` (or below its `train`, `validation`, `test`) names the camera.

    Args:
        folder: Photos in any layout.
        rules: Names of `RULES`; those that need pixels are left out unless `pixels`.
        pixels: Whether to decode every photo.
        jobs: Number of processes, -1 for one per core.
        splits: path → train or validation, where the folders do not say so.

    Returns:
        One row per file, sorted by path. Columns: path; original and fit, the verdicts `yes` or `no`, each followed by
        its reasons (`rule: finding`, joined by `; `; null for `yes`); those of the manifest, null where unknown.

    Raises:
        InputError: A rule is unknown, the folder is missing, has no files, or contains a folder that cannot be read.
    """
    folder = Path(folder)
    devices = collected_devices(folder)
    unknown = [name for name in rules if name not in RULES]
    if unknown:
        raise unknown_name("rule", unknown[0], RULES)
    if not folder.exists():
        raise InputError(f"the folder {folder} does not exist; expected a folder with photos")
    paths = _files(folder) if folder.is_dir() else []
    if not paths:
        raise InputError(f"{folder} has no files; expected a folder with photos")
    results = list(parallel_map(partial(read_photo, folder, pixels), paths, jobs, "photos"))
    if splits:
        results = [replace(it, split=splits.get(it.path, it.split)) if isinstance(it, Photo) else it for it in results]
    photos = [photo for photo in results if isinstance(photo, Photo)]
    profile = build_profile(photos, _copies(folder, photos), _neighbors(photos))
    active = [name for name in RULES if name in rules and (pixels or not RULES[name].pixels)]
    columns: dict[str, list[object]] = {name: [] for name in REPORT_DTYPES}  # smaller than a list of rows
    for path, photo in zip(paths, results, strict=True):
        row = _verdict_columns(judge(photo, profile, active)) | _manifest_columns(path, photo, devices.get(path))
        for name, values in columns.items():
            values.append(row.get(name))
    return pd.DataFrame(columns).astype(REPORT_DTYPES)


def build_profile(
    photos: Sequence[Photo],
    copies: Mapping[str, str] | None = None,
    neighbors: Mapping[str, str] | None = None,
) -> Profile:
    """Collect what at least `MIN_AGREEING` photos of a group share; model, size and quality also need a majority."""
    photos = [photo for photo in photos if photo.split != "test"]
    model = _counts(photos, lambda photo: photo.header.model)
    size = _counts(photos, lambda photo: sort_sides(photo.header.width, photo.header.height))
    tables = _counts(photos, lambda photo: photo.tables_digest)
    software = _counts(photos, lambda photo: photo.header.software)
    is_low = _counts(photos, lambda photo: (photo.header.jpeg_quality or 100) < MIN_QUALITY)
    usual_model = {group: usual for group, counts in model.items() if (usual := _majority(counts))}
    return Profile(
        model=usual_model,
        size={group: sides for group, counts in size.items() if (sides := _majority(counts))},
        tables={group: own for group, counts in tables.items() if (own := _own_tables(counts))},
        software={
            group: frozenset(name for name, count in counts.items() if name and count >= MIN_AGREEING)
            for group, counts in software.items()
        },
        low_quality=frozenset(group for group in usual_model if _majority(is_low[group])),
        copies=copies or {},
        neighbors=neighbors or {},
    )


def summary(report: pd.DataFrame) -> str:
    """Format two tables: the verdicts by camera, and the findings by rule."""
    camera = report["camera"].fillna("(no camera)").rename("camera")
    marks = {
        "files": True,
        "not original": report[ORIGINAL] == "no",
        "not fit": report[FIT] == "no",
        "kept": _is_kept(report),
    }
    counts = pd.DataFrame(marks, index=report.index).groupby(camera).sum()
    counts.loc["all"] = counts.sum()
    verdicts = counts.reset_index().to_dict("list")
    found = {verdict: _count_rules(report[f"{verdict}_reasons"]) for verdict in (ORIGINAL, FIT)}
    rows = [(f"not {verdict}", name, found[verdict][name]) for verdict in found for name in found[verdict]]
    reasons = dict(zip(("verdict", "rule", "files"), zip(*rows, strict=True), strict=True)) if rows else {}
    return "\n\n".join(text_table(table, left=left) for table, left in ((verdicts, 1), (reasons, 2)) if table)


def kept_manifest(report: pd.DataFrame) -> pd.DataFrame:
    """The manifest of the files that are fit for training and, except for test patches, original."""
    return report.loc[_is_kept(report), list(COLUMNS)].astype(DTYPES).reset_index(drop=True)


def _is_kept(report: pd.DataFrame) -> pd.Series:
    return (report[FIT] == "yes") & (report[ORIGINAL] != "no")


def _files(folder: Path) -> list[str]:
    """Relative paths of all files below `folder`, with forward slashes, sorted.

    Hidden files and folders are left out, and so are tables, records and archives (.csv, .json, .zip)
    directly inside `folder`.
    """
    return [name for name in list_files(folder) if "/" in name or not name.endswith((".csv", ".json", ".zip"))]


def _counts(photos: Iterable[Photo], value: Callable[[Photo], Value]) -> dict[str, Counter[Value]]:
    counts: dict[str, Counter[Value]] = defaultdict(Counter)
    for photo in photos:
        counts[photo.group][value(photo)] += 1
    return counts


def _majority(counts: Counter[Value]) -> Value | None:
    value, count = counts.most_common(1)[0]
    return value if count >= MIN_AGREEING and count > counts.total() / 2 else None


def _copies(folder: Path, photos: Iterable[Photo]) -> dict[str, str]:
    """Path → path of the first file with the same bytes. Only files whose header and size agree are read."""
    candidates: dict[Hashable, list[str]] = defaultdict(list)
    for photo in photos:
        fields = tuple(str(getattr(photo.header, name)) for name in HEADER_COLUMNS)
        candidates[photo.size, photo.tables_digest, fields].append(photo.path)
    first: dict[tuple[Hashable, bytes], str] = {}
    copies = {}
    for key, paths in candidates.items():
        for path in paths if len(paths) > 1 else ():
            with (folder / path).open("rb") as file:
                original = first.setdefault((key, hashlib.file_digest(file, "blake2b").digest()), path)
            if original != path:
                copies[path] = original
    return copies


def _neighbors(photos: Sequence[Photo]) -> dict[str, str]:
    """Path of a training photo → path of the validation photo that looks nearly the same."""
    decoded = [photo for photo in photos if photo.looks is not None]
    training, validation = ([photo for photo in decoded if photo.split == split] for split in ("train", "validation"))
    hashes = [[photo.looks or 0 for photo in part] for part in (training, validation)]
    return {training[index].path: validation[nearest].path for index, nearest in near_duplicates(*hashes).items()}


def _own_tables(counts: Counter[str]) -> frozenset[str]:
    """The quantization tables that a group uses; none if too few photos agree, or if the camera adapts its tables."""
    least = max(2, MIN_TABLE_SHARE * counts.total())
    own = {name: count for name, count in counts.items() if count >= least}
    settled = max(counts.values()) >= MIN_AGREEING and sum(own.values()) >= MIN_TABLE_COVERAGE * counts.total()
    return frozenset(own) if settled else frozenset()


def _count_rules(reasons: pd.Series) -> dict[str, int]:
    """Count the findings of each rule, in the order of the rules."""
    counts = Counter(reason.partition(": ")[0] for text in reasons.dropna() for reason in text.split("; "))
    return {name: counts[name] for name in (UNREADABLE, *RULES) if counts[name]}


def _verdict_columns(verdicts: Verdicts) -> dict[str, object]:
    words = {True: "yes", False: "no", None: None}
    return {
        ORIGINAL: words[verdicts.original],
        f"{ORIGINAL}_reasons": "; ".join(verdicts.original_reasons) or None,
        FIT: words[verdicts.fit],
        f"{FIT}_reasons": "; ".join(verdicts.fit_reasons) or None,
    }


def _manifest_columns(path: str, photo: Photo | str, collected_device: str | None) -> dict[str, object]:
    camera, split = camera_and_split(path)
    if isinstance(photo, str):
        return {"path": path, "camera": camera, "split": split}
    return {
        "path": path,
        "camera": photo.camera,
        "device": photo.header.device or collected_device,
        **{name: getattr(photo.header, name) for name in HEADER_COLUMNS},
        "manipulation": UNALTERED if photo.split != "test" else manipulation_from_name(path),
        "split": photo.split,
    }
