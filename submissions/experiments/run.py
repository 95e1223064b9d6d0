"""Run an experiment: every variant is a run, and finished runs are not trained again."""

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from competition.manifest import read_folder
from competition.settings import SETTINGS
from competition.splits import assign_validation
from competition.utils.atomic_files import write_bytes, write_csv
from competition.utils.errors import InputError
from models.presets import classifier_recipe, find_preset
from models.recipe import Recipe
from submissions.experiments.laurence_murphy import PAPER_EPOCHS, Experiment, Variant
from submissions.experiments.plot import draw_experiment
from submissions.experiments.tables import baselines, describe_photos, measure_run, summarize, summary_page
from submissions.members import predict_member, train_member
from submissions.reports.figures import save_figure
from submissions.run import Run, start_run
from submissions.tasks import Task


@dataclass(frozen=True)
class Plan:
    """How to run an experiment.

    Attributes:
        experiment: to run.
        data: folder of the photos.
        folder: of the results, with one run folder per variant and seed.
        preset: of all trainings.
        member: the network of variants that do not name one.
        seeds: number of trainings of each variant.
        epochs: of each training; None for the preset's.
    """

    experiment: Experiment
    data: Path
    folder: Path
    preset: str
    member: str
    seeds: int = 1
    epochs: int | None = None

    def runs(self, jobs: int) -> list[tuple[Variant, Run]]:
        """Return the runs of all variants, seed after seed; `jobs` processes read the headers of the photos."""
        variants = self.experiment.variants
        if any(variant.photos for variant in variants):
            table, _ = assign_validation(read_folder(self.data, jobs)[0], seed=0)
            variants = self.experiment.variants_for(int((table["split"] == "train").sum()))
        return [(variant, self._run(variant, seed)) for seed in range(self.seeds) for variant in variants]

    def _run(self, variant: Variant, seed: int) -> Run:
        member = variant.member or self.member
        changes = {**self.experiment.recipe, **variant.recipe}
        tau = changes.pop("tau", None)
        member_recipe = classifier_recipe(self.preset, member, "settings", epochs=self.epochs, **changes)
        if tau is not None:
            member_recipe = scale_tau(member_recipe, tau)
        task = Task("settings", **{"label_balance": find_preset("settings", self.preset).label_balance, **variant.task})
        recipes = {member: member_recipe}
        return Run(self.folder / f"{variant.folder}-{seed}", self.data, recipes, seed, task, variant.photos)


def scale_tau(base: Recipe, tau: float) -> Recipe:
    """Return a recipe with `tau`, which refers to the epochs of the paper, scaled to its own epochs.

    The recipe of the front end alone is changed in the same way.
    """
    alone = base.front_end_recipe and scale_tau(base.front_end_recipe, tau)
    return replace(base, tau=tau * base.epochs / PAPER_EPOCHS, front_end_recipe=alone)


def run_experiment(plan: Plan, jobs: int) -> list[Path]:
    """Train the runs that are not finished, print the progress, and write the results.

    Args:
        plan: how to run the experiment.
        jobs: number of processes that read the headers of the photos.

    Returns:
        Paths of the results: results.csv (every run), table.csv and table.md (the variants), plot.png and plot.svg.

    Raises:
        InputError: the data cannot be used, or a setting has no labels.
    """
    runs = plan.runs(jobs)
    for number, (variant, run) in enumerate(runs, 1):
        label = f"{number} of {len(runs)}: {variant.name}, seed {run.seed}"
        messages = start_run(run, jobs)
        unlabeled = [name for name in SETTINGS if name not in run.targets.labeled_settings]
        if unlabeled:
            raise InputError(
                f"experiments need photos with EXIF values of all settings, but {run.data} has none of "
                f"{', '.join(unlabeled)}; add photos that have them"
            )
        if is_finished(run):
            print(f"{label}, already finished")
            continue
        print(f"{label}, in {run.folder}")
        for message in messages:
            print(message)
        for member in run.recipes:
            train_member(run, member)
            predict_member(run, member)
    return write_results(plan, runs)


def is_finished(run: Run) -> bool:
    """Return whether every member has predictions of every head for the validation images."""
    return all(
        run.predictions_file(member, "validation", head).exists()
        for member in run.recipes
        for head in run.targets.classes
    )


def write_results(plan: Plan, runs: list[tuple[Variant, Run]]) -> list[Path]:
    """Write the results of finished runs into the folder of the plan; returns their paths."""
    by_bins_and_seed = {(run.task.bins, run.seed): run for _, run in runs}
    tables = [measure_run(run, variant.name, plan.experiment.joint) for variant, run in runs]
    rows = pd.concat([*tables, *(baselines(run) for run in by_bins_and_seed.values())], ignore_index=True)
    table, title, first = summarize(rows, plan.experiment), plan.experiment.title, runs[0][1]
    seeds = "1 seed" if plan.seeds == 1 else f"{plan.seeds} seeds, each with its own validation split"
    description = (
        f"{describe_photos(first)} Trained on at most {rows['training_photos'].max()}; preset {plan.preset}, {seeds}."
    )
    write_csv(rows, plan.folder / "results.csv")
    write_csv(table, plan.folder / "table.csv")
    write_bytes(summary_page(table, title, description).encode(), plan.folder / "table.md")
    plots = save_figure(draw_experiment(table, title, description), plan.folder / "plot")
    return [*(plan.folder / name for name in ("results.csv", "table.csv", "table.md")), *plots]
