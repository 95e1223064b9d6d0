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
from competition.doctor.rules import MIN_AGREEING, MIN_TABLE_SHARE, RULES, Profile
from competition.manifest import COLUMNS, DTYPES
from competition.manipulation import UNALTERED, manipulation_from_name
from competition.metadata.collected import collected_devices
from competition.utils.errors import InputError, unknown_name
from competition.utils.find_photos import list_files
from competition.utils.parallel import parallel_map
from competition.utils.tables import text_table

Value = TypeVar("Value", bound=Hashable)

UNREADABLE = "unreadable"  # the one reason that is not a rule
HEADER_COLUMNS = (  # columns of the manifest that are fields of `Header`
    *("make", "model", "f_number", "iso", "exposure_time"),
    *("width", "height", "jpeg_quality", "software", "taken_at"),
)
REPORT_DTYPES = {
    "path": "str",
    "verdict": "str",
    "reason": "str",
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
        One row per file, sorted by path. Columns: path, verdict (`keep` or `reject`), reason (`rule: what is wrong`,
        joined by `; `; null when kept), then those of the manifest, null where unknown.

    Raises:
        InputError: A rule is unknown, or the folder has no files.
    """
    folder = Path(folder)
    devices = collected_devices(folder)
    unknown = [name for name in rules if name not in RULES]
    if unknown:
        raise unknown_name("rule", unknown[0], RULES)
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
        if isinstance(photo, Photo):
            row = _row(photo, check_photo(photo, profile, active), devices.get(path))
        else:
            row = _unreadable_row(path, reason=photo)
        for name, values in columns.items():
            values.append(row.get(name))
    return pd.DataFrame(columns).astype(REPORT_DTYPES)


def check_photo(photo: Photo, profile: Profile, rules: Iterable[str]) -> list[str]:
    """Apply the named rules to a photo and return what they find, as `rule: what is wrong`."""
    is_patch = photo.split == "test"
    checks = {name: RULES[name].check(photo, profile) for name in rules if RULES[name].patches or not is_patch}
    return [f"{name}: {finding}" for name, finding in checks.items() if finding]


def build_profile(
    photos: Sequence[Photo],
    copies: Mapping[str, str] | None = None,
    neighbors: Mapping[str, str] | None = None,
) -> Profile:
    """Collect what at least `MIN_AGREEING` photos of a group share; model and size also need a majority of it."""
    photos = [photo for photo in photos if photo.split != "test"]
    model = _counts(photos, lambda photo: photo.header.model)
    size = _counts(photos, lambda photo: sort_sides(photo.header.width, photo.header.height))
    tables = _counts(photos, lambda photo: photo.tables_digest)
    software = _counts(photos, lambda photo: photo.header.software)
    return Profile(
        model={group: usual for group, counts in model.items() if (usual := _majority(counts))},
        size={group: sides for group, counts in size.items() if (sides := _majority(counts))},
        tables={
            group: frozenset(
                name for name, count in counts.items() if count >= max(2, MIN_TABLE_SHARE * counts.total())
            )
            for group, counts in tables.items()
            if max(counts.values()) >= MIN_AGREEING
        },
        software={
            group: frozenset(name for name, count in counts.items() if name and count >= MIN_AGREEING)
            for group, counts in software.items()
        },
        copies=copies or {},
        neighbors=neighbors or {},
    )


def summary(report: pd.DataFrame) -> str:
    """Format two tables: kept and rejected files by camera, and rejected files by rule."""
    camera = report["camera"].fillna("(no camera)").rename("camera")
    verdicts = pd.crosstab(camera, report["verdict"], margins=True, margins_name="all")
    verdicts = verdicts.reindex(columns=["keep", "reject", "all"], fill_value=0).rename_axis(columns=None)
    rejected = Counter(
        finding.partition(": ")[0] for reason in report["reason"].dropna() for finding in reason.split("; ")
    )
    counts = {name: rejected[name] for name in (UNREADABLE, *RULES) if rejected[name]}
    reasons = pd.Series(counts, name="rejected", dtype="int64").rename_axis("reason").to_frame()
    return "\n\n".join(text_table(table.reset_index().to_dict("list")) for table in (verdicts, reasons) if len(table))


def kept_manifest(report: pd.DataFrame) -> pd.DataFrame:
    """The manifest of the files whose verdict is `keep`."""
    return report.loc[report["verdict"] == "keep", list(COLUMNS)].astype(DTYPES).reset_index(drop=True)


def _files(folder: Path) -> list[str]:
    """Relative paths of all files below `folder`, with forward slashes, sorted.

    Hidden files and folders are left out, and so are tables and records (.csv, .json) directly inside `folder`.
    """
    return [name for name in list_files(folder) if "/" in name or not name.endswith((".csv", ".json"))]


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
    decoded = [photo for photo in photos if photo.fingerprint is not None]
    training, validation = ([photo for photo in decoded if photo.split == split] for split in ("train", "validation"))
    hashes = [[photo.fingerprint or 0 for photo in part] for part in (training, validation)]
    return {training[index].path: validation[nearest].path for index, nearest in near_duplicates(*hashes).items()}


def _row(photo: Photo, findings: list[str], collected_device: str | None) -> dict[str, object]:
    return {
        "path": photo.path,
        "verdict": "reject" if findings else "keep",
        "reason": "; ".join(findings) or None,
        "camera": photo.camera,
        "device": photo.header.device or collected_device,
        **{name: getattr(photo.header, name) for name in HEADER_COLUMNS},
        "manipulation": UNALTERED if photo.split != "test" else manipulation_from_name(photo.path),
        "split": photo.split,
    }


def _unreadable_row(path: str, reason: str) -> dict[str, object]:
    camera, split = camera_and_split(path)
    return {"path": path, "verdict": "reject", "reason": f"{UNREADABLE}: {reason}", "camera": camera, "split": split}
