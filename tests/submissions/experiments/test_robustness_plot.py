import numpy as np
import pandas as pd

from submissions.experiments.alterations import ALTERATIONS
from submissions.experiments.robustness import CASES, COLUMNS
from submissions.experiments.robustness_plot import draw_robustness


def table(*names):
    rows = [
        {
            "alteration": case.alteration,
            "level": case.level,
            "run": name,
            "accuracy": value,
            "low": value - 0.1,
            "high": 1,
        }
        for number, case in enumerate(CASES)
        for name, value in zip(names, (1 - 0.02 * number, 1 - 0.01 * number), strict=False)
    ]
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def test_each_alteration_is_a_panel_with_a_line_for_each_run():
    panels = draw_robustness(table("plain", "trained"), "12 photos", 0.1).axes
    assert [axes.get_title() for axes in panels] == [kind.title for kind in ALTERATIONS.values()]
    for axes, kind in zip(panels, ALTERATIONS.values(), strict=True):
        labels = [label.get_text() for label in axes.get_xticklabels()]
        assert labels == ["as it is", *(f"{level:g}" for level in kind.levels)]
        assert axes.get_legend_handles_labels()[1] == ["chance", "plain", "trained"]
    jpeg = np.asarray(panels[0].get_lines()[0].get_xydata())[:, 1]
    np.testing.assert_allclose(jpeg, table("plain")["accuracy"][: 1 + len(ALTERATIONS["jpeg"].levels)])


def test_alterations_that_were_left_out_have_no_panel():
    rows = table("plain")
    panels = draw_robustness(rows[rows["alteration"].isin(["original", "jpeg"])], "12 photos", 0.1).axes
    assert [axes.get_visible() for axes in panels] == [True, False, False]
