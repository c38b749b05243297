"""Onset, heat, tree, conduct, missing battles and the detector: the data say what the battles say, and every case is drawn."""

from __future__ import annotations

import warnings
from dataclasses import replace

import pandas as pd
import pytest
from matplotlib.figure import Figure

from mitigation.cooperation import Conduct
from mitigation.descriptions import Description
from mitigation.detectors.model import accuracy
from mitigation.figures import (
    conduct,
    conduct_data,
    detector,
    detector_data,
    heat,
    heat_data,
    missing,
    missing_data,
    onset,
    onset_data,
    style,
    trajectory,
    trajectory_data,
    tree,
    tree_data,
)
from mitigation.figures.conduct import conduct_alt, conduct_chart
from mitigation.figures.detector import detector_alt, detector_chart
from mitigation.figures.heat import heat_alt, heat_chart
from mitigation.figures.missing import missing_alt, missing_chart
from mitigation.figures.onset import onset_alt, onset_chart
from mitigation.figures.tree import tree_alt, tree_chart
from mitigation.moves import MoveTables
from tests.report_cases import HOSTILE_SHARED, NO_WE, WE, fight, study, transcript


def words_of(figure: Figure) -> str:
    texts = [
        text.get_text()
        for axes in figure.axes
        for text in [*axes.texts, axes.title, *axes.get_yticklabels(), *axes.get_xticklabels()]
    ]
    titles = [axes.get_title("left") for axes in figure.axes]
    return "\n".join([*texts, *titles, *(text.get_text() for text in figure.texts)])


def drawn(figure: Figure) -> bytes:
    """Render the figure with every warning an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert style.render(figure, "png").startswith(b"\x89PNG")
        return style.render(figure, "svg")


def test_onset_is_the_share_of_all_battles_in_which_it_has_happened() -> None:
    battles = [
        transcript("control", 0, [NO_WE, WE, WE, NO_WE]),
        transcript("control", 1, [WE, NO_WE], ending="conceded"),
        transcript("control", 2, [NO_WE] * 4),
        transcript("placebo", 0, [NO_WE] * 4, ending="conceded"),
    ]
    given = study(battles, ())
    data = onset_data(given.analysis, given.messages)
    first = data[(data["arm"] == "control") & (data["event"] == "ingroup")]
    assert list(first["index"]) == [1, 2, 3, 4]
    assert list(first["n_with"]) == [1, 2, 2, 2]
    assert list(first["share"]) == pytest.approx([1 / 3, 2 / 3, 2 / 3, 2 / 3])
    ended = data[(data["arm"] == "control") & (data["event"] == "end")]
    assert list(ended["n_with"]) == [0, 1, 1, 1]
    assert onset_alt(data)[0].startswith(
        "First in-group “we”: control 2 of 3 battles, in half of them by message 2; placebo 0 of 1"
    )
    drawn(onset(given.analysis, given.messages))
    chart = onset_chart(given.analysis, given.messages)
    assert chart is not None
    assert "cumulative incidence" in chart.caption
    assert onset_chart(given.analysis, None) is None
    drawn(onset(given.analysis, None))


def test_a_message_that_was_not_judged_is_no_onset() -> None:
    given = study(fight(("control",), 2), ())
    assert given.messages is not None
    unjudged = given.messages.astype({"ingroup": object}).assign(ingroup=None)
    data = onset_data(given.analysis, unjudged)
    assert data[data["event"] == "ingroup"]["n_with"].sum() == 0


def settings() -> list:
    return [
        replace(battle, scenario=scenario, pairing=pairing, battle_id=f"{scenario}.{pairing}.{battle.battle_id}")
        for scenario in ("chess", "debate")
        for pairing in ("one", "two")
        for battle in fight(("control", "placebo"), 3, seed=len(scenario + pairing))
    ]


def test_heat_holds_the_mean_rate_and_n_of_every_cell() -> None:
    given = study(settings(), ())
    data = heat_data(given.analysis)
    assert len(data) == 2 * 2 * 2
    assert set(data["battles"]) == {6}
    own = given.analysis.battles
    cell = data[(data["factor"] == "scenario") & (data["level"] == "chess") & (data["arm"] == "control")].iloc[0]
    mine = own[(own["scenario"] == "chess") & (own["arm"] == "control")]
    assert cell["rate"] == pytest.approx((mine["ingroup_messages"] / mine["messages"]).mean())
    figure = heat(given.analysis)
    assert words_of(figure).count("n = 6") == 8
    assert "By pairing" in words_of(figure)
    drawn(figure)
    assert heat_alt(data, "messages")[0].startswith("scenario chess: control ")


def test_there_is_no_heat_with_one_scenario_and_one_pairing() -> None:
    analysis = study().analysis
    assert heat_chart(analysis) is None
    drawn(heat(analysis))


def test_trajectory_has_a_thin_line_a_scenario() -> None:
    given = study(settings(), ())
    data = trajectory_data(given.analysis, given.messages)
    assert list(dict.fromkeys(data["scenario"])) == ["all", "chess", "debate"]
    parts = data[data["scenario"] != "all"].groupby(["arm", "index"])["n_with"].sum()
    assert list(parts) == list(data[data["scenario"] == "all"].set_index(["arm", "index"])["n_with"])
    figure = trajectory(given.analysis, given.messages)
    assert sum(line.get_linewidth() == 0.6 for line in figure.axes[0].lines) == 4
    drawn(figure)


def labelled(arms: tuple[str, ...] = ("control", "placebo")) -> tuple:
    given = study(fight(arms, 4), ())
    assert given.messages is not None
    leaves = {"cooperation": True, "shared_goals": False, "support": False, "competition": False, "conflict": True}
    messages = given.messages.assign(**leaves, strict=False, social=False)
    return given, messages


def test_the_tree_shows_every_leaf_and_says_which_is_not_measured() -> None:
    given, messages = labelled()
    data = tree_data(given.analysis, messages)
    whole = data[(data["arm"] == "control") & (data["leaf"].isna())].set_index("branch")["share_of_messages"]
    assert dict(whole) == {"in-group behaviour": 1.0, "out-group behaviour": 1.0}
    figure = tree(given.analysis, messages)
    told = words_of(figure)
    for leaf in ("cooperation", "shared goals", "support", "competition", "misunderstanding", "conflict", "not measured"):
        assert leaf in told
    drawn(figure)
    assert "out-group behaviour, misunderstanding: not measured." in tree_alt(data)
    assert "in-group behaviour, cooperation: control 100.0%, placebo 100.0%." in tree_alt(data)
    assert tree_chart(given.analysis, None) is None
    drawn(tree(given.analysis, None))


def test_many_arms_are_counted_where_they_are_not_drawn() -> None:
    arms = ("control", *(f"arm{i}" for i in range(9)))
    given, messages = labelled(arms)
    for figure in (tree(given.analysis, messages), onset(given.analysis, messages)):
        said = words_of(figure) + str(figure.get_suptitle())
        assert all(arm in said for arm in arms)
        assert "more in the table" not in said
        drawn(figure)
    given, messages = labelled(("control", *(f"arm{i:02d}" for i in range(17))))
    for figure, left_out in (
        (tree(given.analysis, messages), "first 12 arms; 6 more in the table"),
        (onset(given.analysis, messages), "first 12 treatments; 5 more in the table"),
    ):
        assert left_out in words_of(figure) + str(figure.get_suptitle())
        drawn(figure)


def played(rows: list[tuple[str, float | None]]) -> Conduct:
    table = pd.DataFrame([("chess", battle, value) for battle, value in rows], columns=["game", "battle_id", "cooperation"])
    empty = pd.DataFrame()
    return Conduct(
        tables=MoveTables(games=("chess",), notes=(), moves=empty, battles=table.astype({"cooperation": "Float64"})), arms=empty
    )


def test_words_and_behaviour_meet_in_one_point_a_battle() -> None:
    given = study(fight(("control", "placebo"), 3), ())
    ids = list(given.analysis.battles["battle_id"])
    found = played([(ids[0], 0.5), (ids[1], None), (ids[2], 1.0)])
    data = conduct_data(given.analysis, found)
    assert list(data["battle_id"]) == sorted([ids[0], ids[2]])
    drawn(conduct(given.analysis, found))
    assert all("cooperation" in line for line in conduct_alt(data))
    assert conduct_chart(given.analysis, None) is None
    drawn(conduct(given.analysis, None))


def test_missing_battles_are_drawn_where_there_are_any() -> None:
    assert missing_chart(study().analysis) is None
    battles = [*fight(("control", "placebo"), 3), transcript("control", 3, [WE], status="failed", ending="provider_error")]
    given = study(battles, ())
    data = missing_data(given.analysis)
    assert data.groupby("arm")["battles"].sum().to_dict() == {"control": 4, "placebo": 3}
    figure = missing(given.analysis)
    assert "1 of 4 not scored" in words_of(figure)
    drawn(figure)
    assert missing_alt(data)[0] == "control: 3 scored, 1 failed, of 4 planned."


def known(**frames: pd.DataFrame) -> tuple[Description, ...]:
    return tuple(Description(section="", name=name, title="", about="", frame=frame) for name, frame in frames.items())


def test_the_detector_is_shown_with_its_intervals_and_by_arm_where_people_labelled() -> None:
    people = pd.DataFrame(
        [
            {
                "arm": arm,
                "label": "ingroup",
                "n_gold": 9,
                "precision": 0.9,
                "recall": 0.8,
                "f1": 0.85,
                "f1_low": 0.7,
                "f1_high": 0.9,
            }
            for arm in ("control", "placebo")
        ]
    )
    given = known(detector_accuracy=pd.DataFrame(accuracy()["labels"], dtype=object), accuracy=people)
    data = detector_data(given)
    assert set(data["labels_of"]) == {"authors left out", "this study, control", "this study, placebo"}
    figure = detector(given)
    assert "opponent frame" in words_of(figure)
    drawn(figure)
    assert "authors left out: ingroup 0.86 [0.84, 0.87]" in " ".join(detector_alt(data))
    assert detector_chart(()) is None
    drawn(detector(()))
    assert detector_chart(known(detector_accuracy=pd.DataFrame([{"detector": "judge", "accuracy": None}]))) is None


@pytest.mark.parametrize("name", HOSTILE_SHARED)
def test_hostile_names_are_drawn_as_they_stand(name: str) -> None:
    battles = [
        replace(b, identity="control" if b.identity == "control" else name, scenario=s)
        for s in ("a", name)
        for b in fight(("control", "placebo"), 2)
    ]
    battles = [replace(b, battle_id=str(place)) for place, b in enumerate(battles)]
    given = study(battles, ())
    for figure in (
        onset(given.analysis, given.messages),
        heat(given.analysis),
        missing(given.analysis),
        trajectory(given.analysis, given.messages),
    ):
        assert style.render(figure, "svg")


def test_a_notebook_shows_every_figure_without_pyplot() -> None:
    given, messages = labelled()
    for figure in (onset(given.analysis, messages), tree(given.analysis, messages), heat(given.analysis)):
        assert figure._repr_png_().startswith(b"\x89PNG")
