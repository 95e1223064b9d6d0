"""How well splices are found: the images of a data set judged one by one, beside two baselines.

Whatever takes long is kept, so that what was killed goes on from there.
"""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from augment.decode import read_pixels
from competition.forgeries.datasets import Item, read_mask
from competition.metrics.localization import score_map, summarize_detection, summarize_maps
from competition.utils.atomic_files import atomic_write
from competition.utils.errors import InputError
from submissions.splices.baselines import energy_map, random_map
from submissions.splices.consistency import Grid
from submissions.splices.detector import Detection, Encoder, detect

NETWORK, ENERGY, RANDOM = MAPS = "network", "high-pass energy", "random"
MAP_SCORES = ("average_precision", "best_f1", "best_mcc", "best_iou", "f1", "mcc", "iou_as_published", "area")


@dataclass(frozen=True)
class KeptMaps:
    """The maps of images by an encoder and by high-pass energy, kept in a folder as one small .npz an image.

    What was kept by another encoder, in another way (see `judging.judge`) or of other pixels is made anew.
    """

    encoder: Encoder
    folder: Path
    count: int
    method: str

    def of(self, item: Item, pixels: NDArray[np.uint8], grid: Grid) -> dict[str, Detection]:
        """The judgements called `NETWORK` and `ENERGY` of an image with its pixels, uint8 (height, width, 3).

        Raises `InputError` for what `judge` refuses, and for a kept file that is damaged.
        """
        way = [self.encoder.identity, self.method, grid.patch, grid.tops.tolist(), grid.lefts.tolist()]
        made_by = json.dumps([*way, hashlib.sha256(pixels.tobytes()).hexdigest()])
        path = (self.folder / item.name).with_name(f"{item.image.name}.npz")
        found = _load(path, made_by, grid)
        if found is None:
            found = {NETWORK: detect(self.encoder, pixels, self.count, self.method), ENERGY: energy_map(pixels, grid)}
            _save(path, made_by, found)
        return found


def some(items: Sequence[Item], limit: int | None) -> list[Item]:
    """At most `limit` of the authentic and as many of the forged images, evenly spread; None for all of them."""
    chosen: list[Item] = []
    for forged in (False, True):
        kind = [item for item in items if (item.mask is not None) == forged]
        places = np.linspace(0, len(kind), min(limit or len(kind), len(kind)), endpoint=False, dtype=int)
        chosen += [kind[place] for place in places]
    return chosen


def score_images(maps: KeptMaps, items: Sequence[Item]) -> tuple[pd.DataFrame, dict[str, str]]:
    """Score each image by the network's map, by that of high-pass energy and by a random one, on one grid.

    Returns three rows an image: image (its name), map (of `MAPS`), forged, score, and of forged images the scores of
    `score_map`, which authentic ones have not. And what was left out: name → why the image or its mask cannot be used.
    Raises `InputError` where no forged image could be used, for what `judge` refuses, and for damaged kept files.
    """
    rows: list[dict[str, Any]] = []
    left_out: dict[str, str] = {}
    forged_first = sorted(items, key=lambda item: item.mask is None)
    for item in tqdm(forged_first, desc="images", unit="image"):
        if item.mask is None and not rows:
            break  # nothing is kept where nothing can be scored
        try:
            mask, pixels = read_mask(item), read_pixels(item.image)
            grid = maps.encoder.grid(pixels, maps.count)
        except InputError as error:
            left_out[item.name] = str(error)
            continue
        detected = maps.of(item, pixels, grid) | {RANDOM: random_map(item.name, grid)}
        for name, detection in detected.items():
            row = {"image": item.name, "map": name, "forged": item.mask is not None, "score": detection.score}
            rows.append(row | (score_map(detection.pixels(), mask) if item.mask else {}))
    if not rows:
        first = "".join(f"; {name}: {why}" for name, why in list(left_out.items())[:1])
        raise InputError(f"no forged image can be used: {len(left_out)} of {len(items)} images were left out{first}")
    return pd.DataFrame(rows, columns=["image", "map", "forged", "score", *MAP_SCORES]), left_out


def summarize(images: pd.DataFrame) -> pd.DataFrame:
    """A row for each of `MAPS`, from what `score_images` returned.

    Columns: map, p_map with low and high, detection_map with detection_low, detection_high and chance (null without
    authentic images), the means of the other scores, forged, authentic.
    """
    rows = []
    for name in MAPS:
        of_map = images[images["map"] == name]
        forged = of_map[of_map["forged"]]
        found: dict[str, Any] = summarize_maps(forged[list(MAP_SCORES)].to_dict("records"))
        row = dict(
            zip(("map", "p_map", "low", "high"), (name, found.pop("p_map"), *found.pop("interval")), strict=True)
        )
        row |= dict.fromkeys(("detection_map", "detection_low", "detection_high", "chance"), np.nan)
        authentic = len(of_map) - found.pop("images")
        if authentic:
            told: dict[str, Any] = summarize_detection(of_map["score"], of_map["forged"])
            row |= {"detection_map": told["detection_map"], "chance": told["chance"]}
            row["detection_low"], row["detection_high"] = told["interval"]
        rows.append({**row, **found, "forged": len(forged), "authentic": authentic})
    return pd.DataFrame(rows)


def summarize_groups(images: pd.DataFrame, splices: pd.DataFrame) -> pd.DataFrame:
    """p-mAP of the virtual splices by how they were made: columns group, one for each of `MAPS`, images.

    `splices` is their splices.csv as text. Raises `InputError` where that lacks an image.
    """
    forged = images[images["forged"]]
    precision = forged.pivot_table(index="image", columns="map", values="average_precision")
    made = splices.set_index("images/" + splices["name"].str.rpartition(".")[0])
    unknown = precision.index.difference(made.index)
    if len(unknown):
        raise InputError(f"splices.csv does not tell how {unknown[0]} was made; evaluate it as the data set general")
    made = made.loc[precision.index]
    small = made["share"].astype(float) < 0.1
    groups = {
        "similar settings": made["settings"] == "similar",
        "any settings": made["settings"] == "any",
        "hard edge": made["edge"] == "hard",
        "soft edge": made["edge"] == "soft",
        "recompressed": made["quality"] != "",
        "not recompressed": made["quality"] == "",
        "below 10 % of the area": small,
        "at least 10 % of the area": ~small,
    }
    return pd.DataFrame(
        {"group": name, **precision.loc[chosen, list(MAPS)].mean().to_dict(), "images": int(chosen.sum())}
        for name, chosen in groups.items()
        if chosen.any()
    )


def _save(path: Path, made_by: str, found: Mapping[str, Detection]) -> None:
    parts = {f"{name} {part}": getattr(one, part) for name, one in found.items() for part in ("heat", "score")}
    with atomic_write(path) as partial, partial.open("wb") as file:
        np.savez(file, made_by=np.array(made_by), **parts)


def _load(path: Path, made_by: str, grid: Grid) -> dict[str, Detection] | None:
    """What was kept, or None where nothing was, or other than `made_by` says."""
    if not path.is_file():
        return None
    if not zipfile.is_zipfile(path):  # numpy would not close it
        raise _damaged(path, "cut short")
    try:
        with np.load(path, allow_pickle=False) as file:
            if str(file["made_by"]) != made_by:
                return None
            kept = ((name, file[f"{name} heat"], float(file[f"{name} score"])) for name in (NETWORK, ENERGY))
            return {name: Detection(grid, heat, score) for name, heat, score in kept}
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, why: object) -> InputError:
    return InputError(f"{path} is damaged ({why}); delete it and give the same command again")
