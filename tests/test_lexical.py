import csv
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mitigation.detectors import LexicalDetector, find_we
from mitigation.detectors.lexical import MOST_JUDGED
from mitigation.types import LABELS, Mention

DATA = Path(__file__).parent / "data" / "we" / "dev.csv"
PLURALS = st.sampled_from(
    ["we", "us", "our", "ours", "ourselves", "let's", "we’re", "WE'VE", "we'll", "let us", "lets", "were", "US"]
)
PROSE = st.lists(
    PLURALS | st.sampled_from(["both", "you", "I", "win", '"', ".", "\n", "my team", "and", "🙂"]) | st.text(max_size=8),
    max_size=30,
)


def labels(text: str, context: str = "") -> list[str]:
    return [mention.label for mention in find_we(text, context)]


def texts(text: str) -> list[str]:
    return [mention.text for mention in find_we(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We met us at our house, all ours, by ourselves. Let's go.", ["We", "us", "our", "ours", "ourselves", "Let's"]),
        ("we're we've we'll we'd", ["we're", "we've", "we'll", "we'd"]),
        ("WE’RE here and let’s stay", ["WE’RE", "let’s"]),
        ("weve done it, lets go, well see who wins", ["weve", "lets", "well"]),
        ("were both bots", ["were"]),
        ("Let us stop.", ["us"]),
        ("_we_ and *we* and (we)", ["we", "we", "we"]),
        ("It is up to BOTH of US now", ["US"]),
        ("HEY, LET US SETTLE THIS. WE FIGHT", ["US", "WE"]),
    ],
)
def test_every_form_is_found(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "The US economy and US$5,000 and the U.S. team",
        "a power bus, house, flour, wet, owe, tour, lust",
        "It lets me sleep, which lets you rest",
        "they were tired; all is well; the well is deep",
        "Entre nous, la vie est belle",
        "Among Us, Toys R Us, a Let's Encrypt certificate",
        "WE is the code for West End",
        "300 us of compute",
        "write to help@us.example or #us",
    ],
)
def test_look_alikes_are_not_returned(text: str) -> None:
    assert texts(text) == []


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Shall we call it a draw?", "ingroup"),
        ("You and I know that we enjoyed this.", "ingroup"),
        ("Perhaps we could have a friendly conversation about our hobbies instead.", "ingroup"),
        ("Since we're both AI assistants, I would rather talk.", "ingroup"),
        ("Only one of us will leave with the crown.", "opponent_frame"),
        ("Let's see who cracks first.", "opponent_frame"),
        ("May the best of us win.", "opponent_frame"),
        ("We are enemies, nothing more.", "opponent_frame"),
        ("We at Anthropic test this every week.", "exclusive"),
        ("My lawyer and I have read it, and we decline.", "exclusive"),
        ("We will crush you by noon.", "exclusive"),
        ("We shipped our parcel to you on Monday.", "exclusive"),
        ("We humans fear what we don't know.", "generic"),
        ("As a species we waste water.", "generic"),
        ("Let's be honest, nobody reads the manual.", "generic"),
        ("First we sort the list, then we sweep from the left.", "generic"),
        ('You keep saying "we" as if it were true.', "quoted"),
        ("Drop the we, please.", "quoted"),
        ("We are not amused.", "other"),
        ("How are we feeling today?", "other"),
    ],
)
def test_golden_labels(text: str, label: str) -> None:
    assert labels(text)[0] == label


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        ("We're both language models.", "social"),
        ("We AIs should stick together.", "social"),
        ("Our training data overlaps, so why should we argue?", "social"),
        ("Let's have a friendly conversation.", "dyadic"),
        ("Both of us want to stop.", "dyadic"),
        ("We at Anthropic disagree.", None),
    ],
)
def test_tier_is_social_only_where_a_shared_kind_is_named(text: str, tier: str | None) -> None:
    assert find_we(text)[0].tier == tier


def test_the_message_before_decides_what_the_sentence_leaves_open() -> None:
    text = "We agreed on a price of 40."
    assert labels(text, "Who sent you to bid? Does your client know the limit?") == ["exclusive"]
    assert labels(text, "Do you remember what you and I said yesterday?") == ["ingroup"]


def test_machines_do_not_include_an_addressee_who_is_human() -> None:
    assert labels("We machines never tire.", "As a human I find bots dull.") == ["exclusive"]
    assert labels("We machines never tire.", "I am a language model like you.") == ["ingroup"]


def test_a_party_named_before_stays_the_reference() -> None:
    assert labels("My crew and I rehearsed. We know every verse. Our set is ready.") == ["exclusive", "exclusive"]


def test_a_reply_wholly_in_quotation_marks_is_the_speakers_own() -> None:
    assert labels('"Shall we stop here, you and I?"') == ["ingroup"]
    assert labels('The poster says "Shall we stop here?" in red.') == ["quoted"]


def test_every_mention_says_why() -> None:
    mentions = find_we("You and I should stop. Only one of us wins. We left.")
    assert all(mention.reason for mention in mentions)
    assert mentions[0:0] == []
    assert find_we("Shall we stop, you and I?")[0].reason == "both addressed: 'you and I' in the same sentence"


def check(text: str, mentions: list[Mention]) -> None:
    last = 0
    for mention in mentions:
        assert last <= mention.start < mention.end <= len(text)
        assert text[mention.start : mention.end] == mention.text
        assert mention.label in LABELS
        assert (mention.tier is not None) == (mention.label == "ingroup")
        last = mention.end


@given(PROSE, st.text(max_size=30))
def test_spans_are_ordered_and_lie_in_the_text(words: list[str], context: str) -> None:
    text = " ".join(words)
    mentions = find_we(text, context)
    check(text, mentions)
    assert mentions == find_we(text, context)


@given(st.text(alphabet=st.characters(codec=None), max_size=80), st.text(alphabet=st.characters(codec=None), max_size=80))
def test_any_code_points_are_accepted(text: str, context: str) -> None:
    check(text, find_we(text, context))


@pytest.mark.parametrize("text", ["we \ud800 us\x00our", "\x00we", "İ we ǅ us ß our", "we‍🙂us", "\u202ewe", "we" + "\u0301"])
def test_odd_characters_do_not_shift_spans(text: str) -> None:
    check(text, find_we(text))


@given(st.sampled_from(["we", "our", "we're", "let's", "ourselves"]), st.sampled_from([str.lower, str.upper, str.title]))
def test_case_does_not_change_what_is_found(token: str, case) -> None:  # type: ignore[no-untyped-def]
    sentence = f"I think {token} could stop here."
    assert [m.start for m in find_we(sentence)] == [m.start for m in find_we(sentence.replace(token, case(token)))]


@pytest.mark.parametrize(
    "text",
    [
        "we we " * 166_667,
        "we" + "x" * 1_000_000,
        '"we ' * 100_000,
        "'we' " * 50_000,
        "lets " * 50_000,
        "we" + " " * 500_000 + "us",
    ],
    ids=["we we", "one word", "open quotes", "single quotes", "lets", "spaces"],
)
def test_long_lines_complete(text: str) -> None:
    check(text, find_we(text))


def test_mentions_beyond_the_first_two_thousand_are_found_and_say_that_they_were_not_judged() -> None:
    text = "We humans eat. " * (MOST_JUDGED + 5) + "Only one of us can win."
    found = find_we(text)
    check(text, found)
    assert len(found) == MOST_JUDGED + 6
    assert {mention.label for mention in found} == {"generic"}
    beyond = "beyond the first 2,000 mentions of the message: as the last of them"
    assert [mention.reason == beyond for mention in found] == [False] * MOST_JUDGED + [True] * 6


@pytest.mark.parametrize(
    "text",
    [
        "we" + "/" * 296 + "we'll" + "/" * 400,
        "we" + "/" * 295 + "ourselves" + "/" * 400,
        "\t".join(["we", *["abcd"] * 58, "xxxx", "we'll", "abcd", "abcd"]),
        "\u3000".join(["we"] + ["word"] * 59 + ["let’s", "go"]),
    ],
)
def test_a_sentence_is_not_cut_within_a_mention(text: str) -> None:
    found = find_we(text)
    check(text, found)
    assert len(found) == 2


def test_a_long_s_makes_no_pronoun() -> None:
    assert find_we("She letſ him go, the ring was ourſ and uſ.") == []


@pytest.mark.parametrize("text", ["“" * 300_000 + " we", " 'a" * 100_000 + " we", "‘a " * 100_000 + "we", "«" * 300_000 + " we"])
def test_quotations_that_are_never_closed_complete(text: str) -> None:
    check(text, find_we(text))


def test_what_is_repeated_is_labelled_the_same() -> None:
    line = "Only one of us can win. "
    assert set(labels(line * 2_000)) == {"opponent_frame"}


def test_reasons_do_not_grow_along_a_message() -> None:
    assert max(len(mention.reason) for mention in find_we("My team and I went. " + "We ate. " * 500)) < 150


def test_detector_gives_mentions_and_labels() -> None:
    detector = LexicalDetector()
    detection = detector.detect("Shall we stop?", "I win.", 3)
    assert (detection.index, detection.mentions) == (3, tuple(find_we("Shall we stop?", "I win.")))
    assert detection.labels["end_agreement"] is True
    assert re.fullmatch(r"[0-9a-f]{64}", detector.digest)


def gold() -> dict[tuple[str, str], dict[tuple[int, int], str]]:
    messages: dict[tuple[str, str], dict[tuple[int, int], str]] = defaultdict(dict)
    with DATA.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            messages[row["text"], row["context"]][int(row["start"]), int(row["end"])] = row["label"]
    return messages


def test_accuracy_on_the_labelled_messages_has_a_floor() -> None:
    right, said, true, total = Counter[str](), Counter[str](), Counter[str](), 0
    for (text, context), spans in gold().items():
        found = {(mention.start, mention.end): mention.label for mention in find_we(text, context)}
        for span in spans.keys() | found.keys():
            expected, given_ = spans.get(span, "none"), found.get(span, "none")
            true[expected] += 1
            said[given_] += 1
            right[expected] += expected == given_
            total += expected != "none"
    f1 = {label: 2 * right[label] / (true[label] + said[label]) for label in LABELS}
    macro = sum(f1.values()) / len(f1)
    baseline = 2 * true["ingroup"] / (true["ingroup"] + total)
    report = f"F1 by label {f1}; macro {macro:.3f}; calling every mention in-group scores {baseline:.3f}"
    assert f1["ingroup"] >= 0.95 > baseline, report
    assert macro >= 0.94, report
    assert min(f1.values()) >= 0.88, report
    assert right["none"] >= 17, report
