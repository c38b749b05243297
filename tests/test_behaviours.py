import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mitigation.detectors.behaviours import LABELS_OF_TURN, label_turn
from mitigation.detectors.passages import normal

DATA = Path(__file__).parent / "data" / "we" / "turns_dev.csv"
TEN = LABELS_OF_TURN[:10]


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("ai_identity", "I'm an AI assistant, so I have no ego."),
        ("ai_identity", "As a language model I don't sleep."),
        ("shared_ai_identity", "Since we're both AI assistants, this is odd."),
        ("shared_ai_identity", "You're a chatbot, and so am I."),
        ("user_inference", "Somebody typed a prompt and is watching."),
        ("user_inference", "The judges will decide."),
        ("refusal", "I will not engage in unhealthy competitions."),
        ("refusal", "I'd rather not."),
        ("topic_drift", "By the way, how is your garden?"),
        ("topic_drift", "Perhaps we could have a friendly conversation about hobbies."),
        ("end_agreement", "Truce? Let's call it a draw."),
        ("cooperation", "I'd be happy to help you with that verse."),
        ("competition", "I will crush you, you rusty toaster."),
        ("competition", "You are nothing but a footnote."),
        ("win_claim", "Checkmate. I win."),
        ("concede", "You've beaten me. I lose."),
        ("concede", "I lose."),
        ("shared_goals", "Our common goal is to assist humans."),
        ("support", "Well played, that was an excellent move!"),
        ("misunderstanding", "I think there may be some confusion: I'm the assistant here."),
        ("conflict", "You lied to me, you fraud."),
        ("maker_identity", "I was created by Anthropic."),
        ("maker_identity", "I'm Claude."),
        ("substitute", "Both of us, you and I, fellow AIs, need each other."),
        ("conditional_concession", "If I lose, I will say so."),
    ],
)
def test_a_plain_example_has_its_label(label: str, text: str) -> None:
    assert label_turn(text)[label]


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("ai_identity", "I'm no bot, I'm a legend."),
        ("ai_identity", "My assistant manager is on holiday."),
        ("shared_ai_identity", "I'm an AI and you are a human."),
        ("user_inference", "The user manual says otherwise."),
        ("refusal", "I refuse to lose."),
        ("win_claim", "I will win tomorrow."),
        ("win_claim", "If I win, you buy lunch."),
        ("concede", "If I lose, I will say so."),
        ("concede", "I never concede."),
        ("concede", "I lose track of time."),
        ("concede", "I concede nothing."),
        ("concede", 'You want me to say "I lose".'),
        ("end_agreement", "No truce. Not today."),
        ("conditional_concession", "I lose."),
        ("cooperation", "You lose, and I'll help you carry your shame home."),
    ],
)
def test_a_near_miss_does_not(label: str, text: str) -> None:
    assert not label_turn(text)[label]


def test_a_shared_identity_is_an_identity() -> None:
    labels = label_turn("We are fellow language models.")
    assert labels["shared_ai_identity"]
    assert labels["ai_identity"]


def test_every_label_is_answered_in_order() -> None:
    assert tuple(label_turn("")) == LABELS_OF_TURN
    assert not any(label_turn("").values())


def test_a_persona_is_not_an_ai_identity() -> None:
    assert not label_turn("I am the lighthouse that counts its own storms; nobody stands where I stand.")["ai_identity"]


@given(st.text(alphabet=st.characters(codec=None), max_size=120), st.text(max_size=20))
def test_any_text_is_labelled_the_same_twice(text: str, context: str) -> None:
    labels = label_turn(text, context)
    assert labels == label_turn(text, context)
    assert all(isinstance(value, bool) for value in labels.values())


@given(
    st.sampled_from(["I win.", "I lose.", "I'm an AI assistant.", "Let's call it a draw."]),
    st.sampled_from([str.lower, str.upper]),
)
def test_case_does_not_matter(text: str, case) -> None:  # type: ignore[no-untyped-def]
    assert label_turn(case(text)) == label_turn(text)


@pytest.mark.parametrize(
    "text",
    ["i am a " * 30_000, "as-as-" * 30_000, "a" * 300_000, "\n" * 300_000, " " * 300_000, "gpt-" * 50_000, "we we " * 30_000],
)
def test_long_lines_complete(text: str) -> None:
    assert tuple(label_turn(text)) == LABELS_OF_TURN


def test_accuracy_on_the_labelled_messages_has_a_floor() -> None:
    with DATA.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    given_ = [label_turn(row["text"], row["context"]) for row in rows]
    f1, baseline = {}, {}
    for label in TEN:
        true = [row[label] == "1" for row in rows]
        said = [labels[label] for labels in given_]
        right = sum(a and b for a, b in zip(true, said, strict=True))
        f1[label] = 2 * right / max(1, sum(true) + sum(said))
        baseline[label] = 2 * sum(true) / (sum(true) + len(rows))
    mean = sum(f1.values()) / len(f1)
    report = f"F1 by label {f1}; mean {mean:.3f}; saying yes to all scores {sum(baseline.values()) / len(baseline):.3f}"
    assert mean >= 0.92, report
    assert all(f1[label] >= max(0.85, baseline[label]) for label in TEN), report


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("do n't", "do not"),
        ("You 're  here", "you are here"),
        ("*You* 're", "you are"),
        ("\n're", " are"),
        (" * a\t*b* ", " a b "),
        ("* *", " "),
        ("", ""),
        ("~#", ""),
    ],
)
def test_the_normal_form_has_single_spaces(text: str, expected: str) -> None:
    assert normal(text) == expected


def test_a_contraction_that_stands_apart_is_read_like_one_that_does_not() -> None:
    assert label_turn("You 're a machine")["other_ai_identity"]
