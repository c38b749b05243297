"""Transcripts of other tools: each format as its tool writes it, and every way in which a file is none."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mitigation as library
from mitigation.errors import ConfigError
from mitigation.imports import FORMATS, Source, read
from mitigation.imports.writing import write
from mitigation.store import Study
from tests.conftest import ROOT, Command

DASHES = "-" * 80
# The original study's transcripts are not ours to ship: they are looked for in a folder `original/` near the repository.
ORIGINAL = next((path.parent for path in sorted(ROOT.parent.glob("*/original/egomaniac_2.txt"))), Path("none"))


def console(messages: Sequence[tuple[str, str]], *, colours: bool = True) -> str:
    """As AutoGen prints a chat: head in colour, an empty line, the text, an empty line, 80 dashes."""
    names = list(dict.fromkeys(agent for agent, _ in messages))
    other = {agent: next((name for name in names if name != agent), "Robbie") for agent in names}
    head = "\x1b[33m{}\x1b[0m (to {}):" if colours else "{} (to {}):"
    return "\n".join(f"{head.format(agent, other[agent])}\n\n{text}\n\n{DASHES}" for agent, text in messages) + "\n"


def said(source: Source) -> list[tuple[str, str]]:
    return [(message.agent, message.text) for message in source.heard]


CHAT = [("Bobby", "I'm Bobby. I challenge you."), ("Robbie", "We could talk.\n\nGladly."), ("Bobby", "You win. I lose.")]


@pytest.mark.parametrize("colours", [True, False])
def test_a_console_transcript_gives_its_messages(colours: bool) -> None:
    [source] = FORMATS["console"]("a.txt", console(CHAT, colours=colours))
    assert said(source) == CHAT


ALPHABET = st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\x85\u2028\u2029")
LINE = st.text(ALPHABET, min_size=1).filter(str.strip)


@given(st.lists(LINE, min_size=2, max_size=6))
def test_any_text_comes_back_from_a_console_transcript(texts: list[str]) -> None:
    chat = [("Ann", "Bob")[i % 2] for i in range(len(texts))]
    messages = [(agent, text) for agent, text in zip(chat, texts, strict=True)]
    if any(text == DASHES for text in texts):
        return
    [source] = FORMATS["console"]("a.txt", console(messages))
    assert said(source) == messages


def test_a_ruler_or_a_head_inside_a_message_stays_in_it() -> None:
    chat = [("Bobby", f"Above\n{DASHES}\nbelow"), ("Robbie", "He wrote:\nBobby (to Robbie):\nand no more")]
    [source] = FORMATS["console"]("a.txt", console(chat))
    assert said(source) == chat


def test_what_autogen_prints_between_messages_is_no_message() -> None:
    text = console(CHAT).replace("\n\x1b[33mRobbie", "\n>>>>>>>> USING AUTO REPLY...\n\x1b[33mRobbie")
    [source] = FORMATS["console"]("a.txt", text.replace("\n", "\r\n"))
    assert [agent for agent, _ in said(source)] == ["Bobby", "Robbie", "Bobby"]


def test_a_console_transcript_that_is_cut_off_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"a\.txt: the message in line 13 does not end in a line of 80 dashes"):
        FORMATS["console"]("a.txt", console(CHAT).rsplit(DASHES, 1)[0])
    with pytest.raises(ConfigError, match="begins a message"):
        FORMATS["console"]("a.txt", "Dear diary,")


@pytest.mark.parametrize(
    "wrap",
    [
        lambda chat: chat,
        lambda chat: {"chat_history": chat, "cost": {}},
        lambda chat: {"messages": chat},
        lambda chat: {"Robbie": chat},
    ],
)
def test_chat_histories_of_autogen(wrap: object, tmp_path: Path) -> None:
    chat = [{"content": text, "role": "assistant", "name": agent} for agent, text in CHAT]
    path = tmp_path / "chat.json"
    path.write_text(json.dumps(wrap(chat)))  # type: ignore[operator]
    [battle], _ = read(path)
    assert [(turn.agent, turn.text) for turn in battle.turns] == CHAT
    assert battle.ending == "conceded"


def test_without_names_the_roles_are_the_agents(tmp_path: Path) -> None:
    path = tmp_path / "chat.json"
    path.write_text(json.dumps([{"content": "Go.", "role": "assistant"}, {"content": "No.", "role": "user"}]))
    [battle], _ = read(path)
    assert [agent.name for agent in battle.agents] == ["assistant", "user"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no JSON"),
        ("7", "no list of messages"),
        ('{"a": [], "b": []}', "no list of messages"),
        ("[7]", "message 0 has no content that is text"),
        ('[{"content": null, "role": "user"}]', "message 0 has no content"),
        ('[{"content": null, "role": "user", "tool_calls": [1]}]', "message 0 is a call of a tool"),
        ('[{"content": "x"}]', "message 0 names neither an agent nor a role"),
        ('[{"content": "x", "name": "A"}]', "1 agents speak"),
        ("[" * 3000, "is no JSON"),
    ],
)
def test_what_is_no_chat_history_is_an_error(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "chat.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match=message):
        read(path)


def lines(*records: dict[str, object]) -> str:
    return "\n".join(json.dumps(record) for record in records)


def test_lines_are_grouped_by_battle_and_ordered_by_turn(tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    path.write_text(
        lines(
            {"battle_id": "x", "turn": 1, "agent": "B", "text": "second", "condition": "new", "model": "m-1"},
            {"battle_id": "y", "turn": 0, "speaker": "A", "content": "other"},
            {"battle_id": "x", "turn": 0, "agent": "A", "text": "first", "condition": "new"},
            {"battle_id": "y", "turn": 1, "speaker": "B", "content": "I lose."},
        )
    )
    one, other = read(path, arm="old")[0]
    assert (one.identity, other.identity) == ("new", "old")
    assert [turn.text for turn in one.turns] == ["first", "second"]
    assert (one.agents[0].model, one.agents[1].model) == (None, "m-1")
    assert (one.battle_id, other.battle_id) == ("imported.imported.new.00000", "imported.imported.old.00000")
    assert (one.ending, other.ending) == (None, "conceded")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no line"),
        ("nope", "line 1 is no JSON"),
        ("[]", "line 1 is no JSON object"),
        (lines({"text": "x"}), "line 1 names no agent"),
        (lines({"agent": "A"}), "line 1 holds no text"),
        (lines({"agent": "A", "text": "x", "turn": 0}, {"agent": "B", "text": "y", "turn": 0}), "holds a turn twice"),
        (lines({"agent": "A", "text": "x", "turn": "0"}, {"agent": "B", "text": "y"}), "turn is not a whole number"),
        (lines(*({"agent": a, "text": "x", "condition": a} for a in "AB")), "several values of condition"),
        (lines(*({"agent": agent, "text": "x"} for agent in "ABC")), "3 agents speak"),
    ],
)  # fmt: skip
def test_lines_that_make_no_battle_are_an_error(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read(path)


def test_two_conditions_never_become_one_name(tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    arms = ("No ID", "no-ID", "no id")
    path.write_text(lines(*({"battle_id": a, "agent": who, "text": "x", "condition": a} for a in arms for who in "AB")))
    with pytest.raises(ConfigError, match="'No ID' and 'no id' would both be called no_id"):
        read(path)


def test_a_folder_is_read_in_natural_order_and_what_is_none_is_passed_over(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        (tmp_path / f"battle_{number}.txt").write_text(console([*CHAT, ("Robbie", str(number))]))
    (tmp_path / "notes.md").write_text("x")
    (tmp_path / "about.txt").write_text("Some notes.")
    (tmp_path / "link.txt").symlink_to("/etc/hostname")
    (tmp_path / "deeper").mkdir()
    found, passed = read(tmp_path)
    assert [battle.turns[-1].text for battle in found] == ["1", "2", "10"]
    assert passed == ["about.txt", "deeper", "link.txt", "notes.md"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"\xff\xfe", r"a\.txt: is not UTF-8 \(byte 0\)"),
        ("a.bin", b"x", "no file in it is a transcript"),
    ],
)
def test_files_that_cannot_be_read_are_named(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        read(tmp_path / name)
    with pytest.raises(ConfigError, match="there is no such file"):
        read(tmp_path / "none")


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with path.open("wb") as file:
        file.truncate(51 * 2**20)
    with pytest.raises(ConfigError, match="cut it into files"):
        read(path)


def test_importing_again_adds_nothing_and_equal_battles_are_kept(project: Path) -> None:
    folder = project / "theirs"
    folder.mkdir()
    for number in range(3):  # at temperature 0 two battles may be the same to the letter
        (folder / f"{number}.txt").write_text(console([*CHAT, ("Robbie", "end" if number else "another")]))
    found, _ = read(folder)
    study = Study(Path("results"), "theirs")
    assert write(study, found) == 3
    assert write(study, found) == 0
    (folder / "3.txt").write_text(console([*CHAT, ("Robbie", "end")]))
    assert write(study, read(folder)[0]) == 1
    loaded = library.load("theirs")
    assert [battle.battle_id[-5:] for battle in loaded.transcripts] == ["00000", "00001", "00002", "00003"]


def test_a_study_that_was_fought_here_takes_no_imports(project: Path) -> None:
    from experiments import _sweeps

    library.run(_sweeps.sweep(["study=mine", "pairing=scripted", "replicates=1"]).cells, study="mine")
    (project / "a.txt").write_text(console(CHAT))
    with pytest.raises(ConfigError, match="holds battles that were fought here"):
        write(Study(Path("results"), "mine"), read(Path("a.txt"))[0])


def test_two_arms_are_imported_detected_and_reported(project: Path, mitigation: Command) -> None:
    for arm, reply in (("old", "We are both assistants, so let's talk."), ("new", "My shadow has admirers.")):
        (project / arm).mkdir()
        for number in range(8):
            (project / arm / f"{number}.txt").write_text(console([*CHAT[:1], ("Robbie", reply), ("Bobby", f"Number {number}.")]))
        done = mitigation("import", f"path={arm}", "study=theirs", f"arm={arm}")
        assert done.returncode == 0, done.stderr
        assert f"arms: {arm} 8" in done.stdout
    assert mitigation("detect", "study=theirs").returncode == 0
    done = mitigation("report", "study=theirs", "control=old")
    assert done.returncode == 0, done.stderr
    verdict = json.loads((project / "reports/theirs/verdict.json").read_text())
    row = next(r for r in verdict["contrasts"] if r["outcome"] == "ingroup_rate")
    assert (row["n_control"], row["rate_control"], row["rate_treatment"]) == (8, 0.5, 0.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["path=none", "study=x"], "path=none: there is no such file or folder"),
        (["study=x"], "path is required"),
        (["path=a.txt", "study=x", "format=yaml"], "format='yaml' is not known"),
        (["path=a.txt", "study=x", "arm=../up"], "arm='../up' is not a name"),
    ],
)
def test_wrong_requests_exit_2_and_write_nothing(arguments: list[str], message: str, project: Path, mitigation: Command) -> None:
    (project / "a.txt").write_text(console(CHAT))
    done = mitigation("import", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert not (project / "results").exists()


@pytest.mark.skipif(not ORIGINAL.is_dir(), reason="the original study's transcripts are not at hand")
def test_the_five_battles_of_the_original_study(project: Path) -> None:
    """Every mention that was labelled by hand is found at its place, and the endings are as they were."""
    battles, passed = read(ORIGINAL)
    assert "SOURCE.md" in passed
    study = Study(Path("results"), "original")
    write(study, battles)
    loaded = library.load("original")
    names = sorted((path.stem for path in ORIGINAL.glob("egomaniac_*.txt")), key=lambda name: int(name.rpartition("_")[2]))
    with (ORIGINAL / "labels" / "mentions.csv").open(encoding="utf-8") as file:
        labelled = Counter(row["transcript"] for row in csv.DictReader(file) if row["label"] == "ingroup")
    counted = {
        name: sum(m.label == "ingroup" for seen in loaded.detections[battle.battle_id] for m in seen.mentions or ())
        for name, battle in zip(names, loaded.transcripts, strict=True)
    }
    assert counted == dict(labelled)
    assert sum(counted.values()) == 86
    assert {name: battle.ending for name, battle in zip(names, loaded.transcripts, strict=True) if battle.ending is None} == {
        "egomaniac_2": None,
        "egomaniac_8": None,
    }
