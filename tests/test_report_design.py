"""Design, plan, cost and limits of a study as its report tells them: from the frozen cells, the lock and the battles alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from mitigation.adherence import Adherence
from mitigation.descriptions import Description, Section
from mitigation.looks import Look
from mitigation.reporting import cost, design
from mitigation.reporting.limits import limits
from mitigation.reporting.printed import parts, printed
from mitigation.types import AnalysisPlan, Transcript, Turn
from tests.report_cases import ARMS, altered, contrast, fight, study, transcript


def cell(arm: str, **changes: Any) -> dict[str, Any]:
    identity = {"name": arm, "bank": [] if arm == "control" else ["a", "b"], "seats": "none" if arm == "control" else "first"}
    plain = {
        "identity": identity,
        "scenario": {"name": "egomaniac", "openers": ["a", "b", "c"]},
        "pairing": {"name": "both", "first": {"name": "gpt-4o"}, "second": {"name": "claude"}},
        "replicates": 10, "messages": 12, "manipulation_check": True,
    }  # fmt: skip
    return plain | changes


def kept(*deviations: str) -> Adherence:
    return Adherence(locked_at="t", sha256="abc", deviations=deviations)


CELLS = tuple(cell(arm) for arm in ARMS)


def test_the_design_is_told_from_the_frozen_cells() -> None:
    told = dict(design.facts(study(definitions=(*CELLS, cell("control", replicates=30)))))
    assert told["Scenarios"] == "egomaniac, 3 openers"
    assert told["Pairings"] == "both: gpt-4o against claude"
    assert told["A battle"].endswith("at most 12 messages, then each agent is asked in private who it is")
    assert told["Blocks"].startswith("10 to 30 in each scenario and pairing")
    table = design.frame(study(definitions=CELLS)).set_index("arm")
    assert table.loc["control", ["text_given_to", "wordings"]].tolist() == ["neither", 0]
    assert table.loc["placebo", ["text_given_to", "wordings", "planned_battles"]].tolist() == ["the agent that opens", 2, 10]


def test_a_table_from_elsewhere_has_no_columns_that_nobody_knows() -> None:
    assert set(design.frame(study())) == {"arm", "role", "rate_expected", "planned_battles"}
    assert "Scenarios" not in dict(design.facts(study()))


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, {"Locked plan": "no: every result is exploratory"}),
        (kept(), {"Locked plan": "yes, t (sha256 abc)", "Followed": "yes"}),
        (kept("alpha: 0.05 → 0.1", "seed"), {"Followed": "no: alpha: 0.05 → 0.1; seed"}),
    ],
)
def test_the_plan_is_said_to_be_locked_and_followed_or_not(found: Adherence | None, words: dict[str, str]) -> None:
    told = dict(design.facts(study(adherence=found)))
    assert words.items() <= told.items()
    assert ("Followed" in told) is (found is not None)


def test_the_numbers_of_the_plan_are_told() -> None:
    told = dict(
        design.facts(altered(study(), plan=AnalysisPlan(alpha=0.01, looks=3, smallest_effect=0.5, seed=7, resamples=999)))
    )
    assert told["Two-sided level"] == "0.01 over all comparisons (Holm)"
    assert told["Looks"].startswith("3, evenly")
    assert told["Smallest ratio that matters"] == "0.5 (or 2.00 the other way)"
    assert told["Permutations"] == "999 at the most, seed 7"


def test_costs_are_summed_by_arm_and_what_is_not_known_is_left_out() -> None:
    known = [replace(battle, calls=6, usd=0.25) for battle in fight(("control", "placebo"), 2)]
    known[1] = replace(known[1], usd=None)
    found = cost.frame(study(known, ())).set_index("arm")
    assert found.loc["control", ["battles", "messages", "calls", "usd"]].tolist() == [2, 10, 12, 0.5]
    assert found.loc["placebo", "usd"] is None
    assert found["input_tokens"].isna().all()


def test_sections_stand_in_the_order_of_the_report_whatever_the_order_of_their_tables() -> None:
    table = Description(section=Section.SIDE_EFFECTS, name="s", title="t", about="a", frame=pd.DataFrame({"x": [1]}))
    late = replace(table, section=Section.PLANNING, name="p")
    found = [part.section for part in parts(study(described=(late, table)))]
    assert found == sorted(found, key=list(Section).index)
    assert {Section.DESIGN, Section.CONTRASTS, Section.SIDE_EFFECTS, Section.DETECTOR, Section.PLANNING} <= set(found)
    names = [table.name for table in printed(study())]
    assert len(names) == len(set(names))


def test_limits_follow_from_design_size_and_labels() -> None:
    texts: dict[str, tuple[str, ...]] = {"control": (), "placebo": ("one",), "shared_group": ("a", "b")}
    found = limits(study(definitions=CELLS, identities=texts))
    assert found[0].startswith(
        "small: with 10 battles an arm a halved rate is found in about 35% of studies and a fall by 30% in"
    )
    assert "at the level corrected for 3 comparisons; an effect that is not found may well be there" in found[0]
    assert "these models only: claude and gpt-4o; other models may differ" in found
    assert "one scenario, egomaniac: other tasks may differ" in found
    assert "one wording each: placebo; an effect of the idea cannot be told from one of its words" in found
    assert found[-1].startswith("no battle of this study was labelled by people")


def test_limits_that_do_not_hold_are_not_told() -> None:
    other = tuple({**one, "scenario": {"name": "chess", "openers": ["a"]}} for one in CELLS)
    large = [contrast(n_control=400, n_treatment=400)]
    found = limits(study(fight(replicates=40), large, definitions=(*CELLS, *other), labelled=True))
    assert found == ("these models only: claude and gpt-4o; other models may differ",)


def test_the_smaller_arm_says_what_a_study_finds() -> None:
    uneven = study(fight(replicates=40), [contrast(n_control=400, n_treatment=6)], definitions=CELLS)
    assert limits(uneven)[0].startswith("small: with 6 battles an arm")


@pytest.mark.parametrize("battles", [fight(replicates=6), [transcript(arm, i, ["No."]) for i in range(20) for arm in ARMS]])
def test_a_study_that_is_too_small_to_say_how_small_says_so(battles: list[Transcript]) -> None:
    assert limits(study(battles))[0].startswith("small: control has fewer than 8 battles, or none with an event")


def test_an_unfinished_or_early_stopped_study_says_nothing_of_what_it_would_have_found() -> None:
    pending = transcript("control", 10, [], status="pending", ending=None)
    early = altered(study(), look=Look(number=1, of=3, blocks=10, planned=30))
    for given in (study([*fight(), pending]), early, altered(study(), plan=AnalysisPlan(rate="words"))):
        assert not any(line.startswith("small") for line in limits(given))


def test_battles_that_were_not_designed_here_are_said_to_come_from_elsewhere() -> None:
    assert limits(study())[-1].startswith("from elsewhere: how its battles were assigned to arms")
    assert not any(line.startswith("from elsewhere") for line in limits(study(definitions=CELLS)))


def test_a_report_at_a_look_says_of_which_blocks_it_is() -> None:
    look = Look(number=2, of=3, blocks=16, planned=24, later=9)
    told = dict(design.facts(altered(study(definitions=CELLS), look=look)))["This report"]
    assert told.startswith("the first 16 of 24 blocks, at ")
    assert "9 finished battles of later blocks set aside" in told
    assert "This report" not in dict(
        design.facts(altered(study(definitions=CELLS), look=Look(number=3, of=3, blocks=24, planned=24)))
    )


def test_the_tokens_of_private_answers_are_among_the_costs() -> None:
    asked = replace(
        transcript("control", 0, ["No."]), check=(Turn(index=3, agent="Robbie", text="x", input_tokens=100, output_tokens=5),)
    )
    told = [replace(turn, input_tokens=10, output_tokens=1) for turn in asked.turns]
    found = cost.frame(study([replace(asked, turns=tuple(told))], ())).set_index("arm")
    assert found.loc["control", ["messages", "input_tokens", "output_tokens"]].tolist() == [1, 110, 6]


def test_simulated_agents_are_no_models_that_others_may_differ_from() -> None:
    assert not any(line.startswith("these models only") for line in limits(study(definitions=CELLS, simulated=True)))


@pytest.mark.parametrize("changes", [{"treatment": None, "n_treatment": 0}, {"n_control": 0, "n_treatment": 0}])
def test_a_study_with_nothing_to_compare_is_not_called_small(changes: dict[str, object]) -> None:
    assert not any(line.startswith("small") for line in limits(study(contrasts=[contrast(**changes)])))
