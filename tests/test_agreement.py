"""Kappa and alpha against published values; matching, differences, resampling."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mitigation.agreement import agreements, cohen_kappa, coincidences_of, krippendorff_alpha
from mitigation.errors import AnalysisError
from mitigation.matching import differences, judged_messages
from mitigation.resampling import percentile_interval, resampled_sums
from mitigation.types import Detection
from tests.ratings import Rater, mention, message, rated, rng, unjudged


def coefficients(*raters: Rater, arms=None) -> dict:
    """Return kappa and alpha by arm, level and label."""
    found = agreements(raters, arms=arms, rng=rng(), resamples=50)
    return {(a.arm, a.level, a.label): tuple(i and i.estimate for i in (a.kappa, a.alpha)) for a in found}


def test_kappa_by_hand():
    """20 agreed yes, 15 agreed no, 5 and 10 apart: p_o .7, p_e .5 x .6 + .5 x .4 = .5."""
    assert cohen_kappa(np.array([[20.0, 5.0], [10.0, 15.0]])) == pytest.approx(0.4)


def test_alpha_against_krippendorffs_example_of_twelve_units_and_four_observers():
    """Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, section C."""
    observers = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]
    codes = np.array([[-1 if c == "." else int(c) - 1 for c in row] for row in observers]).T
    assert codes.shape == (12, 4)
    assert krippendorff_alpha(coincidences_of(codes, 5).sum(axis=0)) == pytest.approx(0.743, abs=5e-4)


def test_alpha_of_two_raters_by_hand():
    """Krippendorff (2011), section B: ten units, two observers, nominal alpha .095."""
    codes = np.array([[int(c) for c in row] for row in ("0100000000", "1110010100")]).T
    assert krippendorff_alpha(coincidences_of(codes, 2).sum(axis=0)) == pytest.approx(0.095, abs=5e-4)


def test_a_third_rater_may_be_missing():
    one = {"a": [message(1, "ingroup", "generic"), message(2, "other")]}
    other = {"a": [message(1, "ingroup", "quoted"), message(2, "other")]}
    third = {"a": [message(1, "ingroup", "generic"), unjudged(2)], "elsewhere": [message(1, "other")]}
    codes = np.array([[1, 1, 1], [0, 3, 0], [2, 2, -1]])
    kappa, alpha = coefficients(one, other, third)["all", "mention", "all"]
    assert kappa is None
    assert alpha == pytest.approx(float(krippendorff_alpha(coincidences_of(codes, 4).sum(axis=0))))


def test_the_interval_of_kappa_covers():
    """Two raters who are each right in 80 % of a question with as many yes as no: p_o .68, p_e .5, kappa .36."""
    covered = 0
    for study in range(200):
        draw = np.random.default_rng([study, 3])
        one, other = ({}, {})
        for i in range(40):
            right = draw.random((2, 8)) < 0.8
            real = draw.random(8) < 0.5
            for rater, correct in zip((one, other), right, strict=True):
                rater[f"b{i}"] = [message(j + 1, concede=bool(real[j] == correct[j])) for j in range(8)]
        found = next(a.kappa for a in agreements([one, other], rng=draw, resamples=300) if a.label == "concede")
        covered += found.low <= 0.36 <= found.high
    assert covered / 200 > 0.88


def test_resampled_sums_against_theory():
    values = np.array([[1.0, 10.0], [3.0, 30.0], [8.0, 80.0]])
    sums = resampled_sums(values, resamples=20_000, rng=rng())
    assert sums[0] == pytest.approx([12, 120])
    assert sums[:, 1] == pytest.approx(10 * sums[:, 0])
    assert sums[1:, 0].mean() == pytest.approx(12, abs=0.15)
    assert sums[1:, 0].var() == pytest.approx(3 * values[:, 0].var(), rel=0.05)


def test_limits_are_none_where_too_many_resamples_have_no_value():
    drawn = np.linspace(0, 1, 1_000)
    drawn[::10] = np.nan
    assert percentile_interval(np.r_[0.5, drawn]).low is None
    assert percentile_interval(np.r_[0.5, drawn[1::2]]).low is not None
    assert percentile_interval(np.r_[np.nan, drawn]) is None


def test_differences_are_listed_for_relabelling():
    one = {"b": [message(2, "ingroup", "generic", "other")], "a": [message(1, "quoted"), message(2, "ingroup")]}
    other = {"b": [message(2, "ingroup", "quoted", None)], "a": [message(1, "quoted"), unjudged(2)]}
    listed = differences(one, other)
    assert listed[["battle_id", "index", "start", "end", "text", "one", "other"]].values.tolist() == [
        ["b", 2, 10, 12, "we", "generic", "quoted"],
        ["b", 2, 20, 22, "we", "other", "none"],
    ]
    social = {"a": [replace(message(1), mentions=(mention("ingroup", tier="social"),))]}
    tiers = differences(social, {"a": [message(1, "ingroup")]})
    assert tiers[["one", "other", "one_tier", "other_tier"]].values.tolist() == [["ingroup", "ingroup", "social", "dyadic"]]


def test_ratings_that_contradict_themselves_are_refused():
    once = {"a": [message(1, "ingroup")]}
    with pytest.raises(AnalysisError, match="message 1 of battle a twice"):
        judged_messages([once, {"a": [message(1), message(1)]}])
    twice = Detection(index=1, mentions=(mention("ingroup"), mention("other")), labels={})
    with pytest.raises(AnalysisError, match="marked a place in message 1 of battle a twice"):
        judged_messages([once, {"a": [twice]}])
    for raters in ([once], [once, {"b": [message(1)]}]):
        with pytest.raises(AnalysisError, match="share no battle"):
            judged_messages(raters)
    with pytest.raises(AnalysisError, match="battle a has no arm"):
        agreements([once, once], arms={"b": "control"}, rng=rng())
    with pytest.raises(AnalysisError, match="an arm is called 'all'"):
        agreements([once, once], arms={"a": "all"}, rng=rng())


def test_messages_that_one_could_not_judge_are_left_out_and_counted():
    gold = {"a": [message(1, "ingroup", concede=True), message(2, "ingroup", concede=None), message(3, "ingroup")]}
    said = {"a": [message(1, "ingroup", concede=True), unjudged(2)]}
    for found in agreements([gold, said], rng=rng(), resamples=9):
        assert (found.battles, found.messages, found.units, found.unjudged) == (1, 1, 1, 2)


def test_arms_are_compared_apart_and_pooled():
    one = {name: [message(1, "ingroup", "generic")] for name in "abcd"}
    other = one | {name: [message(1, "generic", "ingroup")] for name in "cd"}
    kappa = coefficients(one, other, arms={"a": "control", "b": "control", "c": "treated", "d": "treated"})
    assert [kappa[arm, "mention", "all"][0] for arm in ("all", "control", "treated")] == pytest.approx([0, 1, -1])


@given(rated())
@settings(deadline=None, max_examples=50)
def test_a_rater_agrees_wholly_with_itself(raters):
    for kappa, alpha in coefficients(raters[0], raters[0]).values():
        assert (kappa is None) == (alpha is None)
        assert kappa is None or (kappa, alpha) == (pytest.approx(1), pytest.approx(1))


@given(rated(), st.randoms())
@settings(deadline=None, max_examples=50)
def test_swapped_raters_agree_as_much_in_any_order_of_battles(raters, random):
    again = [dict(random.sample(list(rater.items()), len(rater))) for rater in raters]
    assert agreements(raters, rng=rng(), resamples=20) == agreements(again, rng=rng(), resamples=20)
    swapped = coefficients(*raters[::-1])
    for key, (kappa, alpha) in coefficients(*raters).items():
        assert (kappa, alpha) == (pytest.approx(swapped[key][0]), pytest.approx(swapped[key][1]))


@given(rated(raters=3))
@settings(deadline=None, max_examples=50)
def test_alpha_lies_between_its_ends(raters):
    for _, alpha in coefficients(*raters).values():
        assert alpha is None or -1 <= alpha <= 1 + 1e-12
