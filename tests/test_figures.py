"""Figures say what the analysis says, in the same bytes every time, and never fail on degenerate data."""

from __future__ import annotations

import math
import warnings

import pandas as pd
import pytest
from matplotlib.figure import Figure

from mitigation.figures import (
    crowded,
    forest,
    forest_data,
    power_curve,
    power_data,
    rates,
    rates_data,
    rows,
    style,
    trajectory,
    trajectory_data,
    wording,
)
from mitigation.figures.power import power_chart
from tests.report_cases import ARMS, HOSTILE, NO_RATIO, WE, altered, contrast, fight, study, transcript


def words_of(figure: Figure) -> str:
    axes = [text for part in figure.axes for text in part.texts]
    return "\n".join(text.get_text() for text in [*axes, *figure.texts])


def drawn(figure: Figure) -> bytes:
    """Render the figure with every warning an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert style.render(figure, "png").startswith(b"\x89PNG")
        return style.render(figure, "svg")


def test_rates_shows_every_battle_and_n_on_the_axis() -> None:
    given = study()
    figure, data = rates(given.analysis), rates_data(given.analysis)
    assert len(data) == 40
    assert words_of(figure).count("n = 10") == 4
    assert sum(len(points.get_offsets()) for points in figure.axes[0].collections) == 40
    drawn(figure)


def test_rates_says_how_many_of_the_planned_battles_it_shows() -> None:
    battles = [*fight(("control",), 3), transcript("control", 3, [WE], status="failed", ending="provider_error")]
    assert "n = 3 of 4" in words_of(rates(study(battles, ()).analysis))


def test_control_is_black_and_first_wherever_it_stands() -> None:
    looks = style.looks(["b", "a", "control", "b"], "control")
    assert looks["control"].colour == style.CONTROL
    assert rows.arms(study(fight(("placebo", "control"), 2), ()).analysis)[0].arm == "control"


def test_every_arm_differs_by_more_than_colour() -> None:
    looks = style.looks([*ARMS, *(f"arm{i}" for i in range(10))], "control")
    assert len({(look.marker, look.dash) for look in looks.values()}) == len(looks)


def test_an_arm_has_the_same_look_in_every_figure() -> None:
    given = study()
    colours = {points.get_facecolor()[0][:3].tobytes() for points in forest(given.analysis).axes[0].collections}
    assert colours <= {points.get_facecolor()[0][:3].tobytes() for points in rates(given.analysis).axes[0].collections}


def test_equal_rates_stand_beside_each_other() -> None:
    from mitigation.figures.rates import spread

    offsets = spread([20.0, 20.0, 20.0, 80.0])
    assert offsets[:3] == pytest.approx([-offsets[2], 0, offsets[2]])
    assert offsets[3] == 0


def test_many_battles_become_points_with_areas() -> None:
    given = study(fight(("control", "placebo"), 150), ())
    assert crowded(given.analysis)
    assert sum(len(points.get_offsets()) for points in rates(given.analysis).axes[0].collections) <= 12


def test_forest_writes_ratio_interval_and_verdict() -> None:
    found = words_of(forest(study().analysis))
    assert "0.46 [0.21, 0.84]\nSupported" in found
    assert "1.35, at least 0.93\nUndecided" in found
    assert "Supported" not in words_of(forest(study().analysis, verdicts=False))


@pytest.mark.parametrize(
    ("changes", "words", "arrows"),
    [
        ({"ratio_high": None}, "at least 0.21", 1),
        ({"ratio_low": None}, "at most 0.84", 1),
        ({"rate_ratio": 0.0, "ratio_low": 0.0, "ratio_high": 0.4}, "0, at most 0.40", 1),
        ({"rate_ratio": 0.001, "ratio_low": 0.0001, "ratio_high": 900.0}, "< 0.01 [< 0.01, 900]", 2),
        ({"rate_ratio": math.inf, "ratio_low": math.nan, "ratio_high": math.inf}, "not estimable", 0),
        (NO_RATIO, "not estimable", 0),
    ],
)
def test_forest_draws_an_open_end_as_an_arrow(changes: dict[str, float | None], words: str, arrows: int) -> None:
    figure = forest(study(contrasts=[contrast(**changes)]).analysis)
    assert words in words_of(figure)
    assert "inf" not in words_of(figure)
    assert "nan" not in words_of(figure)
    assert sum(getattr(text, "arrow_patch", None) is not None for text in figure.axes[0].texts) == arrows
    drawn(figure)


def test_forest_has_one_row_per_treatment() -> None:
    assert list(forest_data(study().analysis)["treatment"]) == list(ARMS[1:])


def test_trajectory_counts_the_battles_that_have_the_message() -> None:
    battles = [transcript("control", 0, [WE, WE]), transcript("control", 1, ["No."])]
    given = study(battles, ())
    data = trajectory_data(given.analysis, given.messages)
    assert data[["index", "n_with", "n_at_risk"]].to_numpy().tolist() == [[1, 1, 2], [2, 1, 1]]


def test_trajectory_leaves_out_messages_that_were_not_judged() -> None:
    given = study(fight(("control",), 4), ())
    assert given.messages is not None
    messages = given.messages.assign(ingroup=[None, *given.messages["ingroup"][1:]])
    assert trajectory_data(given.analysis, messages)["n_at_risk"].iloc[0] == 3


def test_trajectory_of_many_arms_is_small_multiples_with_control() -> None:
    given = study(fight(("control", *(f"arm{i}" for i in range(7))), 3), ())
    figure = trajectory(given.analysis, given.messages)
    visible = [axes for axes in figure.axes if axes.get_visible()]
    assert len(visible) == 7
    assert [axes.get_title(loc="left") for axes in visible] == [f"arm{i}" for i in range(7)]
    assert all(len(axes.lines) == 2 for axes in visible)
    drawn(figure)


@pytest.mark.parametrize("count", [0, 1, 30])
def test_any_number_of_arms_is_drawn(count: int) -> None:
    names = ["control", *(f"arm{i}" for i in range(count - 1))][:count]
    given = study(fight(names, 2), [contrast(name) for name in names[1:]])
    for figure in (rates(given.analysis), forest(given.analysis), trajectory(given.analysis, given.messages)):
        drawn(figure)


def test_unscored_arms_and_missing_numbers_are_said_not_drawn() -> None:
    battles = [transcript(arm, 0, [], status="failed", ending="provider_error") for arm in ARMS]
    given = study(battles, [contrast(**NO_RATIO, rate_control=math.nan, rate_treatment=None, p_value=None)])
    arms = given.analysis.arms.assign(rate=math.nan, rate_low=math.nan, rate_high=math.nan)
    given = altered(given, arms=arms)
    assert "no scored battle" in words_of(rates(given.analysis))
    assert "nan" not in words_of(rates(given.analysis))
    drawn(rates(given.analysis))
    drawn(trajectory(given.analysis, None))
    drawn(trajectory(given.analysis, pd.DataFrame()))


def test_rate_by_words_has_its_own_axis() -> None:
    given = study()
    plan = type(given.analysis.plan)(rate="words")
    assert "per 100 words" in rates(altered(given, plan=plan).analysis).axes[0].get_xlabel()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_drawn_as_they_stand(name: str) -> None:
    given = study(fight(("control", name), 2), [contrast(name)])
    for figure in (rates(given.analysis), forest(given.analysis), trajectory(given.analysis, given.messages)):
        drawn(figure)


def test_same_data_give_the_same_bytes() -> None:
    def render() -> list[bytes]:
        given = study()
        made = (rates(given.analysis), forest(given.analysis), trajectory(given.analysis, given.messages))
        return [style.render(figure, form) for figure in made for form in ("svg", "png")]

    first = render()
    assert first == render()
    assert all(b"matplotlib.org" not in content and b"<dc:date>" not in content for content in first)


def test_watermark_is_in_the_figure() -> None:
    assert "SIMULATED" in words_of(style.mark(rates(study().analysis), "SIMULATED"))


def test_callers_settings_are_left_alone() -> None:
    import matplotlib as mpl

    before = mpl.rcParams["axes.spines.top"], mpl.rcParams["font.family"]
    rates(study().analysis)
    assert (mpl.rcParams["axes.spines.top"], mpl.rcParams["font.family"]) == before


def test_numbers_that_are_none_are_never_printed_as_numbers() -> None:
    for value in (None, math.nan, math.inf, -math.inf, pd.NA, "1", "abc"):
        assert rows.number(value) is None
    assert wording.decimal(None) == wording.rate(None) == wording.points(None) == wording.p_value(None) == "–"


def test_the_power_curve_rises_with_the_battles_and_marks_this_study() -> None:
    given = study()
    data = power_data(given.analysis)
    for _, own in data.groupby("rate_ratio"):
        assert list(own["power"]) == sorted(own["power"])
        assert 10 in set(own["battles"])
    figure = power_curve(given.analysis)
    assert "this study: 10" in words_of(figure)
    drawn(figure)
    chart = power_chart(given.analysis)
    assert chart is not None
    assert chart.alt[0].startswith("Ratio 0.5: ")
    assert "over 3 comparisons" in chart.caption


def test_there_is_no_power_curve_where_control_never_says_we() -> None:
    analysis = study(fight(("control", "placebo"), 2), ()).analysis
    assert power_chart(analysis) is None
    assert "do not tell how battles vary" in words_of(power_curve(analysis))


def test_a_ratio_without_an_interval_is_a_mark_and_not_a_line_without_bounds() -> None:
    given = study(contrasts=[contrast(ratio_low=None, ratio_high=None), contrast("placebo")])
    (axes,) = forest(given.analysis).axes
    assert len(axes.collections) == 2
    assert len([line for line in axes.lines if len(line.get_xdata()) == 2 and line.get_color() == style.INK]) == 1
