"""The run over a folder: read every header once, learn what is usual, then judge each photograph by the rules."""

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import pandas as pd

from competition.collect.record import devices
from competition.doctor.duplicates import near_pairs
from competition.doctor.read_file import Photo, claims, read_photo, sides
from competition.doctor.rules import AGREE, RULES, TABLE_SHARE, Learned
from competition.manifest import COLUMNS, DTYPES, UNALTERED, manipulation_of
from competition.utils.errors import InputError, unknown_name
from competition.utils.parallel import parallel_map

Value = TypeVar("Value", bound=Hashable)

UNREADABLE = "unreadable"  # the reason that is no rule: nothing can be judged
COPIED = (  # from the header as they are
    *("make", "model", "f_number", "iso", "exposure_time"),
    *("width", "height", "jpeg_quality", "software", "taken_at"),
)
EXAMINED_DTYPES = {
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
    """One row for each file in `folder` and below (hidden ones left out), sorted by path.

    Columns: path, verdict (`keep` or `reject`), reason (`rule: what is wrong`, joined by `; `; null when
    kept), then the manifest's, null where unknown. The first folder below `folder` (or below its `train`,
    `validation`, `test`) is the claimed camera. `splits`: path → train or validation, where the folders do
    not say it. `rules`: names of `RULES`; those that need pixels are left out unless `pixels`. Raises
    `InputError` for an unknown rule and a folder without files.
    """
    folder = Path(folder)
    collected = devices(folder)
    unknown = [name for name in rules if name not in RULES]
    if unknown:
        raise unknown_name("rule", unknown[0], RULES)
    paths = _files(folder)
    if not paths:
        raise InputError(f"{folder} holds no files; expected a folder with photographs")
    found = list(parallel_map(partial(read_photo, folder, pixels), paths, jobs, "photographs"))
    if splits:
        found = [replace(it, split=splits.get(it.path, it.split)) if isinstance(it, Photo) else it for it in found]
    photos = [photo for photo in found if isinstance(photo, Photo)]
    learned = learn(photos, _copies(folder, photos), _neighbours(photos))
    active = [name for name in RULES if name in rules and (pixels or not RULES[name].pixels)]
    columns: dict[str, list[object]] = {name: [] for name in EXAMINED_DTYPES}  # smaller than a list of rows
    for path, photo in zip(paths, found, strict=True):
        if isinstance(photo, Photo):
            row = _row(photo, judge(photo, learned, active), collected.get(path))
        else:
            row = _unread(path, photo)
        for name, values in columns.items():
            values.append(row.get(name))
    return pd.DataFrame(columns).astype(EXAMINED_DTYPES)


def judge(photo: Photo, learned: Learned, rules: Iterable[str]) -> list[str]:
    """What speaks against a photograph, as `rule: what is wrong`."""
    patch = photo.split == "test"
    checks = {name: RULES[name].check(photo, learned) for name in rules if RULES[name].patches or not patch}
    return [f"{name}: {wrong}" for name, wrong in checks.items() if wrong]


def learn(
    photos: Sequence[Photo],
    copies: Mapping[str, str] | None = None,
    neighbours: Mapping[str, str] | None = None,
) -> Learned:
    """What at least `AGREE` photographs of a kind agree on; model and size also need more than half of the kind."""
    photos = [photo for photo in photos if photo.split != "test"]
    model = _counts(photos, lambda photo: photo.header.model)
    size = _counts(photos, lambda photo: sides(photo.header.width, photo.header.height))
    table = _counts(photos, lambda photo: photo.table)
    software = _counts(photos, lambda photo: photo.header.software)
    return Learned(
        model={kind: usual for kind, counts in model.items() if (usual := _majority(counts))},
        size={kind: pair for kind, counts in size.items() if (pair := _majority(counts))},
        tables={
            kind: frozenset(name for name, count in counts.items() if count >= max(2, TABLE_SHARE * counts.total()))
            for kind, counts in table.items()
            if max(counts.values()) >= AGREE
        },
        software={
            kind: frozenset(name for name, count in counts.items() if name and count >= AGREE)
            for kind, counts in software.items()
        },
        copies=copies or {},
        neighbours=neighbours or {},
    )


def summary(examined: pd.DataFrame) -> str:
    """Two small tables: kept and rejected by camera, and how many photographs each rule speaks against."""
    camera = examined["camera"].fillna("(no camera claimed)").rename("camera")
    verdicts = pd.crosstab(camera, examined["verdict"], margins=True, margins_name="all")
    verdicts = verdicts.reindex(columns=["keep", "reject", "all"], fill_value=0).rename_axis(columns=None)
    against = Counter(
        predicted.partition(": ")[0] for reason in examined["reason"].dropna() for predicted in reason.split("; ")
    )
    counts = {name: against[name] for name in (UNREADABLE, *RULES) if against[name]}
    reasons = pd.Series(counts, name="rejected", dtype="int64")
    return "\n\n".join(
        table.to_string() for table in (verdicts, reasons.rename_axis("reason").to_frame()) if len(table)
    )


def kept(examined: pd.DataFrame) -> pd.DataFrame:
    """The manifest of the photographs that are kept."""
    return examined.loc[examined["verdict"] == "keep", list(COLUMNS)].astype(DTYPES).reset_index(drop=True)


def _files(folder: Path) -> list[str]:
    """Paths of all files below, relative, with forward slashes, sorted; nothing whose name begins with a dot, and not
    the tables and records that lie beside the photographs."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = Path(place).relative_to(folder)
        beside = inside == Path() and (".csv", ".json")
        found += [
            (inside / name).as_posix()
            for name in names
            if not name.startswith(".") and not (beside and name.endswith(beside))
        ]
    return sorted(found)


def _counts(photos: Iterable[Photo], value: Callable[[Photo], Value]) -> dict[str, Counter[Value]]:
    counts: dict[str, Counter[Value]] = defaultdict(Counter)
    for photo in photos:
        counts[photo.kind][value(photo)] += 1
    return counts


def _majority(counts: Counter[Value]) -> Value | None:
    value, count = counts.most_common(1)[0]
    return value if count >= AGREE and count > counts.total() / 2 else None


def _copies(folder: Path, photos: Iterable[Photo]) -> dict[str, str]:
    """Path → path of the first file with the same bytes. Only files whose header and size agree are read."""
    alike: dict[Hashable, list[str]] = defaultdict(list)
    for photo in photos:
        alike[photo.size, photo.table, tuple(map(str, (getattr(photo.header, name) for name in COPIED)))].append(
            photo.path
        )
    first: dict[tuple[Hashable, bytes], str] = {}
    copies = {}
    for key, paths in alike.items():
        for path in paths if len(paths) > 1 else ():
            with (folder / path).open("rb") as file:
                same = first.setdefault((key, hashlib.file_digest(file, "blake2b").digest()), path)
            if same != path:
                copies[path] = same
    return copies


def _neighbours(photos: Sequence[Photo]) -> dict[str, str]:
    """Path of a training photograph → path of the validation photograph that looks nearly the same."""
    seen = [photo for photo in photos if photo.fingerprint is not None]
    training, validation = ([photo for photo in seen if photo.split == split] for split in ("train", "validation"))
    marks = [[photo.fingerprint or 0 for photo in part] for part in (training, validation)]
    return {training[mine].path: validation[other].path for mine, other in near_pairs(*marks).items()}


def _row(photo: Photo, against: list[str], collected_device: str | None) -> dict[str, object]:
    return {
        "path": photo.path,
        "verdict": "reject" if against else "keep",
        "reason": "; ".join(against) or None,
        "camera": photo.camera,
        "device": photo.header.device or collected_device,
        **{name: getattr(photo.header, name) for name in COPIED},
        "manipulation": UNALTERED if photo.split != "test" else manipulation_of(photo.path),
        "split": photo.split,
    }


def _unread(path: str, why: str) -> dict[str, object]:
    camera, split = claims(path)
    return {"path": path, "verdict": "reject", "reason": f"{UNREADABLE}: {why}", "camera": camera, "split": split}
