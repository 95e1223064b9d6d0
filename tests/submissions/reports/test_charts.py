"""Charts are well-formed, have a text alternative, and show their values at the right places."""

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from competition.metrics.calibration import reliability
from submissions.reports import charts

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</text><script>alert(1)</script>"


def parse(text):
    svg = ElementTree.fromstring(text)
    assert svg.get("role") == "img"
    assert svg.get("aria-label")
    return svg


def texts(svg):
    return [text.text for text in svg.iter(f"{SVG}text")]


@given(st.floats(-1e4, 1e4), st.floats(0, 1e4), st.booleans())
def test_ticks_enclose_the_values_at_equal_distances(low, span, whole):
    ticks = charts.nice_ticks(low, low + span, whole)
    assert 2 <= len(ticks) <= charts.MAX_TICKS + 3
    assert ticks[0] <= low + 1e-6 * max(1, abs(low))
    assert ticks[-1] >= low + span - 1e-6 * max(1, abs(low + span))
    np.testing.assert_allclose(np.diff(ticks), ticks[1] - ticks[0], rtol=1e-6)
    assert not whole or all(tick == round(tick) for tick in ticks)


@pytest.mark.parametrize(("ticks", "text"), [([0, 0.2, 0.4], "0.2"), ([0.9, 0.95], "0.95"), ([0, 5, 10], "5")])
def test_ticks_have_the_decimals_that_they_need(ticks, text):
    assert charts.format_tick(ticks[1], ticks) == text


def test_intervals_are_named_and_in_the_order_of_their_values():
    svg = parse(charts.interval_chart(["one", HOSTILE], [0.5, 0.75], [0.4, 0.7], [0.6, 0.8], "accuracy"))
    assert {"one", HOSTILE, "0.500", "0.750"} <= set(texts(svg))
    assert "one: 0.500 [0.400, 0.600]" in svg.get("aria-label", "")
    dots = [float(dot.get("cx", "nan")) for dot in svg.iter(f"{SVG}circle")]
    lines = [line for line in svg.iter(f"{SVG}line") if line.get("class") == "interval"]
    assert dots[0] < dots[1]
    for dot, line in zip(dots, lines, strict=True):
        assert float(line.get("x1", "nan")) < dot < float(line.get("x2", "nan"))


def test_curves_leave_out_missing_values_and_show_single_points():
    epochs = np.arange(4)
    svg = parse(
        charts.curves_chart(
            {"validation": (epochs, [1.0, 0.5, np.nan, 0.25]), "training": (epochs, [np.nan, 0.5, np.nan, np.nan])},
            "epoch",
            "loss",
            "Loss",
        )
    )
    (line,) = svg.iter(f"{SVG}polyline")
    points = np.array([point.split(",") for point in line.get("points", "").split()], float)
    assert len(points) == 3
    assert (np.diff(points[:, 0]) > 0).all()
    assert (np.diff(points[:, 1]) > 0).all()  # a smaller loss is further down
    assert len(list(svg.iter(f"{SVG}circle"))) == 1
    assert svg.get("aria-label") == "Loss: validation from 1.000 to 0.250; training from 0.500 to 0.500."


def test_curves_without_any_value_are_empty():
    svg = parse(charts.curves_chart({"training": ([0, 1], [np.nan, np.nan])}, "epoch", "loss", "Loss"))
    assert not list(svg.iter(f"{SVG}polyline"))


@pytest.mark.parametrize("certain", [True, False])
def test_reliability_chart_has_a_point_for_every_group(certain):
    confidence = np.ones(40) if certain else np.random.default_rng(0).uniform(0.3, 1, 40)
    diagram = reliability(confidence, np.ones(40), np.arange(40))
    svg = parse(charts.reliability_chart(diagram, "Reliability"))
    dots = list(svg.iter(f"{SVG}circle"))
    assert len(dots) == len(diagram.confidence)
    assert all(0 <= float(dot.get("cx", "nan")) <= charts.WIDTH for dot in dots)
