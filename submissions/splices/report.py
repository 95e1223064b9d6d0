"""Report of a splice evaluation: tables, and pictures of example images."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from augment.decode import read_pixels
from competition.forgeries.datasets import Item, read_mask
from competition.utils.atomic_files import atomic_write, write_bytes, write_csv
from competition.utils.tables import MISSING, format_interval, format_number, markdown_table, text_table
from submissions.splices.evaluate import MAPS, NETWORK, MapCache, summarize, summarize_groups
from submissions.splices.overlays import Overlay, draw_overlays, make_overlay

EXAMPLE_SIDE = 420  # pixels of the longer side of an example image
HEADINGS = {
    "best_f1": "best F1",
    "best_mcc": "best MCC",
    "best_iou": "best cIoU",
    "f1": "F1 at 0.5",
    "mcc": "MCC at 0.5",
    "iou_as_published": "IoU as published",
}
EXPLANATION = (
    "p-mAP is measured on the forged images, detection mAP on all images; [ ] are 95 % intervals over images; scores "
    "of maps are the better one of the map and its inverse; cIoU uses one threshold for both classes; found and false "
    "alarms are the shares of forged and of authentic images above the threshold of the run"
)


def write_report(
    folder: Path, title: str, images: pd.DataFrame, left_out: Mapping[str, str], splices: pd.DataFrame | None
) -> str:
    """Write images.csv, table.csv and table.md into a folder.

    Args:
        folder: of the files.
        title: heading of the tables.
        images, left_out: returned by `submissions.splices.evaluate.score_images`.
        splices: splices.csv of virtual splices as text, for the p-mAP by group; None for other data sets.

    Returns:
        The tables as text for the terminal.
    """
    summary = summarize(images)
    area = summary["area"].iloc[0]
    notes = [f"{EXPLANATION}; the average precision of a random map is the area of the splice, on average {area:.3f}"]
    if summary["chance"].isna().all():
        notes.append("no detection mAP, because there are no authentic images")
    notes += [f"left out {name}: {reason}" for name, reason in left_out.items()]
    tables = [_summary_columns(summary)]
    if splices is not None:
        groups = summarize_groups(images, splices)
        groups[list(MAPS)] = groups[list(MAPS)].map(format_number)
        tables.append(groups.rename(columns={"group": "p-mAP by group"}).to_dict("list"))
    page = "\n\n".join([f"# {title}", *map(markdown_table, tables), "\n".join(f"- {note}" for note in notes)])
    write_csv(images, folder / "images.csv")
    write_csv(summary, folder / "table.csv")
    write_bytes(f"{page}\n".encode(), folder / "table.md")
    return "\n\n".join([title, *map(text_table, tables[:-1]), text_table(tables[-1], notes)])


def draw_examples(maps: MapCache, items: Sequence[Item], images: pd.DataFrame, title: str, path: Path) -> None:
    """Draw example images with the network's heat map and the outline of the true mask into the PNG file `path`.

    Examples are the two best, two median and two worst forged images by the average precision of the heat map, and the
    authentic images with the lowest and the highest score.
    """
    of_network = images[images["map"] == NETWORK]
    forged = of_network[of_network["forged"]].sort_values("average_precision", ascending=False, kind="stable")
    authentic = of_network[~of_network["forged"]].sort_values("score", kind="stable")
    captions = {}
    for rank, label in _ranks(len(forged)).items():
        row = forged.iloc[rank]
        captions[row["image"]] = f"{label}, AP {row['average_precision']:.2f}, score {row['score']:.3f}"
    for rank, label in {0: "lowest", len(authentic) - 1: "highest"}.items() if len(authentic) else ():
        row = authentic.iloc[rank]
        captions[row["image"]] = f"authentic, {label} score, {row['score']:.3f}"
    by_name = {item.name: item for item in items}
    figure = draw_overlays([_overlay(maps, by_name[name], caption) for name, caption in captions.items()], title)
    with atomic_write(path) as partial:
        figure.savefig(partial, dpi=100)


def _ranks(count: int) -> dict[int, str]:
    """Ranks of the examples among `count` ranked images, rank → label; two of each label, fewer if there are few."""
    middle = (count - 1) // 2
    labels = {0: "best", 1: "best", middle: "median", middle + 1: "median", count - 2: "worst", count - 1: "worst"}
    return {rank: labels[rank] for rank in sorted(labels) if 0 <= rank < count}


def _overlay(maps: MapCache, item: Item, caption: str) -> Overlay:
    pixels = read_pixels(item.image)
    detection = maps.detect(item, pixels, maps.encoder.grid(pixels, maps.count))[NETWORK]
    return make_overlay(pixels, detection, f"{item.image.name}: {caption}", read_mask(item), EXAMPLE_SIDE)


def _summary_columns(summary: pd.DataFrame) -> dict[str, list[str]]:
    """Heading → cells of the summary."""
    rows = []
    for row in summary.to_dict("records"):
        detection = format_interval(row["detection_map"], row["detection_low"], row["detection_high"])
        rows.append(
            {
                "map": row["map"],
                "p-mAP": format_interval(row["p_map"], row["low"], row["high"]),
                "detection mAP": f"{detection}, chance {row['chance']:.3f}" if row["authentic"] else MISSING,
                "found": format_number(row["found"]),
                "false alarms": format_number(row["false_alarms"]),
                **{heading: format_number(row[name]) for name, heading in HEADINGS.items()},
                "images": f"{row['forged']} + {row['authentic']}",
            }
        )
    return pd.DataFrame(rows).to_dict("list")
