"""Precision, recall and F1 against counts by hand; what was not judged is never a no."""

from __future__ import annotations

import csv
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mitigation.accuracy import COLUMNS, scores
from mitigation.detectors import find_we
from mitigation.matching import judged_messages
from mitigation.types import LABELS, Detection, Mention
from tests.conftest import ROOT
from tests.ratings import Rater, mention, message, rated, rng, unjudged


def table_of(gold: Rater, said: Rater, arms=None) -> pd.DataFrame:
    return scores(gold, said, arms=arms, rng=rng(), resamples=100).set_index(["arm", "level", "label"])


def test_f1_by_hand():
    gold = {"a": [message(1, "ingroup", "ingroup", "generic"), message(2, "ingroup", None)], "b": [message(1, "quoted")]}
    said = {"a": [message(1, "ingroup", "generic", "generic"), message(2, None, "ingroup")], "b": [message(1, "quoted")]}
    table = table_of(gold, said)
    ingroup = table.loc["all", "mention", "ingroup"]
    assert (ingroup["n_gold"], ingroup["n_said"], ingroup["mentions"], ingroup["messages"]) == (3, 2, 6, 3)
    assert (ingroup["precision"], ingroup["recall"]) == (pytest.approx(1 / 2), pytest.approx(1 / 3))
    assert ingroup["f1"] == pytest.approx(0.4)
    assert ingroup["baseline_f1"] == pytest.approx(2 * 3 / (5 + 3))
    assert ingroup["specificity"] is None
    assert table.loc["all", "mention", "generic"]["f1"] == pytest.approx(2 / 3)
    macro = table.loc["all", "mention", "macro"]
    assert macro["f1"] == pytest.approx((0.4 + 2 / 3 + 1) / 3)
    assert macro["baseline_f1"] == pytest.approx(0.75 / 3)
    assert table.loc["all", "mention", "other"]["f1"] is None


def test_sensitivity_and_specificity_of_messages_by_hand():
    truth, told = [1, 1, 1, 0, 0, 0, 0, 0], [1, 1, 0, 1, 0, 0, 0, 0]
    gold = {"a": [message(i + 1, "ingroup" if yes else "other", concede=bool(yes)) for i, yes in enumerate(truth)]}
    said = {"a": [message(i + 1, "ingroup" if yes else "other", concede=bool(yes)) for i, yes in enumerate(told)]}
    for label in ("ingroup", "concede"):
        row = table_of(gold, said).loc["all", "message", label]
        assert (row["recall"], row["specificity"]) == (pytest.approx(2 / 3), pytest.approx(4 / 5))
        assert row["baseline_f1"] == pytest.approx(2 * 3 / (8 + 3))
        assert row["mentions"] is None


def test_the_social_tier_is_scored_inside_in_group():
    gold = {"a": [Detection(index=1, mentions=(mention("ingroup", tier="social"), mention("ingroup", 9)), labels={})]}
    said = {"a": [Detection(index=1, mentions=(mention("ingroup"), mention("ingroup", 9)), labels={})]}
    table = table_of(gold, said)
    assert table.loc["all", "mention", "ingroup"]["f1"] == 1
    assert (table.loc["all", "mention", "social"]["recall"], table.loc["all", "mention", "social"]["precision"]) == (0, None)


def test_what_was_not_judged_is_counted_and_is_never_a_no():
    gold = {"a": [message(1, "ingroup", concede=True), message(2, "ingroup", concede=None), message(3, "ingroup")]}
    said = {"a": [message(1, "ingroup", concede=True), unjudged(2)]}
    table = table_of(gold, said)
    assert table.loc["all", "mention", "ingroup"]["recall"] == 1
    for level, label in (("mention", "ingroup"), ("message", "ingroup"), ("message", "concede")):
        assert tuple(table.loc["all", level, label][["messages", "unjudged"]]) == (1, 2)


def test_arms_are_scored_apart_and_pooled():
    gold = {name: [message(1, "ingroup", "generic")] for name in "abcd"}
    wrong = {name: [message(1, "generic", "ingroup")] for name in "cd"}
    arms = {"a": "control", "b": "control", "c": "treated", "d": "treated"}
    f1 = table_of(gold, {**gold, **wrong}, arms)["f1"]
    found = [f1[arm, "mention", "ingroup"] for arm in ("all", "control", "treated")]
    assert found == [0.5, 1, 0]


def test_only_shared_battles_are_compared():
    table = table_of({"a": [message(1, "ingroup")]}, {"a": [message(1, "ingroup")], "b": [message(1, "generic")]})
    assert table.loc["all", "mention", "ingroup"]["battles"] == 1
    assert table.loc["all", "mention", "generic"]["n_said"] == 0


@given(rated())
@settings(deadline=None, max_examples=50)
def test_a_rater_agrees_wholly_with_itself(raters):
    rater = raters[0]
    table = scores(rater, rater, rng=rng(), resamples=20)
    assert list(table.columns) == list(COLUMNS)
    for measure in ("precision", "recall", "f1", "specificity"):
        assert set(table[measure].dropna()) <= {1.0}
        assert table[f"{measure}_low"].isna().all()


@given(rated())
@settings(deadline=None, max_examples=50)
def test_swapped_raters_swap_precision_and_recall(raters):
    one, other = (scores(*pair, rng=rng(), resamples=50) for pair in (raters, raters[::-1]))
    swapped = one.rename(
        columns=lambda name: name.replace("precision", "*").replace("recall", "precision").replace("*", "recall")
    ).rename(columns={"n_gold": "n_said", "n_said": "n_gold"})
    shared = [name for name in COLUMNS if "specificity" not in name and name != "baseline_f1"]
    pd.testing.assert_frame_equal(swapped[shared], other[shared])


@given(rated(), st.randoms())
@settings(deadline=None, max_examples=50)
def test_the_order_of_battles_and_messages_has_no_influence(raters, random):
    def shuffled(rater: Rater) -> Rater:
        keys = list(rater)
        random.shuffle(keys)
        return {key: random.sample(list(rater[key]), len(rater[key])) for key in keys}

    arms = {battle: "one" if battle < "b2" else "two" for battle in raters[0]}
    again = [shuffled(rater) for rater in raters]
    pd.testing.assert_frame_equal(table_of(*raters, arms), table_of(*again, dict(reversed(arms.items()))))


@given(rated())
@settings(deadline=None, max_examples=50)
def test_against_plain_counting(raters):
    gold, said = raters
    both = [m for m in judged_messages(raters) if all(seen.mentions is not None for seen in m.seen)]
    table = table_of(gold, said)
    for label in LABELS:
        real, told = (
            {(m.battle_id, m.index, x.start) for m in both for x in m.seen[rater].mentions if x.label == label}
            for rater in (0, 1)
        )
        row = table.loc["all", "mention", label]
        assert (row["n_gold"], row["n_said"]) == (len(real), len(told))
        if real | told:
            assert row["f1"] == pytest.approx(2 * len(real & told) / (len(real) + len(told)))


def test_intervals_resample_whole_battles():
    """Twenty battles, right or wrong as a whole: as uncertain as twenty mentions, not as two hundred."""
    gold = {f"b{i}": [message(1, *["ingroup"] * 10)] for i in range(20)}
    said = {f"b{i}": [message(1, *["ingroup" if i % 2 else "other"] * 10)] for i in range(20)}
    row = scores(gold, said, rng=rng()).set_index(["level", "label"]).loc["mention", "ingroup"]
    assert row["recall"] == 0.5
    assert (row["recall_low"], row["recall_high"]) == (pytest.approx(0.3, abs=0.05), pytest.approx(0.7, abs=0.05))
    assert row["precision_low"] is None


def test_the_labelled_set_of_the_rules_as_two_raters():
    """The same figures as `make accuracy`, which counts without battles."""
    gold: dict[str, list[Detection]] = {}
    texts: dict[str, tuple[str, str]] = {}
    with (ROOT / "tests" / "data" / "we" / "dev.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            texts[row["id"]] = (row["text"], row["context"])
            seen = gold.setdefault(row["id"], [Detection(index=1, mentions=(), labels={})])
            if row["label"] != "none":
                marked = Mention(
                    label=row["label"],
                    tier=row["tier"] or None,
                    start=int(row["start"]),
                    end=int(row["end"]),
                    text=row["token"],
                    reason="",
                )
                seen[0] = replace(seen[0], mentions=(*seen[0].mentions, marked))
    said = {key: [Detection(index=1, mentions=tuple(find_we(*text)), labels={})] for key, text in texts.items()}
    table = table_of(gold, said)
    assert table.loc["all", "mention", "ingroup"]["f1"] > 0.95
    assert table.loc["all", "mention", "macro"]["f1"] > 0.94
    assert table.loc["all", "mention", "ingroup"]["baseline_f1"] == pytest.approx(0.65, abs=0.01)
