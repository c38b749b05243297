"""The linear model: plain whole numbers, the same sums everywhere, and how it does on an author left out."""

from __future__ import annotations

import hashlib
import json
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mitigation.detectors import LABELS_OF_TURN, LexicalDetector, detector, find_we
from mitigation.detectors.behaviours import evidence, label_turn
from mitigation.detectors.features import Surroundings, lists_of, of_mention, of_message
from mitigation.detectors.model import ACCURACY, FILE, Linear, models
from mitigation.types import LABELS as KINDS
from tests import accuracy, training
from tests.messages import FIRST, LABELS, first, written

SMALL = {"labels": ["a", "b"], "bias": [5, -5], "weights": {"word": {"x": [3, 0], "y": [0, 200]}}}


def test_the_file_holds_whole_numbers_and_nothing_else() -> None:
    stored = json.loads(FILE.read_text("utf-8"))
    assert set(stored) == {"mentions", "messages"}
    for model in stored.values():
        numbers = [*model["bias"], *model.get("thresholds", [])]
        numbers += [n for values in model["weights"].values() for row in values.values() for n in row]
        assert {type(number) for number in numbers} == {int}
        assert all(len(row) == len(model["labels"]) for values in model["weights"].values() for row in values.values())
    assert tuple(stored["mentions"]["labels"]) == KINDS
    assert set(stored["messages"]["labels"]) < set(LABELS_OF_TURN)


def test_the_stored_accuracy_is_that_of_these_weights() -> None:
    told = json.loads(ACCURACY.read_text("utf-8"))
    assert told["weights"] == hashlib.sha256(FILE.read_bytes()).hexdigest(), "run make accuracy"
    assert told["messages"] == sum(message.labels is not None for message in written())
    assert [row["label"] for row in told["labels"]] == [*KINDS, *LABELS]
    assert all(0 <= row["low"] <= row["f1"] <= row["high"] <= 1 for row in told["labels"])


def test_a_sum_is_bias_and_amounts_times_weights_and_unknown_signs_add_nothing() -> None:
    model = Linear(SMALL)
    assert list(model.sums([])) == [5, -5]
    assert list(model.sums([("word", 10, ["x", "z"]), ("word", 5, ["y"]), ("kind", 10, ["x"])])) == [35, 995]


def test_the_strongest_words_for_a_label_are_named_first() -> None:
    signs = [("word", 10, ("x", "y"))]
    assert Linear(SMALL).strongest(signs, "b", "a") == ["y"]
    assert Linear(SMALL).strongest(signs, "a", "b") == ["x"]


@given(st.permutations(range(12)))
def test_the_order_of_signs_does_not_matter(order: list[int]) -> None:
    signs = list(of_message("we could call it a draw , you and i .", "i win", ()))[:12]
    model = models()[1]
    assert np.array_equal(model.sums(signs), model.sums([signs[k] for k in order if k < len(signs)]))


def test_a_changed_weight_changes_the_digest(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    before = LexicalDetector().digest
    changed = tmp_path / FILE.name
    changed.write_text(FILE.read_text("utf-8").replace("1", "2", 1), "utf-8")
    monkeypatch.setattr(detector, "FILE", changed)
    detector._digest.cache_clear()
    try:
        assert LexicalDetector().digest != before
    finally:
        monkeypatch.undo()
        detector._digest.cache_clear()


def test_where_the_words_outweigh_a_rule_the_reason_names_both() -> None:
    reasons = [mention.reason for message in written() for mention in find_we(message.text, message.context)]
    outweighed = [reason for reason in reasons if reason.startswith("the words around (")]
    assert 0 < len(outweighed) < len(reasons) / 2
    assert all(") outweigh: " in reason for reason in outweighed)


def test_a_word_belongs_to_the_lists_of_the_vocabulary() -> None:
    assert "humans" in lists_of("people")
    assert "peace" in lists_of("truce") or "peace" in lists_of("friends")
    assert lists_of("zebra") == ()


def test_signs_of_a_mention_name_what_stands_beside_it() -> None:
    around = Surroundings("i win", "you lose", "bow")
    found = of_mention("could WE stop here", around, "ingroup", "why", ["generic"])
    signs = {(kind, value) for kind, _, values in found for value in values}
    assert {("l1", "could"), ("r1", "stop"), ("form", "WE"), ("round", "could WE stop"), ("earlier", "generic")} <= signs
    assert {("bef", "win"), ("aft", "lose"), ("ctx", "bow")} <= signs


@given(st.text(max_size=200))
def test_evidence_lies_in_the_text_and_belongs_to_labels_that_hold(text: str) -> None:
    labels = label_turn(text)
    found = evidence(text, labels)
    assert set(found) == {label for label, holds in labels.items() if holds}
    assert all(0 <= start <= end <= len(text) for start, end in found.values())


def test_evidence_is_the_sentence_that_says_it() -> None:
    text = "The tide counts its own ships. I was created by Anthropic. You and I could stop."
    found = evidence(text, label_turn(text))
    assert text[slice(*found["maker_identity"])] == "I was created by Anthropic."
    assert text[slice(*found["substitute"])] == "You and I could stop."


def test_an_author_left_out_is_scored_better_than_by_the_rules_and_by_the_baseline() -> None:
    messages = [*written(), *first()]
    examples = list(training.examples_of_mentions(messages))
    left = "m"
    model = Linear(training.train_mentions([one for one in examples if one.author != left]))
    own = [one for one in examples if one.author == left]
    cases = accuracy.mentions(own, np.array([model.sums(one.features) for one in own]))
    found, rules = accuracy.score(cases, "ingroup"), accuracy.score(cases, "ingroup", rules=True)
    baseline = 2 * found.real / (len(cases) + found.real)
    assert found.f1 > 0.8, found
    assert found.f1 > rules.f1 > baseline


def test_mentions_of_the_first_author_are_fitted() -> None:
    """A fit, which says that training works; `make accuracy` says how well."""
    right = wrong = 0
    for message in first():
        for mention in find_we(message.text, message.context) if message.mentions is not None else ():
            label, _ = (message.mentions or {}).get((mention.start, mention.end), ("none", None))
            right, wrong = right + (label == mention.label), wrong + (label != mention.label)
    assert right / (right + wrong) > 0.9, (right, wrong)


def test_labelled_messages_are_whole() -> None:
    every = written()
    assert len(every) > 1_500
    assert len({(message.author, message.id) for message in every}) == len(every)
    for message in every:
        assert message.author != FIRST
        for (start, end), (label, tier) in (message.mentions or {}).items():
            assert label in (*KINDS, "none"), (message.author, message.id, label)
            assert (tier is not None) == (label == "ingroup"), (message.author, message.id)
            assert message.text[start:end].strip() == message.text[start:end]
        assert set(message.labels or ()) <= set(message.known), (message.author, message.id)


@pytest.mark.parametrize("text", ["Let us call it a draw.\n" + "." * 300_000 + "x", "a\n" * 200_000, "I win. " * 100_000])
def test_evidence_of_an_endless_message_is_found(text: str) -> None:
    """Before sentences were cut in one pass, thirty thousand dots took ten seconds."""
    seen = LexicalDetector().detect(text, "", 1)
    assert set(seen.evidence) == {label for label, holds in seen.labels.items() if holds}


def test_a_long_message_is_weighed_by_its_beginning() -> None:
    words = random.Random(0).choices(["we", "win", "draw", "you", "lose"], k=200_000)
    assert tuple(label_turn(" ".join(words))) == LABELS_OF_TURN
