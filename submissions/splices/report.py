"""What an evaluation of splices tells: tables, and pictures of some of the images."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from augment.decode import read_pixels
from competition.forgeries.datasets import Item, read_mask
from competition.utils.atomic_files import atomic_write, write_bytes, write_csv
from competition.utils.tables import markdown_table
from submissions.splices.evaluate import MAPS, NETWORK, KeptMaps, summarize, summarize_groups
from submissions.splices.overlays import Overlay, overlay, sheet

SMALL_SIDE = 420  # pixels of an image's longer side among the examples
NONE = "–"
HEADINGS = {
    "best_f1": "best F1",
    "best_mcc": "best MCC",
    "best_iou": "best cIoU",
    "f1": "F1 at 0.5",
    "mcc": "MCC at 0.5",
    "iou_as_published": "IoU as published",
}
MEASURED = (
    "p-mAP over forged images, detection mAP over all of them; [ ] are 95 % intervals over images; scores of maps are "
    "the better one of the map and its inverse, and cIoU has one threshold for both classes"
)


def write_report(
    folder: Path, title: str, images: pd.DataFrame, left_out: Mapping[str, str], splices: pd.DataFrame | None
) -> str:
    """Write table.csv, table.md and images.csv of what `score_images` returned; the tables as text for a terminal.

    `splices`: of virtual splices their splices.csv as text, for the p-mAP by how they were made.
    """
    summary = summarize(images)
    notes = [
        f"{MEASURED}; a random map's average precision is the area's share, {summary['area'].iloc[0]:.3f} on average"
    ]
    if summary["chance"].isna().all():
        notes.append("no authentic images, and so no detection mAP")
    notes += [f"left out {name}: {why}" for name, why in left_out.items()]
    tables = [_shown(summary)]
    if splices is not None:
        groups = summarize_groups(images, splices)
        text = {name: groups[name].map("{:.3f}".format) for name in MAPS}
        tables.append(groups.assign(**text).rename(columns={"group": "p-mAP by group"}))
    page = "\n\n".join(
        [
            f"# {title}",
            *(markdown_table(table.columns, table.to_numpy()) for table in tables),
            "\n".join(f"- {note}" for note in notes),
        ]
    )
    write_csv(images, folder / "images.csv")
    write_csv(summary, folder / "table.csv")
    write_bytes(f"{page}\n".encode(), folder / "table.md")
    return "\n\n".join(
        [title, *(table.to_string(index=False) for table in tables), *(f"note: {note}" for note in notes)]
    )


def draw_examples(maps: KeptMaps, items: Sequence[Item], images: pd.DataFrame, title: str, path: Path) -> None:
    """Draw into the PNG file `path` the two best, two median and two worst forged images, by the average precision of
    the network's map, and the authentic ones of the lowest and the highest score; outlined is the truth."""
    of_network = images[images["map"] == NETWORK]
    forged = of_network[of_network["forged"]].sort_values("average_precision", ascending=False, kind="stable")
    authentic = of_network[~of_network["forged"]].sort_values("score", kind="stable")
    labels = _middle_and_ends(len(forged))
    shown = [
        (name, f"{labels[place]}, AP {precision:.2f}, score {score:.3f}")
        for place, (name, precision, score) in enumerate(
            forged[["image", "average_precision", "score"]].itertuples(index=False)
        )
        if place in labels
    ]
    for place, label in {0: "lowest", len(authentic) - 1: "highest"}.items() if len(authentic) else ():
        row = authentic.iloc[place]
        shown.append((row["image"], f"authentic, of the {label} score, {row['score']:.3f}"))
    by_name = {item.name: item for item in items}
    figure = sheet([_example(maps, by_name[name], caption) for name, caption in shown], title)
    with atomic_write(path) as partial:
        figure.savefig(partial, dpi=100)


def _middle_and_ends(count: int) -> dict[int, str]:
    """Of so many ranked images the places to show, two each: place → what it is. Few images are not shown twice."""
    middle = (count - 1) // 2
    ranked = {0: "best", 1: "best", middle: "median", middle + 1: "median", count - 2: "worst", count - 1: "worst"}
    return {place: ranked[place] for place in sorted(ranked) if 0 <= place < count}


def _example(maps: KeptMaps, item: Item, caption: str) -> Overlay:
    pixels = read_pixels(item.image)
    detection = maps.of(item, pixels, maps.encoder.grid(pixels, maps.count))[NETWORK]
    return overlay(pixels, detection, f"{item.image.name}: {caption}", read_mask(item), SMALL_SIDE)


def _shown(summary: pd.DataFrame) -> pd.DataFrame:
    """The summary in words."""
    rows = []
    for row in summary.to_dict("records"):
        detection = "{detection_map:.3f} [{detection_low:.3f}, {detection_high:.3f}], chance {chance:.3f}"
        rows.append(
            {
                "map": row["map"],
                "p-mAP": "{p_map:.3f} [{low:.3f}, {high:.3f}]".format(**row),
                "detection mAP": detection.format(**row) if row["authentic"] else NONE,
                **{heading: f"{row[name]:.3f}" for name, heading in HEADINGS.items()},
                "images": f"{row['forged']} + {row['authentic']}",
            }
        )
    return pd.DataFrame(rows)
