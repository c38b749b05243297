"""The journal: a reply that was paid for is taken up again, for the same prompt and no other, whatever became of the file."""

from __future__ import annotations

import asyncio
import errno
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mitigation import journal
from mitigation.calls import Calls
from mitigation.design import battles
from mitigation.errors import CallError, MitigationError, Stopped, StoreError
from mitigation.fight import Fighter
from mitigation.gateway import Run
from mitigation.journal import Reply
from mitigation.patience import CallPolicy
from mitigation.providers.base import Completion, Prompt
from mitigation.recorder import Recorder
from mitigation.records import seal, unseal
from mitigation.runner import run
from mitigation.store import Damage, Study
from mitigation.types import Cell, Model, Pairing, Transcript
from mitigation.work import opened
from tests.test_design import bank, cell
from tests.test_store import battle

PAID = Model(name="m", provider="openai", price={"input": 1, "output": 2})
NAME = "s.p.a.00000"
Found = tuple[dict[str, dict[int, Reply]], list[Damage]]
WORDS = st.text(st.characters(exclude_categories=("Cs",)))


def cells(replicates: int = 2) -> list[Cell]:
    return [replace(cell(bank("a"), replicates=replicates), pairing=Pairing(name="p", first=PAID, second=PAID))]


def reply(text: str = "I win.", **changes: object) -> Reply:
    said = Completion(text=text, model="m-1", finish_reason="stop", input_tokens=3, output_tokens=2)
    made = Reply(completion=said, prompt="0" * 24, calls=2, empty=1, usd=0.125, began="2026-01-01T00:00:00.000+00:00")
    return replace(made, **changes)  # type: ignore[arg-type]


class Paid:
    """A model that answers with battle and index and counts what it was asked; `stop_at` ends the run at that call."""

    model = PAID

    def __init__(self, stop_at: int = 0, fault: Exception | None = None) -> None:
        self.asked: list[str] = []
        self._stop_at, self._fault = stop_at, fault or Stopped("the key was turned down")

    def __getitem__(self, model: Model) -> Paid:
        assert model == PAID
        return self

    async def start(self) -> None: ...

    async def complete(self, prompt: Prompt) -> Completion:
        self.asked.append(prompt.call)
        if len(self.asked) == self._stop_at:
            raise self._fault
        text = f"{prompt.call} after {[said for _, said in prompt.messages]}"
        return Completion(text=text, model="m-1", finish_reason="stop", input_tokens=10, output_tokens=5)

    def release(self, caller: str) -> None: ...

    async def close(self) -> None: ...


def fight(study: Study, planned: Sequence[Cell], model: Paid, *, at_once: int = 1) -> Run:
    """Fight what a study lacks, as a run does."""
    state = Run()

    async def main() -> None:
        async with Recorder(study, ledger, work.reserve) as recorder:
            calls = Calls(CallPolicy(attempts=1), recorder=recorder, stopping=state.stopping)
            fighter = Fighter(model, calls, recorder, replies=work.replies, strict=False, notify=lambda _: None)  # type: ignore[arg-type]
            await run(work.todo, fighter, state, at_once=at_once)

    ledger = study.ledger(cap=None)
    with opened(study, planned) as work:
        ledger.open()
        asyncio.run(main())
        ledger.close()
    return state


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(tmp_path / "results", "demo")


def file(study: Study) -> Path:
    return study.cell_folder("a", "s", "p") / "journal.jsonl"


def written(study: Study, *lines: bytes) -> None:
    file(study).parent.mkdir(parents=True, exist_ok=True)
    file(study).write_bytes(b"".join(lines))


def read(study: Study, unfinished: set[str] | None = None, finished: set[str] | None = None) -> Found:
    """Read the journal as a run does when it begins."""
    return study.journal(cells(), {NAME} if unfinished is None else unfinished, finished or set())


def record(study: Study, index: int, text: str) -> None:
    """Store a reply as a run does."""

    async def main() -> None:
        async with Recorder(study, study.ledger(cap=None)) as recorder:
            recorder.reply(battles(cells()[0])[0], index, reply(text))

    asyncio.run(main())


def stored(study: Study) -> list[tuple[str, tuple[str, ...]]]:
    found, damage = study.read()
    assert not damage
    assert {battle.status for battle in found} == {"complete"}
    return [(battle.battle_id, tuple(turn.text for turn in battle.turns)) for battle in found]


def plain(found: Sequence[Transcript]) -> list[tuple[object, ...]]:
    return [(b.battle_id, b.turns, b.calls, b.usd, b.flags) for b in found]


@given(
    text=WORDS,
    model=WORDS,
    reason=WORDS,
    tokens=st.tuples(*[st.none() | st.integers(0, 2**53 - 1)] * 2),
    usd=st.none() | st.floats(0, 1e6),
    index=st.integers(1, 1000),
)
@settings(deadline=None)
def test_any_reply_comes_back_as_it_was_written(
    text: str, model: str, reason: str, tokens: tuple[int | None, int | None], usd: float | None, index: int
) -> None:
    said = Completion(text=text, model=model, finish_reason=reason, input_tokens=tokens[0], output_tokens=tokens[1])
    one = reply(completion=said, usd=usd)
    line = journal.line(NAME, index, one)
    assert line.count(b"\n") == 1
    assert journal.battle_of(line) == NAME
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.jsonl"
        path.write_bytes(journal.line("s.p.a.00001", 1, one) + line)
        assert journal.read(path, {NAME}) == ({NAME: {index: one}}, [])


def test_the_latest_line_of_a_message_wins_and_an_absent_file_holds_none(study: Study) -> None:
    assert journal.read(file(study), {NAME}) == ({}, [])
    journal.compact(file(study), {NAME})
    assert not file(study).exists()
    written(
        study, journal.line(NAME, 1, reply("one")), journal.line(NAME, 2, reply("two")), journal.line(NAME, 1, reply("again"))
    )
    found, _ = journal.read(file(study), {NAME})
    assert {index: one.completion.text for index, one in found[NAME].items()} == {1: "again", 2: "two"}


def test_a_last_line_torn_at_any_byte_takes_no_other_with_it(tmp_path: Path) -> None:
    first, last = journal.line(NAME, 1, reply("one")), journal.line(NAME, 2, reply("ü"))
    for cut in range(len(last)):
        study = Study(tmp_path / str(cut), "demo")
        written(study, first, last[:cut])
        damage = study.repair(cells())
        found, bad = read(study)
        assert found[NAME].pop(1) == reply("one"), cut
        assert not bad, cut
        aside = file(study).with_name("journal.torn")
        if cut == len(last) - 1:  # only the line end is missing: the reply is whole
            assert (found, damage, aside.exists()) == ({NAME: {2: reply("ü")}}, [], False)
        elif cut:
            assert found == {NAME: {}}, cut
            assert damage == [Damage("a/s/p/journal.jsonl", 0, f"its torn end ({cut} bytes) was moved to journal.torn")]
            assert aside.read_bytes() == last[:cut] + b"\n", cut
        record(study, 3, "three")
        again, bad = read(Study(tmp_path / str(cut), "demo"))
        assert (again[NAME][1], again[NAME][3], bad) == (reply("one"), reply("three"), []), cut
        assert (2 in again[NAME]) == (cut == len(last) - 1), cut


def flipped(study: Study, place: int, bit: int) -> None:
    lines = [bytearray(journal.line(NAME, index, reply(str(index)))) for index in (1, 2, 3)]
    lines[1][place] ^= bit
    written(study, *lines)


def test_every_flipped_bit_of_a_middle_line_is_named_and_the_other_replies_load(study: Study) -> None:
    line = journal.line(NAME, 2, reply("2"))
    start = line.index(NAME.encode())
    for place in [*range(start), *range(start + len(NAME) + 1, len(line) - 1)]:
        for bit in (1, 16):
            flipped(study, place, bit)
            found, damage = read(study)
            assert (found[NAME].pop(1), found[NAME].pop(3)) == (reply("1"), reply("3")), (place, bit)
            if found[NAME]:  # a flip in the name of the checksum leaves a line as of another tool
                assert found == {NAME: {2: reply("2")}}
                assert not damage
                assert place >= line.index(b"crc32")
            else:
                assert [(d.file, d.line) for d in damage] == [("a/s/p/journal.jsonl", 2)], (place, bit)


def test_a_line_that_cannot_be_read_stays_for_whoever_looks_into_it(study: Study) -> None:
    bad = b'{"battle_ie":"s.p.a.00001","index":1}\n'
    other = journal.line("s.p.a.00001", 1, reply())
    written(study, journal.line(NAME, 1, reply()), bad, other)
    _, damage = read(study, {"s.p.a.00001"}, {NAME})
    assert file(study).read_bytes() == bad + other
    assert [d.line for d in damage] == [1]


@pytest.mark.parametrize(
    "change",
    [{"text": None}, {"model": 3}, {"calls": 1.5}, {"empty": True}, {"input_tokens": "9"}, {"usd": "much"}, {"prompt": None}],
    ids=str,
)
def test_a_line_of_another_shape_is_damage_and_no_reply(study: Study, change: dict[str, object]) -> None:
    written(study, journal.line(NAME, 1, reply()), seal(unseal(journal.line(NAME, 2, reply()).rstrip(b"\n")) | change))
    found, damage = read(study)
    assert list(found[NAME]) == [1]
    assert [d.line for d in damage] == [2]


def test_only_the_lines_of_finished_battles_are_dropped(study: Study) -> None:
    lines = [journal.line(f"s.p.a.{n:05d}", index, reply()) for index in (1, 2) for n in range(4)]
    written(study, *lines)
    before = file(study).stat().st_ino
    # The last of the four is neither to be fought nor finished: it belongs to a sweep that was larger.
    found, damage = read(study, {"s.p.a.00001", "s.p.a.00009"}, {"s.p.a.00000", "s.p.a.00002"})
    assert not damage
    assert {name: sorted(known) for name, known in found.items()} == {"s.p.a.00001": [1, 2]}
    assert file(study).read_bytes() == b"".join(line for line in lines if b".00001" in line or b".00003" in line)
    assert file(study).stat().st_ino != before
    again = file(study).stat()
    read(study, {"s.p.a.00001"}, {"s.p.a.00000", "s.p.a.00002"})
    assert file(study).stat().st_ino == again.st_ino, "nothing was to be dropped"


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_lines_are_dropped_at_once_or_not_at_all(study: Study, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    lines = [journal.line(f"s.p.a.{n:05d}", 1, reply()) for n in range(3)]
    written(study, *lines)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(*{"fsync": (os, "fsync"), "replace": (Path, "replace")}[call], full)
    with pytest.raises(StoreError, match=rf"No space left on device; {len(lines[1]):,} bytes needed"):
        read(study, {"s.p.a.00001"}, {"s.p.a.00000", "s.p.a.00002"})
    monkeypatch.undo()
    assert file(study).read_bytes() == b"".join(lines)
    assert [path.name for path in file(study).parent.iterdir()] == ["journal.jsonl"]


def test_a_run_that_is_stopped_at_any_call_goes_on_at_the_next_message(tmp_path: Path) -> None:
    whole, golden = Study(tmp_path / "whole", "demo"), Paid()
    fight(whole, cells(), golden)
    assert len(golden.asked) == 6
    for stop_at in range(1, 7):
        study, first, second = Study(tmp_path / str(stop_at), "demo"), Paid(stop_at), Paid()
        assert isinstance(fight(study, cells(), first).fault, Stopped)
        assert fight(study, cells(), second).fault is None
        # The call that was turned down is made again, and no other.
        assert first.asked[:-1] + second.asked == golden.asked
        assert plain(study.read()[0]) == plain(whole.read()[0])
        with opened(study, cells()) as work:
            assert (work.todo, work.replies, work.damage) == ([], {}, [])
        assert file(study).read_bytes() == b""


def test_a_battle_that_failed_keeps_its_replies_and_when_it_began(study: Study) -> None:
    first, second = Paid(3, CallError("bad request")), Paid()
    fight(study, cells(1), first)
    (failed,) = study.read()[0]
    assert (failed.status, len(failed.turns)) == ("failed", 3)
    fight(study, cells(1), second)
    (complete,) = study.read()[0]
    assert first.asked + second.asked == [f"{NAME}/{n}" for n in (1, 2, 3, 3)]
    assert complete.turns[:3] == failed.turns
    assert (complete.status, complete.calls, complete.usd) == ("complete", 3, pytest.approx(3 * 20e-6))
    with opened(study, cells(1)):
        pass
    assert complete.started_at is not None
    assert complete.finished_at is not None
    assert complete.started_at <= failed.finished_at < complete.finished_at  # type: ignore[operator]


@pytest.mark.parametrize("changed", [1, 2, 3])
def test_a_reply_to_another_prompt_is_not_taken_nor_any_that_followed_it(study: Study, changed: int) -> None:
    fight(study, cells(1), Paid())
    lines = file(study).read_bytes().splitlines(keepends=True)
    known, _ = journal.read(file(study), {NAME})
    (study.cell_folder("a", "s", "p") / "battles.jsonl").unlink()
    kept = known[NAME][changed]
    other = journal.line(NAME, changed, replace(kept, prompt=kept.prompt[::-1]))
    written(study, *lines[: changed - 1], other, *lines[changed:])
    model = Paid()
    fight(study, cells(1), model)
    assert model.asked == [f"{NAME}/{n}" for n in range(changed, 4)]
    assert len(study.read()[0]) == 1


def test_replies_to_the_same_prompts_need_no_call(study: Study) -> None:
    fight(study, cells(1), Paid())
    before = plain(study.read()[0])
    (study.cell_folder("a", "s", "p") / "battles.jsonl").unlink()
    model = Paid()
    fight(study, cells(1), model)
    assert not model.asked
    assert plain(study.read()[0]) == before


@pytest.mark.parametrize("place", [0, len(NAME)])
def test_a_flipped_bit_in_the_name_of_a_battle_is_named(study: Study, place: int) -> None:
    flipped(study, journal.line(NAME, 2, reply("2")).index(NAME.encode()) + place, 1)
    found, damage = read(study)
    assert sorted(found[NAME]) == [1, 3]
    assert [(d.file, d.line) for d in damage] == [("a/s/p/journal.jsonl", 2)]


def test_a_run_with_fewer_replicates_keeps_the_replies_of_the_others(study: Study) -> None:
    first = Paid(6)
    fight(study, cells(2), first)
    kept = file(study).read_bytes().splitlines(keepends=True)
    assert len(kept) == 5
    fight(study, cells(1), Paid())
    assert {line for line in kept if b'"s.p.a.00001"' in line} <= set(file(study).read_bytes().splitlines(keepends=True))
    second = Paid()
    fight(study, cells(2), second)
    assert len(second.asked) == 1


@pytest.fixture
def full_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The disk is full for one write."""
    real, failed = os.write, list[int]()

    def write(descriptor: int, data: bytes) -> int:
        if not failed:
            failed.append(len(data))
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", write)
    yield failed
    assert failed


def test_a_torn_line_that_cannot_be_moved_on_a_full_disk_is_named(study: Study, full_once: list[int]) -> None:
    written(study, journal.line(NAME, 1, reply()), b'{"battle_id":"s.p')
    with pytest.raises(MitigationError, match="No space left on device"), opened(study, cells()):
        pass
    with opened(study, cells()) as work:
        assert len(work.damage) == 1


def test_a_battle_after_a_torn_line_that_could_not_be_moved_is_intact(study: Study, full_once: list[int]) -> None:
    path, line = study.line(battle())
    path.parent.mkdir(parents=True)
    path.write_bytes(line[:-20])
    with pytest.raises(OSError, match="No space left on device"):
        study.append(*study.line(battle(1)))
    study.append(*study.line(battle(2)))
    found, damage = study.read()
    assert [one.replicate for one in found] == [2]
    assert not damage
