"""Evaluation of a splice detector: scores of its heat maps on a data set, beside two baselines.

Heat maps are cached on disk, so that an interrupted evaluation continues where it stopped.
"""

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augment.decode import read_pixels
from competition.forgeries.datasets import Item, read_mask
from competition.metrics.localization import score_map, summarize_detection, summarize_maps
from competition.utils.atomic_files import atomic_write
from competition.utils.errors import InputError
from competition.utils.progress import with_progress
from submissions.prediction_cache import DAMAGED
from submissions.splices.baselines import energy_map, random_map
from submissions.splices.consistency import Grid
from submissions.splices.detector import Detection, Encoder, detect

NETWORK, ENERGY, RANDOM = MAPS = "network", "high-pass energy", "random"
MAP_SCORES = ("average_precision", "best_f1", "best_mcc", "best_iou", "f1", "mcc", "iou_as_published", "area")


@dataclass(frozen=True)
class MapCache:
    """Heat maps of the network and of high-pass energy, cached in a folder as one small .npz file per image.

    A file is computed again if the encoder, the method, the grid or the pixels of the image have changed.

    Attributes:
        encoder: that embeds the patches.
        folder: of the files.
        count, method: see `submissions.splices.detector.detect`.
    """

    encoder: Encoder
    folder: Path
    count: int
    method: str

    def detect(self, item: Item, pixels: NDArray[np.uint8], grid: Grid) -> dict[str, Detection]:
        """Return the detections `NETWORK` and `ENERGY` of an image with its pixels, uint8 (height, width, 3).

        Raises:
            InputError: `count` or `method` is invalid, or a cached file is damaged.
        """
        parameters = [self.encoder.identity, self.method, grid.patch, grid.tops.tolist(), grid.lefts.tolist()]
        made_by = json.dumps([*parameters, hashlib.sha256(pixels.tobytes()).hexdigest()])
        path = (self.folder / item.name).with_name(f"{item.image.name}.npz")
        detections = _load(path, made_by, grid)
        if detections is None:
            network = detect(self.encoder, pixels, self.count, self.method)
            detections = {NETWORK: network, ENERGY: energy_map(pixels, grid)}
            _save(path, made_by, detections)
        return detections | {NETWORK: replace(detections[NETWORK], threshold=self.encoder.threshold)}


def limit_images(items: Sequence[Item], limit: int | None) -> list[Item]:
    """Return at most `limit` authentic and `limit` forged images, evenly spaced; all images for None."""
    chosen: list[Item] = []
    for forged in (False, True):
        same_kind = [item for item in items if (item.mask is not None) == forged]
        positions = np.linspace(
            0, len(same_kind), min(limit or len(same_kind), len(same_kind)), endpoint=False, dtype=int
        )
        chosen += [same_kind[position] for position in positions]
    return chosen


def score_images(maps: MapCache, items: Sequence[Item]) -> tuple[pd.DataFrame, dict[str, str]]:
    """Score the network's heat map, the high-pass energy and a random map of each image on the same grid.

    Returns:
        A table with three rows per image and the columns image (its name), map (one of `MAPS`), forged, score, above
        (1 if the score is above the threshold, else 0; null without a threshold) and `MAP_SCORES`, which are null for
        authentic images; and the images that were left out, name → reason.

    Raises:
        InputError: no forged image can be used, an invalid `count` or `method`, or a damaged cached file.
    """
    rows: list[dict[str, Any]] = []
    left_out: dict[str, str] = {}
    forged_first = sorted(items, key=lambda item: item.mask is None)
    for item in with_progress(forged_first, "images", len(forged_first), "image"):
        if item.mask is None and not rows:
            break  # no forged image can be scored: stop before anything is cached
        try:
            mask, pixels = read_mask(item), read_pixels(item.image)
            grid = maps.encoder.grid(pixels, maps.count)
        except InputError as error:
            left_out[item.name] = str(error)
            continue
        detections = maps.detect(item, pixels, grid) | {RANDOM: random_map(item.name, grid)}
        for name, detection in detections.items():
            row = {"image": item.name, "map": name, "forged": item.mask is not None, "score": detection.score}
            row["above"] = np.nan if detection.threshold is None else float(not detection.is_consistent)
            rows.append(row | (score_map(detection.upsampled_heat(), mask) if item.mask else {}))
    if not rows:
        first = "".join(f"; {name}: {reason}" for name, reason in list(left_out.items())[:1])
        raise InputError(f"no forged image can be used: {len(left_out)} of {len(items)} images were left out{first}")
    return pd.DataFrame(rows, columns=["image", "map", "forged", "score", "above", *MAP_SCORES]), left_out


def summarize(images: pd.DataFrame) -> pd.DataFrame:
    """Summarize the table of `score_images`: one row for each of `MAPS`.

    Columns: map; p_map with low and high; detection_map with detection_low, detection_high and chance, null without
    authentic images; found and false_alarms, the shares of forged and of authentic images above the threshold; the
    means of the other scores; forged and authentic, the numbers of images. Intervals are 95 %.
    """
    rows = []
    for name in MAPS:
        of_map = images[images["map"] == name]
        forged = of_map[of_map["forged"]]
        means: dict[str, Any] = summarize_maps(forged[list(MAP_SCORES)].to_dict("records"))
        row = dict(
            zip(("map", "p_map", "low", "high"), (name, means.pop("p_map"), *means.pop("interval")), strict=True)
        )
        row |= dict.fromkeys(("detection_map", "detection_low", "detection_high", "chance"), np.nan)
        row |= {"found": forged["above"].mean(), "false_alarms": of_map.loc[~of_map["forged"], "above"].mean()}
        authentic = len(of_map) - means.pop("images")
        if authentic:
            detection: dict[str, Any] = summarize_detection(of_map["score"], of_map["forged"])
            row |= {"detection_map": detection["detection_map"], "chance": detection["chance"]}
            row["detection_low"], row["detection_high"] = detection["interval"]
        rows.append({**row, **means, "forged": len(forged), "authentic": authentic})
    return pd.DataFrame(rows)


def summarize_groups(images: pd.DataFrame, splices: pd.DataFrame) -> pd.DataFrame:
    """Compute the p-mAP of groups of virtual splices, formed by how the splices were made.

    Args:
        images: table of `score_images`.
        splices: splices.csv of the virtual splices, as text.

    Returns:
        Table with the columns group, one for each of `MAPS`, and images.

    Raises:
        InputError: `splices` has no row for an image.
    """
    forged = images[images["forged"]]
    precision = forged.pivot_table(index="image", columns="map", values="average_precision")
    by_image = splices.set_index("images/" + splices["name"].str.rpartition(".")[0])
    unknown = precision.index.difference(by_image.index)
    if len(unknown):
        raise InputError(f"splices.csv has no row for {unknown[0]}; evaluate the folder with --dataset general")
    by_image = by_image.loc[precision.index]
    small = by_image["share"].astype(float) < 0.1
    groups = {
        "similar settings": by_image["settings"] == "similar",
        "any settings": by_image["settings"] == "any",
        "hard edge": by_image["edge"] == "hard",
        "soft edge": by_image["edge"] == "soft",
        "recompressed": by_image["quality"] != "",
        "not recompressed": by_image["quality"] == "",
        "below 10 % of the area": small,
        "at least 10 % of the area": ~small,
    }
    return pd.DataFrame(
        {"group": name, **precision.loc[members, list(MAPS)].mean().to_dict(), "images": int(members.sum())}
        for name, members in groups.items()
        if members.any()
    )


def _save(path: Path, made_by: str, detections: Mapping[str, Detection]) -> None:
    arrays = {
        f"{name} {attribute}": getattr(detection, attribute)
        for name, detection in detections.items()
        for attribute in ("heat", "score")
    }
    with atomic_write(path) as partial, partial.open("wb") as file:
        np.savez(file, made_by=np.array(made_by), **arrays)


def _load(path: Path, made_by: str, grid: Grid) -> dict[str, Detection] | None:
    """Read cached detections; None if there are none, or if they do not have the key `made_by`."""
    if not path.is_file():
        return None
    if not zipfile.is_zipfile(path):  # numpy would leave the file open
        raise _damaged(path, "truncated")
    try:
        with np.load(path, allow_pickle=False) as file:
            if str(file["made_by"]) != made_by:
                return None
            parts = ((name, file[f"{name} heat"], float(file[f"{name} score"])) for name in (NETWORK, ENERGY))
            return {name: Detection(grid, heat, score) for name, heat, score in parts}
    except (KeyError, *DAMAGED) as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, reason: object) -> InputError:
    return InputError(f"{path} is damaged ({reason}); delete it and run the same command again")
