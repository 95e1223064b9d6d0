"""Carrying out an experiment: every variant is a run, and a run that is finished is not done again."""

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from competition.manifest import read_folder
from competition.settings import SETTINGS
from competition.splits import assign_validation
from competition.utils.atomic_files import write_bytes, write_csv
from competition.utils.errors import InputError
from models.presets.classifier import recipe
from models.recipe import Recipe
from submissions.experiments.laurence_murphy import PAPER_EPOCHS, Experiment, Variant
from submissions.experiments.plot import experiment_plot
from submissions.experiments.tables import baselines, markdown, measured_on, result, summary
from submissions.members import predict_member, train_member
from submissions.reports.figures import save
from submissions.run import Run, start_run
from submissions.tasks import Task


@dataclass(frozen=True)
class Plan:
    """Which experiment, on which photographs, how trained, how often (`seeds`), and the folder of its runs.

    epochs: None for the preset's.
    """

    experiment: Experiment
    data: Path
    folder: Path
    preset: str
    member: str
    seeds: int = 1
    epochs: int | None = None

    def runs(self, jobs: int) -> list[tuple[Variant, Run]]:
        """The runs of all variants, seed after seed; `jobs` processes read the photographs' headers."""
        variants = self.experiment.variants
        if any(variant.photos for variant in variants):
            table, _ = assign_validation(read_folder(self.data, jobs)[0], seed=0)
            variants = self.experiment.fitting(int((table["split"] == "train").sum()))
        return [(variant, self._run(variant, seed)) for seed in range(self.seeds) for variant in variants]

    def _run(self, variant: Variant, seed: int) -> Run:
        member = variant.member or self.member
        changes = {**self.experiment.recipe, **variant.recipe}
        tau = changes.pop("tau", None)
        made = recipe(self.preset, member, "settings", epochs=self.epochs, **changes)
        if tau is not None:
            made = in_proportion(made, tau)
        task = Task("settings", **{"label_balance": "cells" if self.preset == "paper" else "bins", **variant.task})
        return Run(self.folder / f"{variant.folder}-{seed}", self.data, {member: made}, seed, task, variant.photos)


def in_proportion(made: Recipe, tau: float) -> Recipe:
    """A recipe with a `tau` of the paper's epochs brought down to its own, and to its stem's."""
    stem = made.stem and in_proportion(made.stem, tau)
    return replace(made, tau=tau * made.epochs / PAPER_EPOCHS, stem=stem)


def carry_out(plan: Plan, jobs: int) -> list[Path]:
    """Train what is not trained yet, telling the progress; write results.csv, table.md, plot.png and plot.svg."""
    runs = plan.runs(jobs)
    for number, (variant, run) in enumerate(runs, 1):
        told = f"{number} of {len(runs)}: {variant.name}, seed {run.seed}"
        lines = start_run(run, jobs)
        unknown = [name for name in SETTINGS if name not in run.targets.labeled_settings]
        if unknown:
            raise InputError(f"experiments are about all settings, but no photographs tell {', '.join(unknown)}")
        if is_finished(run):
            print(f"{told}, done before")
            continue
        print(f"{told}, in {run.folder}")
        for line in lines:
            print(line)
        for member in run.recipes:
            train_member(run, member)
            predict_member(run, member)
    return report(plan, runs)


def is_finished(run: Run) -> bool:
    """Whether every member of the run has answered every question about the validation photographs."""
    return all(
        run.predictions_file(member, "validation", target).exists()
        for member in run.recipes
        for target in run.targets.classes
    )


def report(plan: Plan, runs: list[tuple[Variant, Run]]) -> list[Path]:
    """Write what the finished runs measured into the plan's folder; the paths."""
    compared = {(run.task.bins, run.seed): run for _, run in runs}
    tables = [result(run, variant.name, plan.experiment.joint) for variant, run in runs]
    rows = pd.concat([*tables, *(baselines(run) for run in compared.values())], ignore_index=True)
    table, title, first = summary(rows, plan.experiment), plan.experiment.title, runs[0][1]
    seeds = "1 seed" if plan.seeds == 1 else f"{plan.seeds} seeds, of which each may validate on other devices"
    on = f"{measured_on(first)} Trained on at most {rows['training_photos'].max()}; preset {plan.preset}, {seeds}."
    write_csv(rows, plan.folder / "results.csv")
    write_bytes(markdown(table, title, on).encode(), plan.folder / "table.md")
    drawn = save(experiment_plot(table, title, on), plan.folder / "plot")
    return [plan.folder / "results.csv", plan.folder / "table.md", *drawn]
