"""Reliability of the simulated shake-up: chances to keep a lead against what happens, over virtual solutions.

    python -m benchmarks.shakeup runs/ensemble-quick-virtual-small --plot shakeup

The data of the run need a solution.csv. `--plot` writes the reliability diagram as PNG and SVG.
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from competition.metrics.calibration import Reliability
from competition.utils.errors import InputError
from competition.utils.tables import markdown_table
from submissions.experiments.shakeup_reliability import (
    SOLUTIONS,
    describe_reliability,
    lead_reliability,
    observe_leads,
)
from submissions.leaderboards.evaluation import evaluate_test
from submissions.reports.figures import save_figure
from submissions.run import open_run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--solutions", type=int, default=SOLUTIONS, help=f"default: {SOLUTIONS}")
    parser.add_argument("--plot", type=Path, help="path of the diagram without suffix")
    options = parser.parse_args()

    evaluation = evaluate_test(open_run(options.run))
    if evaluation is None:
        raise InputError(f"{options.run} has no predictions for a test set with a solution.csv")
    leads = observe_leads(evaluation, options.solutions)
    diagram = lead_reliability(leads)
    print(markdown_table(describe_reliability(diagram)))
    print(
        f"\n{len(leads)} leads on {options.solutions} virtual solutions; mean chance {leads['chance'].mean():.3f}, "
        f"kept {leads['kept'].mean():.3f}; expected calibration error {diagram.error:.3f} "
        f"[{diagram.error_low:.3f}, {diagram.error_high:.3f}]"
    )
    if options.plot:
        for path in save_figure(draw(diagram, options.solutions), options.plot):
            print(path)


def draw(diagram: Reliability, solutions: int) -> Figure:
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot((0, 1), (0, 1), color="0.5", linestyle="--", linewidth=1)
    errors = np.stack([diagram.accuracy - diagram.low, diagram.high - diagram.accuracy])
    axes.errorbar(diagram.confidence, diagram.accuracy, errors, marker="o", linewidth=1, capsize=3)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="simulated chance to keep the lead", ylabel="observed frequency")
    axes.set_title(f"Shake-up on {solutions} virtual solutions, with 95 % intervals")
    return figure


if __name__ == "__main__":
    main()
