"""Times of the members of a finished run: the table `TIMES` of `submissions/progress/work.py`.

    ./run.sh train ensemble
    python -m benchmarks.member_times runs/ensemble-quick-virtual-small

Nothing is trained: the times come from the histories, and from the times at which the files of the run were written.
The run must have been trained on a CPU, without an interruption, with a shared front end and as many processes as
cores. A process begins when the member before it has finished. `training` is the time of the epochs, with tracing and
validation; `prediction` that of the test set; `start` the rest of the time until the first prediction. For the front
end, which is trained on features, `prediction` is the time of the test set, and `training` that of its epochs in the
member processes.
"""

import argparse
from pathlib import Path

import pandas as pd

from models.classifier import needed_views
from models.members import front_end_member
from models.recipe import Recipe
from models.saved import MODEL, load_model
from submissions.run import FRONT_END, Run, open_run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of the run")
    run = open_run(parser.parse_args().run)
    recipe = run.shared_front_end
    assert recipe is not None
    print("| member | start, s | training, s per megapixel | prediction, s per megapixel |\n|---|---|---|---|")
    for member in run.recipes:
        print(f"| {member} | {' | '.join(measure(run, member))} |")
    epochs = [_seconds(run.member_folder(member) / FRONT_END) for member in run.recipes]
    train = sum(epochs) / len(epochs) / recipe.epochs / _trained(run, recipe)
    predict = _test_seconds(run, FRONT_END) / _tested(run, recipe, views=1)
    print(f"| {front_end_member(recipe)} | 0 | {train:.2g} | {predict:.2g} |")


def measure(run: Run, member: str) -> tuple[str, str, str]:
    """The times of a member: start, training and prediction."""
    recipe, folder = run.recipes[member], run.member_folder(member)
    views = needed_views(load_model(folder / MODEL), recipe.views)
    own = (folder / FRONT_END / "model.keras").stat().st_mtime
    others = [path.stat().st_mtime for path in run.folder.glob("predictions/*/test.npz")]
    begin = max(time for time in others if time < own)
    until = run.predictions_file(member, "validation").stat().st_mtime - begin
    train = _seconds(folder)
    predict = _test_seconds(run, member) / _tested(run, recipe, views)
    validation = len(run.validation) * views * recipe.test_patch**2 / 1e6 * predict
    start = until - train - _seconds(folder / FRONT_END) - validation
    return f"{start:.0f}", f"{train / recipe.epochs / _trained(run, recipe):.2g}", f"{predict:.2g}"


def _seconds(folder: Path) -> float:
    """Seconds of all epochs of a training."""
    return float(pd.read_csv(folder / "history.csv")["seconds"].sum())


def _test_seconds(run: Run, name: str) -> float:
    """Seconds between the predictions of the validation images and those of the test images."""
    written = [run.predictions_file(name, split).stat().st_mtime for split in ("validation", "test")]
    return written[1] - written[0]


def _trained(run: Run, recipe: Recipe) -> float:
    """Megapixels of the training patches of an epoch."""
    photos = int((run.manifest["split"] == "train").sum())
    return photos * recipe.patches_for(photos).patches_per_photo * recipe.patches.size**2 / 1e6


def _tested(run: Run, recipe: Recipe, views: int) -> float:
    """Megapixels of the predicted patches of the test set."""
    return len(run.images["test"]) * views * recipe.test_patch**2 / 1e6


if __name__ == "__main__":
    main()
