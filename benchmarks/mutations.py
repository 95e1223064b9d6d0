"""Mutations of files for `benchmarks.fuzz`: functions of the data and a random generator."""

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

Mutate = Callable[[bytes, np.random.Generator], bytes]

NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
CELLS = (
    *("", " ", "0", "-1", "1e999", "nan", "NaN", "None", "inf", "9" * 400, "1" * 5000, "x" * 100_000),
    *("a\nb", "a,b", '"', "'", "\0", "../../escape", "/etc/passwd", "🙂", "=1+1", "\ufeff", "train", "test"),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 1e308, 10**30, "", "x", "../../escape", "/", "\0", [], {}, [[]], {"": {}}),
    *([None] * 3, [1, 2, 3], {"a": 1}, "x" * 10_000, -(2**63), "nan", "__import__('os').system('touch escape')"),
)
NAMES = ("../../escape", "/tmp/escape", "config.json", "metadata.json", "model.weights.h5", "names.npy", "a/../b", "")


def mutate_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    """Change one to eight places: flip bits, overwrite numbers, delete, repeat, insert or zero a range, or cut."""
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 9))):
        start = int(rng.integers(len(changed) + 1))
        length = int(2 ** rng.uniform(0, np.log2(len(changed) + 2)))
        kind = int(rng.integers(7))
        if kind == 0 and start < len(changed):
            changed[start] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            packed = struct.pack(rng.choice(["<I", ">I", "<H", ">H"]), _number(rng) & 0xFFFF)
            changed[start : start + len(packed)] = packed
        elif kind == 2:
            del changed[start : start + length]
        elif kind == 3:
            changed[start:start] = changed[start : start + length]
        elif kind == 4:
            changed[start:start] = rng.bytes(min(length, 1000))
        elif kind == 5:
            changed[start : start + length] = bytes(len(changed[start : start + length]))
        elif rng.random() < 0.3:
            del changed[start:]
    return bytes(changed)


def mutate_jpeg(data: bytes, rng: np.random.Generator) -> bytes:
    """Mutate one segment (EXIF, profile, tables, frame or scan header). Its length stays consistent."""
    segments, position = [], 2
    while position + 4 <= len(data) and data[position] == 0xFF and data[position + 1] != 0xDA:
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        segments.append((position, end))
        position = end
    if not segments:
        return mutate_bytes(data, rng)
    start, end = segments[int(rng.integers(len(segments)))]
    content = mutate_bytes(data[start + 4 : end], rng)[:65_533]
    return data[: start + 2] + (len(content) + 2).to_bytes(2, "big") + content + data[end:]


def mutate_png(data: bytes, rng: np.random.Generator) -> bytes:
    """Mutate the content of one chunk, whose length and checksum stay consistent."""
    chunks, position = [], 8
    while position + 8 <= len(data):
        end = position + 12 + int.from_bytes(data[position : position + 4], "big")
        chunks.append((position, end))
        position = end
    if not chunks:
        return mutate_bytes(data, rng)
    start, end = chunks[int(rng.integers(len(chunks)))]
    kind, content = data[start + 4 : start + 8], mutate_bytes(data[start + 8 : end - 4], rng)
    checksum = zlib.crc32(kind + content).to_bytes(4, "big")
    return data[:start] + len(content).to_bytes(4, "big") + kind + content + checksum + data[end:]


def mutate_tiff(data: bytes, rng: np.random.Generator) -> bytes:
    """Overwrite a field of an entry of the first directory: its tag, type, count or value."""
    order = "<" if data[:2] == b"II" else ">"
    changed = bytearray(data)
    (start,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, start)
    for _ in range(int(rng.integers(1, 4))):
        offset, code = ((0, "H"), (2, "H"), (4, "I"), (8, "I"))[int(rng.integers(4))]
        entry = start + 2 + 12 * int(rng.integers(count))
        struct.pack_into(order + code, changed, entry + offset, _number(rng) & (0xFFFF if code == "H" else 0xFFFFFFFF))
    return bytes(changed)


def mutate_csv(data: bytes, rng: np.random.Generator) -> bytes:
    """Replace cells, delete or repeat rows and columns, or change bytes."""
    rows = [line.split(",") for line in data.decode().splitlines()]
    for _ in range(int(rng.integers(1, 4))):
        row = int(rng.integers(len(rows)))
        column = int(rng.integers(len(rows[row]) or 1))
        kind = int(rng.integers(6))
        if kind <= 1 and column < len(rows[row]):
            rows[row][column] = _choose(CELLS, rng)
        elif kind == 2 and len(rows) > 1:
            del rows[row]
        elif kind == 3:
            rows.insert(row, list(rows[row]))
        elif kind == 4:
            rows = [cells[:column] + cells[column + 1 :] for cells in rows]
        else:
            return mutate_bytes("\n".join(map(",".join, rows)).encode(), rng)
    return ("\n".join(map(",".join, rows)) + "\n").encode()


def mutate_json(data: bytes, rng: np.random.Generator) -> bytes:
    """Replace, delete or add values anywhere in the tree, nest them deeply, or change bytes."""
    kind = rng.random()
    if kind < 0.2:
        return mutate_bytes(data, rng)
    if kind < 0.23:
        return b"[" * 100_000 + b"]" * 100_000
    if kind < 0.26:
        return b'{"format_version": ' + b"9" * 6000 + b"}"
    tree = json.loads(data)
    for _ in range(int(rng.integers(1, 4))):
        tree = _mutate_tree(tree, rng)
    return json.dumps(tree).encode()


def mutate_yaml(data: bytes, rng: np.random.Generator) -> bytes:
    """Replace a word, use tags that would run code, aliases that grow exponentially, or change bytes."""
    kind = rng.random()
    if kind < 0.1:
        return b"transform: !!python/object/apply:os.system ['touch escape']\n"
    if kind < 0.2:
        lines = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 'x'}]" for n in range(9)]
        return "\n".join([*lines, "transform: *a8"]).encode()
    if kind < 0.6:
        words = data.decode().split(" ")
        words[int(rng.integers(len(words)))] = _choose(CELLS, rng)
        return " ".join(words).encode()
    return mutate_bytes(data, rng)


def mutate_zip(inside: Mutate) -> Mutate:
    """Return a mutation of one member of an archive by `inside`, of the name of a member, or of the archive's bytes."""

    def mutate(data: bytes, rng: np.random.Generator) -> bytes:
        if rng.random() < 0.2:
            return mutate_bytes(data, rng)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        name = _choose(tuple(members), rng)
        content = members.pop(name)
        if rng.random() < 0.15:
            name = _choose(NAMES, rng) or name
        elif rng.random() < 0.9:
            content = (mutate_json if name.endswith(".json") else inside)(content, rng)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for other, kept in {**members, name: content}.items():
                archive.writestr(other, kept)
        return buffer.getvalue()

    return mutate


def mutate_npy(data: bytes, rng: np.random.Generator) -> bytes:
    """Replace an array by one of another dtype or shape, a pickled object, or a header that promises a huge array."""
    kind = int(rng.integers(6))
    if kind < 3:
        array = np.load(io.BytesIO(data), allow_pickle=False)
        changed = (array.reshape(-1)[:1], array.astype(str), np.zeros((3, 4, 5), rng.choice(["f2", "i8", "c16", "U3"])))
        array = changed[kind]
    elif kind == 3:
        array = np.array([_Escape()], dtype=object)
    elif kind == 4:
        shape = _choose(("(100000000000000,)", "(-1,)", "(2, 4611686018427387904)", "(3000000000,)"), rng)
        header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
        return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data[-64:]
    else:
        return mutate_bytes(data, rng)
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


class _Escape:
    """Pickled code that would make a file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("open('escape', 'w').close()",)


def _mutate_tree(tree: Any, rng: np.random.Generator) -> Any:
    """Change one value of a JSON tree, on a random path from the root."""
    if not isinstance(tree, dict | list) or not tree or rng.random() < 0.1:
        value = _choose(VALUES, rng)
        return json.loads("[" * 50 + json.dumps(value) + "]" * 50) if rng.random() < 0.05 else value
    key = _choose(tuple(tree) if isinstance(tree, dict) else tuple(range(len(tree))), rng)
    kind = rng.random()
    if kind < 0.15:
        del tree[key]
    elif kind < 0.25 and isinstance(tree, dict):
        tree[_choose(("x", "", "class_name", "config", "module", "__proto__"), rng)] = _choose(VALUES, rng)
    else:
        tree[key] = _mutate_tree(tree[key], rng)
    return tree


def _number(rng: np.random.Generator) -> int:
    return _choose(NUMBERS, rng) if rng.random() < 0.7 else int(rng.integers(2**32))


def _choose(values: tuple[Any, ...], rng: np.random.Generator) -> Any:
    return values[int(rng.integers(len(values)))]
