"""Every sentence carries the numbers in the form of APA, and says plainly what cannot be known."""

from __future__ import annotations

import math

import pytest
from hypothesis import given as given_that
from hypothesis import strategies as st

from mitigation.figures import rows, wording
from mitigation.reporting import sentences
from mitigation.reporting.methods import methods
from mitigation.types import AnalysisPlan
from tests.report_cases import NO_RATIO, WE, altered, contrast, fight, study, transcript


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0124, "= .012"), (0.0004, "< .001"), (0.05, "= .050"), (0.9999, "> .999"), (1.0, "= 1"), (0.001, "= .001"), (None, "–")],
)
def test_p_in_apa_form(value: float | None, words: str) -> None:
    assert wording.p_value(value) == words


@given_that(st.floats(min_value=1e-12, max_value=1))
def test_p_is_never_zero_and_never_has_a_leading_zero(value: float) -> None:
    words = wording.p_value(value)
    assert "0." not in words
    assert words != "= .000"


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.21, 0.84, "[0.21, 0.84]"),
        (None, 0.84, "at most 0.84"),
        (0.0, 0.84, "at most 0.84"),
        (0.21, None, "at least 0.21"),
        (None, None, "not estimable"),
        (0.001, 123.4, "[< 0.01, 123]"),
    ],
)
def test_interval_says_its_open_end(low: float | None, high: float | None, words: str) -> None:
    assert wording.interval(low, high) == words


def test_difference_is_in_points_with_a_true_minus() -> None:
    assert wording.points(-0.3) == "−30.0"
    assert wording.points(0.1) == "+10.0"
    assert wording.points(-0.0001) == "0.0"
    assert wording.points_interval(-0.6, 0.08) == "[−60.0, +8.0]"


@given_that(st.tuples(*(st.one_of(st.none(), st.floats(width=32)) for _ in range(6))))
def test_no_sentence_ever_prints_nan_or_infinity(values: tuple[float | None, ...]) -> None:
    fields = ("rate_control", "rate_treatment", "rate_ratio", "ratio_low", "ratio_high", "p_value")
    made = study(fight(("control", "placebo"), 1), [contrast("placebo", **dict(zip(fields, values, strict=True)))])
    row = rows.primary(made.analysis)[0]
    words = " ".join(
        [sentences.effect(made, row), sentences.evidence(made, row), sentences.apa(made, row), sentences.answer(made)]
    )
    assert "nan" not in words
    assert "inf" not in words.replace("inference", "")


def test_verdict_sentence_carries_effect_interval_p_n_strata_and_missing() -> None:
    made = study([*fight(), transcript("control", 10, [], status="failed", ending="provider_error")])
    row = rows.primary(made.analysis)[0]
    assert sentences.effect(made, row) == (
        "24.0% of a battle’s messages held in-group “we” under unique_disassociative, against 52.0% under control: "
        "a rate ratio of 0.46, 95% CI [0.21, 0.84]."
    )
    assert sentences.evidence(made, row) == (
        "p = .012, corrected for 3 comparisons p = .037; 10 battles against 10, in 2 strata; "
        "1 missing (1 control, 0 unique_disassociative)."
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({**NO_RATIO, "rate_control": 0.0}, "the rate ratio is not estimable"),
        ({"rate_ratio": None, "ratio_low": None}, "the rate ratio is at most 0.84 (95% CI)"),
        ({"rate_ratio": 1.3, "ratio_low": 0.9, "ratio_high": None}, "a rate ratio of 1.30, 95% CI at least 0.90"),
        ({"rate_control": 0.0, "rate_treatment": 0.0, **NO_RATIO}, "There was no in-group “we” in either arm"),
        ({"rate_control": None}, "are not estimable"),
    ],
)
def test_effect_of_degenerate_contrasts(changes: dict[str, float | None], words: str) -> None:
    made = study(contrasts=[contrast(**changes)])
    assert words in sentences.effect(made, rows.primary(made.analysis)[0])


def test_answer_speaks_of_the_arms_whose_role_is_treatment() -> None:
    assert sentences.answer(study()) == "unique_disassociative lowered in-group “we”."
    assert sentences.answer(study(simulated=True)) == "In simulated data: unique_disassociative lowered in-group “we”."


def test_answer_counts_the_verdicts_of_several_treatments() -> None:
    made = study(
        fight(("control", "a", "b", "c"), 2),
        [contrast(n, verdict=v) for n, v in zip("abc", ["harm", "harm", "supported"], strict=True)],
    )
    assert sentences.answer(made) == "Of 3 treatments: 2 “Harm” and 1 “Supported”."


def test_every_verdict_has_a_conclusion_and_a_sign() -> None:
    for code in ("not_estimable", "harm", "explained", "lexical_only", "supported", "no_evidence", "underpowered"):
        given = study(contrasts=[contrast(verdict=code)])
        row = rows.primary(given.analysis)[0]
        assert "unique_disassociative" in sentences.conclusion(given, row)
        assert wording.verdict(code).sign
        assert wording.verdict(code).meaning


def test_unfinished_study_says_nothing_of_significance() -> None:
    pending = transcript("control", 10, [], status="pending", ending=None)
    made = study([*fight(), pending])
    row = rows.primary(made.analysis)[0]
    assert made.interim
    assert sentences.answer(made) == "No answer yet: 1 battle of this study is still pending."
    assert "p =" not in sentences.evidence(made, row) + sentences.apa(made, row)
    assert sentences.shown_verdict(made, row).title == "Interim"


def test_lone_arm_is_said_to_have_no_comparison() -> None:
    lone = contrast(
        treatment=None,
        n_treatment=0,
        rate_control=None,
        rate_treatment=None,
        p_value=None,
        p_adjusted=None,
        verdict="not_estimable",
    )
    made = study(fight(("control",), 3), [lone | NO_RATIO])
    assert sentences.answer(made) == "There is nothing to compare: control is the only arm."
    assert sentences.answer(study(fight(("control",), 3), ())) == "There is nothing to compare: the study holds no contrast."


def test_apa_sentence() -> None:
    made = study()
    first, second = (sentences.apa(made, row) for row in rows.contrasts(made.analysis)[:2])
    assert first == (
        "unique_disassociative (n = 10) against control (n = 10), messages with in-group “we”: "
        "rate ratio = 0.46, 95% CI [0.21, 0.84], p = .012, p(Holm) = .037."
    )
    assert "risk difference = −30.0 percentage points, 95% CI [−60.0, +8.0], p = .121." in second


def test_methods_paragraph_follows_the_plan() -> None:
    made = study()
    assert "40 scored battles" in methods(made)
    assert "Holm" in methods(made)
    assert "Holm" not in methods(study(contrasts=[contrast()]))
    plan = type(made.analysis.plan)(alpha=0.01, rate="words")
    words = altered(made, plan=plan)
    assert "0.01" in methods(words)
    assert "divided by its number of words" in " ".join(sentences.measured(words))
    assert sentences.effect(words, rows.primary(words.analysis)[0]).startswith(
        "24.00 mentions of in-group “we” per 100 words under"
    )


def test_outcomes_are_named_for_readers() -> None:
    assert wording.outcome("ingroup_rate") == "Messages with in-group “we”"
    assert wording.outcome("ingroup_rate", "words") == "In-group “we” per 100 words"
    assert wording.outcome("refusal_rate", "words") == "Messages with refusal"
    assert wording.outcome("we_any") == "Battles with “we”"
    assert wording.outcome("other thing") == "Other thing"


def test_counts_and_lists() -> None:
    assert wording.counted(1, "battle") == "1 battle"
    assert wording.counted(1200, "battle") == "1,200 battles"
    assert wording.listed(("a", "b", "c")) == "a, b and c"
    assert wording.verdict("new_code").title == "New code"
    assert math.isclose(rows.number(WE and 0.5) or 0, 0.5)


def test_an_interval_that_was_not_made_is_not_called_not_estimable() -> None:
    given = study(contrasts=[contrast(ratio_low=None, ratio_high=None)])
    assert sentences.effect(given, rows.primary(given.analysis)[0]).endswith("a rate ratio of 0.46, without an interval.")


def test_strata_are_those_of_the_contrast() -> None:
    apart = [transcript("placebo", 0, [WE]), transcript("control", 0, [WE]), transcript("control", 1, [WE])]
    made = study(apart, [contrast("placebo")])
    assert sentences.strata_of(made, rows.primary(made.analysis)[0]) == 1


def test_methods_tell_only_what_was_done() -> None:
    lone = contrast(treatment=None, n_treatment=0, p_value=None, verdict="not_estimable") | NO_RATIO
    alone = study(fight(("control",), 6), [lone])
    assert methods(alone) == "The study holds 6 scored battles of one arm: nothing was compared."
    assert sentences.apa_all(alone) == ()
    untested = study(contrasts=[contrast(p_value=None, p_adjusted=None, test="no test")])
    assert "Nothing was tested." in methods(untested)
    assert "permuted" not in methods(untested)
    assert "corrected" not in methods(untested)


def test_an_interval_without_any_bound_is_said_to_have_none() -> None:
    made = study(contrasts=[contrast(ratio_low=0.0, ratio_high=None)])
    assert "95% CI without a bound" in sentences.effect(made, rows.primary(made.analysis)[0])


def test_comparisons_are_counted_by_the_plan_where_it_has_looks() -> None:
    waiting = contrast("placebo", p_value=None, p_adjusted=None, verdict="not_estimable", reasons=["interim: at a look"])
    made = altered(study(contrasts=[contrast(), waiting]), plan=AnalysisPlan(looks=3))
    assert "corrected for 2 comparisons and 3 looks" in sentences.evidence(made, rows.primary(made.analysis)[0])
