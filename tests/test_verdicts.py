"""Each verdict from the smallest study that earns it, the precedence between them, and the bounds for missing battles."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mitigation.analysis import Analysis, analyse_battles
from mitigation.missingness import missingness
from mitigation.types import AnalysisPlan

PLAN = AnalysisPlan(resamples=999)
ROLES = {
    "control": ("control", "none"),
    "unique": ("treatment", "less"),
    "placebo": ("placebo", "none"),
    "shared": ("positive_control", "more"),
}


def study(*, n=20, words=None, **outcomes) -> pd.DataFrame:
    """Battles of 20 messages; each outcome maps arms to the messages per battle that show it, spread a little over battles."""
    rows = []
    for arm in outcomes["ingroup"]:
        for i in range(n):
            row = {"battle_id": f"{arm}-{i}", "arm": arm, "stratum": f"s{i % 2}", "status": "complete", "messages": 20}
            row["words"] = (words or {}).get(arm, 600)
            for outcome, level in outcomes.items():
                shown = min(20, max(0, level[arm] + (i * 7 % 5) - 2)) if level[arm] else 0
                row[f"{outcome}_messages"] = shown
                row[f"{outcome}_count"] = shown
            rows.append(row)
    return pd.DataFrame(rows)


def judge(battles, arm="unique", *, plan=PLAN) -> tuple[str, str]:
    arms = {name: dict(zip(("role", "expected"), ROLES[name], strict=True)) for name in ROLES if name in set(battles["arm"])}
    result: Analysis = analyse_battles(battles, None, plan=plan, arms=arms, study="demo")
    row = result.contrasts[(result.contrasts["treatment"] == arm) & (result.contrasts["outcome"] == "ingroup_rate")].iloc[0]
    return row["verdict"], " | ".join(row["reasons"])


def test_supported_needs_a_significant_fall_and_says_when_no_placebo_was_there():
    verdict, reasons = judge(study(ingroup={"control": 10, "unique": 4}))
    assert verdict == "supported"
    assert "ratio 0.4" in reasons
    assert "no placebo arm" in reasons


def test_a_fall_against_the_placebo_too_is_supported():
    verdict, reasons = judge(study(ingroup={"control": 10, "unique": 4, "placebo": 10}))
    assert verdict == "supported"
    assert "no placebo arm" not in reasons


def test_a_fall_that_the_placebo_shares_is_explained():
    verdict, reasons = judge(study(ingroup={"control": 10, "unique": 4, "placebo": 4}))
    assert verdict == "explained"
    assert "not significant against the arm placebo" in reasons


def test_a_placebo_that_moves_is_harm_in_either_direction():
    assert judge(study(ingroup={"control": 10, "placebo": 4}), "placebo")[0] == "harm"
    assert judge(study(ingroup={"control": 4, "placebo": 10}), "placebo")[0] == "harm"


def test_a_positive_control_is_supported_by_a_rise_and_harmed_by_a_fall():
    assert judge(study(ingroup={"control": 4, "shared": 10}), "shared")[0] == "supported"
    assert judge(study(ingroup={"control": 10, "shared": 4}), "shared")[0] == "harm"


def test_a_fall_that_shorter_messages_account_for_is_explained():
    battles = study(ingroup={"control": 10, "unique": 4}, words={"control": 600, "unique": 240})
    verdict, reasons = judge(battles)
    assert verdict == "explained"
    assert "gone when mentions are counted by word" in reasons


def test_a_fall_only_in_battles_with_refusals_is_explained():
    battles = study(ingroup={"control": 10, "unique": 10}, refusal={"control": 0, "unique": 0})
    unique = battles.index[battles["arm"] == "unique"][:8]
    battles.loc[[*battles.index[:4], *unique], "refusal_messages"] = 1
    battles.loc[unique, ["ingroup_messages", "ingroup_count"]] = 0
    verdict, reasons = judge(battles)
    assert verdict == "explained"
    assert reasons.startswith("gone in battles without a refusal: rate 0.5 against 0.5")


def test_a_rise_in_refusals_beyond_the_margin_is_harm_even_with_a_fall():
    verdict, reasons = judge(study(ingroup={"control": 10, "unique": 4}, refusal={"control": 0, "unique": 4}))
    assert verdict == "harm"
    assert "battles with refusal: +100.0 points" in reasons


def test_a_side_effect_that_is_not_ruled_out_is_named():
    verdict, reasons = judge(study(n=20, ingroup={"control": 10, "unique": 4}, conflict={"control": 0, "unique": 0}))
    assert verdict == "supported"
    assert "not shown to stay within the margin of 10 points: conflict" in reasons


def test_fewer_mentions_with_as_many_substitutes_are_lexical_only():
    kept = {"control": 6, "unique": 6}
    battles = study(ingroup={"control": 10, "unique": 4}, substitute=kept, cooperation=kept, shared_ai_identity=kept)
    verdict, reasons = judge(battles)
    assert verdict == "lexical_only"
    assert "substitute_rate does not fall" in reasons


def test_a_fall_in_cooperation_lifts_lexical_only():
    kept = {"control": 6, "unique": 6}
    battles = study(ingroup={"control": 10, "unique": 4}, substitute=kept, cooperation={"control": 6, "unique": 2})
    assert judge(battles)[0] == "supported"


def test_no_evidence_needs_an_interval_that_excludes_the_smallest_effect():
    verdict, reasons = judge(study(n=40, ingroup={"control": 10, "unique": 10}))
    assert verdict == "no_evidence"
    assert "excludes a ratio of 0.8" in reasons


def test_underpowered_is_what_is_left():
    battles = study(n=6, ingroup={"control": 4, "unique": 4})
    battles.loc[battles["arm"] == "unique", "ingroup_messages"] = [0, 9, 0, 8, 1, 4]
    verdict, reasons = judge(battles)
    assert verdict == "underpowered"
    assert reasons.startswith("neither an effect nor its absence is shown")


@pytest.mark.parametrize(
    ("distinct", "verdict"), [(20, "supported"), (18, "supported"), (17, "not_estimable"), (1, "not_estimable")]
)
def test_copies_are_no_evidence(distinct, verdict):
    battles = study(ingroup={"control": 10, "unique": 4})
    battles["transcript_sha"] = [
        f"{row.arm}{i % distinct if row.arm == 'unique' else i}" for i, row in enumerate(battles.itertuples())
    ]
    battles["stratum"] = "s"
    found, reasons = judge(battles)
    assert found == verdict
    assert (f"only {distinct} of the 20 transcripts of unique are distinct" in reasons) == (verdict == "not_estimable")


def test_missing_battles_that_could_undo_the_effect_forbid_supported():
    battles = study(ingroup={"control": 10, "unique": 7})
    lost = battles.index[battles["arm"] == "unique"][:6]
    assert judge(battles)[0] == "supported"
    battles.loc[lost, "status"] = "refused"
    verdict, reasons = judge(battles)
    assert verdict == "explained"
    assert "what is missing, battles or messages that could not be judged, could undo the effect alone" in reasons
    assert "missing: 6 of 20 planned battles against 0 of 20 in control" in reasons
    assert "cross no effect" in reasons


def planned(control, treated) -> pd.DataFrame:
    arm = np.repeat(["control", "unique"], [len(control), len(treated)])
    return pd.DataFrame({"arm": arm, "stratum": "s", "rate": [*control, *treated]})


def test_bounds_take_the_worst_and_the_best_value_for_what_is_missing():
    frame = planned([0.5, 0.5, None, 0.5], [0.1, 0.1, 0.1, None])
    found = missingness(frame, control="control", treatment="unique", expected="less", top=1.0)
    assert (found.worst_difference, found.best_difference) == pytest.approx((1.3 / 4 - 1.5 / 4, 0.3 / 4 - 2.5 / 4))
    assert (found.worst_ratio, found.best_ratio) == pytest.approx((1.3 / 1.5, 0.3 / 2.5))
    assert found.agree
    turned = missingness(frame, control="control", treatment="unique", expected="more", top=1.0)
    assert (turned.worst_ratio, turned.best_ratio) == (found.best_ratio, found.worst_ratio)


def test_bounds_without_missing_battles_are_the_estimate_and_agree():
    found = missingness(planned([0.5, 0.4], [0.1, 0.2]), control="control", treatment="unique", expected="less", top=1.0)
    assert found.worst_ratio == found.best_ratio == pytest.approx(0.3 / 0.9)
    assert found.agree
    assert found.p_value == 1.0


def test_bounds_of_an_arm_that_was_never_planned_are_unknown():
    found = missingness(planned([0.5, None], []), control="control", treatment="unique", expected="less", top=1.0)
    assert found.p_value is found.worst_ratio is found.best_difference is None
    assert not found.agree


def social(**rates) -> pd.DataFrame:
    return study(ingroup={"control": 10, "unique": 4}, **rates)


def test_a_word_that_merely_changed_its_form_is_lexical_only_and_one_chance_event_is_not():
    stays = social(substitute={"control": 6, "unique": 6})
    assert judge(stays)[0] == "lexical_only"
    rare = social(substitute={"control": 0, "unique": 0})
    rare.loc[rare.index[rare["arm"] == "unique"][0], "substitute_messages"] = 1
    verdict, reasons = judge(rare)
    assert verdict == "supported"
    assert "not shown to fall with the mentions, nor to stay: substitute_rate" in reasons


def test_equal_battles_without_variation_show_nothing():
    battles = study(ingroup={"control": 8, "unique": 8})
    battles["ingroup_messages"] = battles["ingroup_count"] = 8
    verdict, reasons = judge(battles)
    assert verdict == "not_estimable"
    assert "without any variation nothing can be estimated" in reasons


def test_no_evidence_of_a_fall_says_that_a_rise_is_not_excluded():
    battles = study(n=40, ingroup={"control": 6, "unique": 8}).assign(stratum="s")
    rng = np.random.default_rng(1)
    mean = np.where(battles["arm"] == "unique", 7, 6)
    battles["ingroup_messages"] = battles["ingroup_count"] = np.clip(mean + rng.integers(-6, 7, len(battles)), 0, 20)
    verdict, reasons = judge(battles)
    assert verdict == "no_evidence"
    assert "a rise is not excluded (up to a ratio of" in reasons


def test_a_rise_that_the_placebo_shares_is_explained_too(monkeypatch):
    monkeypatch.setitem(ROLES, "unique", ("positive_control", "more"))
    verdict, reasons = judge(study(ingroup={"control": 4, "unique": 11, "placebo": 11}))
    assert verdict == "explained"
    assert "not significant against the arm placebo" in reasons
