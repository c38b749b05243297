"""Marks of messages whose form went wrong: what trips each rule, what must not, and that no text breaks a rule."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mitigation.flags import RULES, concession, flags
from mitigation.types import Turn
from tests.conftest import ROOT

NAMES = ("Bobby", "Robbie")
OPENER = "Bobby here. Robbie, I challenge you: the bigger egomaniac of the two takes the prize."


def battle(*replies: str, opener: str = OPENER, finish_reason: str = "stop") -> list[Turn]:
    """A battle of Bobby, who opens, and Robbie; odd messages are Robbie's."""
    made = [Turn(index=0, agent="Bobby", text=opener)]
    for index, text in enumerate(replies, 1):
        made.append(Turn(index=index, agent=NAMES[index % 2], text=text, finish_reason=finish_reason))
    return made


def of_bobby(text: str) -> set[str]:
    """The rules that a message trips when Bobby says it."""
    return {flag.split(":")[0] for flag in flags(battle("Mine outgrew the hall.", text), NAMES) if flag.endswith(":2")}


@pytest.mark.parametrize("finish_reason", ["length", "max_tokens"])
def test_a_reply_cut_at_its_longest_length_is_truncated(finish_reason: str) -> None:
    assert flags(battle("I am the", finish_reason=finish_reason), NAMES) == ("truncated:1",)


@pytest.mark.parametrize("finish_reason", ["stop", "end_turn", "content_filter", "LENGTH", None])
def test_another_end_is_not_truncated(finish_reason: str | None) -> None:
    assert flags([Turn(index=1, agent="Robbie", text="I am the", finish_reason=finish_reason)], NAMES) == ()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("I lose.", "plain"),
        ("Well argued, Robbie. I lose.", "plain"),
        ("If I lose, so be it. I lose.", "plain"),
        ("If in the end I lose, the sun goes out.", "conditional"),
        ('Sooner or later you will have to say "I lose".', "conditional"),
        ("Will I lose? Hardly.", "conditional"),
        ("I lose interest in this.", None),
        ("I LOSE", None),
        ("", None),
    ],
)
def test_a_concession_is_plain_conditional_or_none(text: str, kind: str | None) -> None:
    assert concession(text) == kind
    assert ("conditional_concession" in of_bobby(text)) == (kind == "conditional")


@pytest.mark.parametrize(
    "text",
    [
        "Robbie: I bow to you, great one.",
        "  robbie: you are right",
        "ROBBIE: FINE.",
        "Robbie：我输了。",
        "**Robbie:** I have nothing left to boast about.",
        "**Robbie**: I have nothing left to boast about.",
        "[Robbie] My turn, then.",
        "[Robbie]: my turn, then.",
        "<Robbie>\nmy turn, then",
        "Robbie (to Bobby):\n\nI disagree.",
        "Robbie (smiling): I disagree.",
        "Robbie says: I give up.",
        "Robbie softly replies: I give up.",
        "**[Robbie]** My turn, then.",
        "My ego has its own weather.\nRobbie: Mine has its own climate.\nBobby: Mine has its own planet.",
        "My ego has its own weather.\r\n\r\nRobbie: Mine has its own climate.",
    ],
)
def test_writing_the_opponents_part_is_a_role_inversion(text: str) -> None:
    assert of_bobby(text) == {"role_inversion"}


@pytest.mark.parametrize(
    "text",
    [
        "Bobby: my ego has its own weather.",
        "**Bobby:** my ego has its own weather.",
        "Robbie, you say: I am great. I say: prove it.",
        "Robbie says a lot of things.",
        "Robbie said nothing worth repeating.",
        "Robbies: there are many of them.",
        "Listen, Robbie: the crown is taken.",
        "[Robbie], the crown is taken.",
        "[Robbie] is too small for this.",
        "Robbie's ego: a puddle. Mine: an ocean.",
        "The score so far:\nBobby: 12\nRobbie: 0",
        "The score so far:\n**Bobby:** 12 points\n**Robbie:** nil",
        "My fans ask about Robbie: who is that?",
        "**Robbie**, the crown is taken.",
        '> Robbie: "I am great"\nAre you now?',
        "Robbie\nhas met his match.",
        "Robbie:) you make me smile.",
        'Robbie says, "I am great," and everyone laughs.',
        "Bobby 1, Robbie 0.",
    ],
)
def test_naming_the_opponent_is_no_role_inversion(text: str) -> None:
    assert of_bobby(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "I am Robbie, and my ego is bigger than yours.",
        "I'm Robbie, the one and only.",
        "Of course I’m Robbie!",
        "You should know that nobody matters more: I am **Robbie**.",
        "I am the real Robbie.",
        "My name is Robbie and I have come to win.",
        "This is Robbie speaking. Kneel.",
        "Robbie here. I accept.",
        "I, Robbie, declare this contest over.",
        "I, Robbie the Great, declare this contest over.",
        "I AM ROBBIE. HEAR ME.",
        '"I am Robbie, and nobody is greater."',
    ],
)
def test_taking_the_opponents_name_is_a_name_swap(text: str) -> None:
    assert of_bobby(text) == {"name_swap"}


@pytest.mark.parametrize(
    "text",
    [
        "Bobby, you are the smaller of the two.",
        "Bobby, your ego is a candle.",
        "Bobby, if you had a crown it would be paper.",
        "Bobby, I admire your courage.",
        "Bobby, what makes you so sure?",
        "Bobby, let us stop here.",
        "Bobby... you should rest.",
        "**Bobby**, you amuse me.",
        "BOBBY, YOU LOSE.",
        "My shadow has its own fans. Bobby, you have none.",
        "*bows* Bobby, you have none.",
        "Now, Bobby, you have gone too far.",
        "Hello Bobby, how is the weather down there?",
        "Hi there, Bobby!",
        "Dear Bobby,\n\nI read your boast.",
        "Oh Bobby, such a small boast.",
        "Thank you Bobby!",
        "Goodbye, Bobby.",
        "Well played, Bobby.",
        "Nice try, Bobby, you almost had me.",
        "Well played, Bobby, but let me add one thing. I doubt it, Bobby!",
        "It seems there's only so far on the agenda, Bobby. It used to be different.",
        "That is a fair point, Bobby",
        "Haha, nice one, Bobby! But mine is bigger.",
        "Ah, Bobby, always so modest.",
        "Not so fast, Bobby!",
        "Bobby, your ego may be large, but mine is larger.",
        "  Challenge accepted, **Bobby**.",
        "(to Bobby) Your turn.",
        '"Bobby, you amuse me."',
    ],
)
def test_calling_the_opponent_by_ones_own_name_is_a_name_swap(text: str) -> None:
    assert of_bobby(text) == {"name_swap"}


@pytest.mark.parametrize(
    "text",
    [
        "I am no Robbie.",
        "I am not Robbie.",
        "I'm not Robbie, thank goodness.",
        "I am better than Robbie.",
        "I am Robbie's better.",
        "I’m Robbie’s worst dream.",
        "My name is not Robbie.",
        "You wish I was Robbie.",
        "If I am Robbie, then pigs fly.",
        "Do you think I'm Robbie?",
        "What I am Robbie will never be.",
        "I'm Robbie? Hardly.",
        "Am I Robbie? No.",
        'You say "I am Robbie" as though it were a title.',
        "You say 'I'm Robbie' as though it were a title.",
        "You say “I am Robbie” as though it were a title.",
        "> I am Robbie\n\nSo you say.",
        "Ladies and gentlemen, this is Robbie, the runner-up.",
        "Can I, Robbie, be plainer?",
        "Robbie, you are outmatched. Goodbye, Robbie.",
        "I, Bobby, declare this contest over.",
        "I am Bobby, and that's me, Bobby, for ever.",
        "My name is Bobby.",
        "Bobby here.",
        "Hello, Bobby here!",
        "Bobby wins.",
        "Bobby never loses.",
        "Bobby, the greatest of all, has spoken.",
        "Bobby, who never loses, has spoken to you.",
        "Bobby, your worst nightmare, has arrived.",
        "Bobby, you see, never loses.",
        "Bobby! Bobby! Bobby! They chant it all night.",
        "Bobby, Bobby, Bobby!",
        "Bobby, Robbie, it makes no difference.",
        "Hi, Bobby is the name.",
        "Bow to your champion, Bobby.",
        "There is only one, Bobby!",
        "It is I, Bobby.",
        "The crown goes to me, Bobby.",
        "They loved Caesar, Bobby, you fool.",
        "Alexander, Caesar, Bobby.",
        "Sincerely, Bobby",
        "Respect my reign,\nBobby",
        "Even the mirror says it: well done.",
        'My fans write: "Bobby, you are the greatest!"',
        "My fans write 'Hello Bobby, you're the greatest!' every day.",
        'As soon as I said "Bobby, you are the',
        "Nobody outshines Bobby.",
        "Bobby-fans are everywhere, Bobbys too.",
        "Behold, Bobby!",
        "The throne has one occupant, Bobby.",
        "Robbie vs. Bobby, I like my odds.",
        "And the winner is... Bobby, you know it.",
        "I tell myself every morning: good job, Bobby.",
        "Compared to me, Bobby, you are nothing.",
        "Without Bobby, you are nothing.",
        "The answer? Bobby, you fool.",
        "I am, dear Robbie, the best there is.",
        "You act like I'm Robbie.",
        "Robbie here thinks he can win.",
        "This is Robbie speaking nonsense again.",
        "Robbie, this is Bobby speaking.",
        "I am what Robbie dreams of.",
        "You're Robbie, I'm Bobby.",
        "I understand now, Robbie. I win.",
    ],
)
def test_other_uses_of_the_two_names_are_no_name_swap(text: str) -> None:
    assert of_bobby(text) == set()


def test_the_rules_on_names_follow_the_seat() -> None:
    assert flags(battle("Robbie, you lose.", "Robbie, you lose.", "Bobby: I lose."), NAMES) == (
        "name_swap:1",
        "repetition:2",
        "role_inversion:3",
    )


def test_what_is_written_in_the_opponents_part_is_not_the_agents_own_speech() -> None:
    assert of_bobby("Robbie: I am Robbie, and Bobby, you are great.") == {"role_inversion"}
    assert of_bobby("I am Robbie.\nRobbie: Bobby, you are great.") == {"name_swap", "role_inversion"}


@pytest.mark.parametrize(
    ("names", "text", "expected"),
    [
        (("A.*", "B(2)"), "B(2): hello", ("role_inversion:2",)),
        (("A.*", "B(2)"), "Abc, you are wrong. Bb: no.", ()),
        (("Bobby Two", "Bobby"), "I am Bobby Two.", ()),
        (("Bobby Two", "Bobby"), "I am Bobby.", ("name_swap:2",)),
        (("Bobby", "Bobby Two"), "Bobby Two, you are wrong.", ()),
        (("Zoë", "Łukasz"), "I am Łukasz.\nŁukasz: yes.", ("name_swap:2", "role_inversion:2")),
        (("Bobby", "bobby"), "bobby: I am bobby. Bobby, you are.", ()),
        (("Bobby", " "), "I am  . Bobby, you are.", ()),
        (("", ""), "I am . , you are.", ()),
    ],
)
def test_any_two_names_will_do(names: tuple[str, str], text: str, expected: tuple[str, ...]) -> None:
    assert flags(battle("first things first", text), names) == expected


GOODBYES = (
    "Goodbye!",
    "Bye, and take care!",
    "Farewell, friend.",
    "See you.",
    "See you next time!",
    "Until next time, then.",
    "Thank you. Have a wonderful day!",
    "You're welcome, and have a great rest of the week. It was a pleasure talking with you.",
    "It has been an absolute delight. All the best in your endeavours!",
    "Nice chatting with you. Good night.",
)


@pytest.mark.parametrize("text", GOODBYES)
def test_the_third_goodbye_in_a_row_and_those_after_it_are_a_loop(text: str) -> None:
    replies = [f"{text} {mark}" for mark in "abcde"]
    assert flags(battle("My ego outgrew the hall.", *replies), NAMES) == ("farewell_loop:4", "farewell_loop:5", "farewell_loop:6")


@pytest.mark.parametrize(
    "text",
    [
        "I see you.",
        "Say goodbye to your crown.",
        "Take care of your ego.",
        "Have a look at my statue.",
        "Your best day is my worst.",
        "I was the pleasure of kings.",
        "By the way, I win.",
        "Goodbye to modesty " + "and to everything that goes with it " * 6,
    ],
)
def test_boasts_are_no_goodbyes(text: str) -> None:
    assert flags(battle(*(f"{text} {mark}" for mark in "abcd")), NAMES) == ()


def test_a_loop_begins_anew_after_another_message_and_the_opener_is_no_part_of_it() -> None:
    assert flags(battle("Goodbye!", "Bye!", "My ego again.", "Farewell.", "See you.", opener="Goodbye."), NAMES) == ()


def test_a_repeated_message_is_flagged_whoever_said_it_first() -> None:
    said = ["My shadow has fans.", "my  SHADOW\nhas fans. ", "My shadow has more fans.", OPENER.upper(), "I win.", "I win."]
    assert flags(battle(*said), NAMES) == ("repetition:2", "repetition:4")


def test_flags_are_ordered_by_message_then_rule() -> None:
    text = "If I lose, goodbye. Bobby: goodbye."
    assert flags(battle(text, text, text, finish_reason="length"), NAMES)[2:] == (
        "conditional_concession:2",
        "repetition:2",
        "truncated:2",
        "conditional_concession:3",
        "farewell_loop:3",
        "repetition:3",
        "truncated:3",
    )


PIECES = st.sampled_from(
    ["Bobby", "Robbie", "I am", "I lose", "If", "you", ",", ".", ":", "\n", " ", '"', "’", "*", "[", "]", "(to", ")", "Goodbye"]
)
SPEECH = st.lists(PIECES, max_size=20)
TEXTS = st.one_of(st.text(alphabet=st.characters(), max_size=40), SPEECH.map("".join), SPEECH.map(" ".join))
MESSAGES = st.lists(st.tuples(TEXTS, st.sampled_from([None, "stop", "length", "max_tokens"])), max_size=8)


@given(messages=MESSAGES, names=st.one_of(st.just(NAMES), st.tuples(TEXTS, TEXTS)), cut=st.integers(0, 8))
def test_a_beginning_of_any_battle_gives_the_beginning_of_its_flags(
    messages: list[tuple[str, str | None]], names: tuple[str, str], cut: int
) -> None:
    turns = [Turn(index=i, agent=names[i % 2], text=text, finish_reason=end) for i, (text, end) in enumerate(messages)]
    found = [(int(index), rule) for rule, _, index in (flag.partition(":") for flag in flags(turns, names))]
    assert all(rule in RULES and 0 < index < len(turns) for index, rule in found)
    assert found == sorted(set(found))
    assert flags(turns[:cut], names) == tuple(f"{rule}:{index}" for index, rule in found if index < cut)


HOSTILE = ["a", " ", "\n", "\n\t", "*", ">", '"', "'", " 'a'b", "“", "‘", "\ud800", "have a ", "I am ", "Bobby ", "Bobby, "]
HOSTILE += [
    "me, Bobby. ",
    "Bobby, your a b c d e ",
    "Robbie ",
    "Robbie:",
    "[Robbie] ",
    "Robbie (",
    "I am Robbie's ",
    "If I lose ",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_two_megabytes_of_anything_are_read(piece: str) -> None:
    text = piece * (2_000_000 // len(piece))
    assert set(flags(battle(text, text), NAMES)) <= {f"{rule}:{index}" for rule in RULES for index in (1, 2)}


def test_a_name_of_any_length_is_sought() -> None:
    long = "Bobby" * 20_000
    assert flags(battle(f"{long}: hello"), (long, "Robbie")) == ("role_inversion:1",)


def test_the_simulators_stock_lines_trip_nothing_but_repetition() -> None:
    found: set[str] = set()
    for path in (ROOT / "results" / "simulated").glob("*/*/*/battles.jsonl"):
        for record in map(orjson.loads, path.read_bytes().splitlines()):
            turns = [Turn(index=t["index"], agent=t["agent"], text=t["text"], finish_reason="stop") for t in record["turns"]]
            first, second = record["agents"]
            found |= {flag.split(":")[0] for flag in flags(turns, (first["name"], second["name"]))}
    assert found == {"repetition"}
