"""The ledger: the cap holds whatever happens, and what cannot be known counts as paid."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mitigation.calls import Calls
from mitigation.errors import BudgetReached, ConfigError
from mitigation.ledger import Close, Ledger, Try
from mitigation.patience import CallPolicy
from mitigation.preflight import preflight
from mitigation.prices import at_most, price
from mitigation.providers.base import Completion, Prompt
from mitigation.recorder import Recorder
from mitigation.records import seal
from mitigation.store import Study
from mitigation.types import Model
from tests.conftest import child_environment

# A batch of one process: what it tries at which price, or which of its open attempts it closes at which share of the most.
STEPS = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.lists(
            st.tuples(st.just("try"), st.floats(0, 0.6)) | st.tuples(st.just("close"), st.none() | st.floats(0, 1)),
            min_size=1,
            max_size=4,
        ),
    ),
    max_size=14,
)


@contextmanager
def opened(path: Path, *, cap: float | None = 1.0, owner: str = "one", shared: bool = False) -> Iterator[Ledger]:
    ledger = Ledger(path, cap=cap, owner=owner, shared=shared)
    ledger.open()
    try:
        yield ledger
    finally:
        ledger.close()


def numbers(ledger: Ledger) -> tuple[int, float, int, int, int]:
    totals = ledger.totals
    return totals.calls, totals.usd, totals.unpriced, len(totals.open), totals.damaged


@given(steps=STEPS)
@settings(deadline=None, max_examples=150)
def test_two_processes_never_take_more_than_the_cap(steps: list[tuple[int, list[tuple[str, float | None]]]]) -> None:
    closed, most, taken = 0.0, dict[tuple[int, str], float](), 0
    with (
        mock.patch("os.fsync"),
        tempfile.TemporaryDirectory() as folder,
        opened(Path(folder) / "l", owner="0", shared=True) as first,
        opened(Path(folder) / "l", owner="1", shared=True) as second,
    ):
        for number, (who, batch) in enumerate(steps):
            left = 1.0 - closed - sum(most.values())
            entries, expected, seen = list[Try | Close](), list[str](), dict[tuple[int, str], float]()
            for place, (kind, dollars) in enumerate(batch):
                mine = next((key for key in most if key[0] == who and key not in seen), None)
                if kind == "try":
                    assert dollars is not None
                    entries.append(Try(f"{number}/{place}", 1, dollars))
                    expected.append("yes" if dollars <= left - 1e-9 else "no" if dollars > left + 1e-9 else "either")
                    left -= dollars if dollars <= left else 0.0
                elif mine is not None:
                    # What it did not need is there for whoever comes after it in the same batch.
                    seen[mine] = most[mine] if dollars is None else dollars * most[mine]
                    left += most[mine] - seen[mine]
                    entries.append(Close(mine[1], 1, None if dollars is None else seen[mine], "reply"))
                    expected.append("yes")
            answers = (first, second)[who].commit(entries)
            for key, spent in seen.items():
                closed += spent
                del most[key]
            for entry, answer in zip(entries, answers, strict=True):
                if isinstance(entry, Try) and answer == "yes":
                    assert entry.usd is not None
                    most[who, entry.call] = entry.usd
                    taken += 1
            assert closed + sum(most.values()) <= 1.0 + 1e-9
            no = "later" if most else "never"
            for answer, wanted in zip(answers, expected, strict=True):
                assert answer in {"yes": ("yes",), "no": (no,), "either": ("yes", no)}[wanted]
            told = (first, second)[who].totals
            assert told.usd == pytest.approx(closed + sum(most.values()), abs=1e-9)
            assert {(int(owner), call) for call, _, owner in told.open} == set(most)
        with opened(Path(folder) / "l", owner="2") as again:
            assert again.totals.calls == taken
            assert again.totals.usd == pytest.approx(closed + sum(most.values()), abs=1e-9)
            assert sum(again.totals.open.values()) == pytest.approx(sum(most.values()), abs=1e-9)
            assert again.totals.damaged == 0


def test_two_real_processes_share_a_cap_to_the_last_attempt(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom mitigation.ledger import Ledger, Try\n"
        "ledger = Ledger(Path(sys.argv[1]), cap=1.0, owner=sys.argv[2], shared=True)\nledger.open()\nsys.stdin.readline()\n"
        "taken = 0\nwhile ledger.commit([Try(f'b/{taken}', 1, 1 / 64)]) == ['yes']:\n    taken += 1\nprint(taken)"
    )
    children = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "l"), owner],
            env=child_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for owner in ("one", "two")
    ]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    taken = [int(child.communicate(timeout=60)[0]) for child in children]
    assert sum(taken) == 64
    with opened(tmp_path / "l") as ledger:
        assert numbers(ledger) == (64, 1.0, 0, 64, 0)


def test_an_attempt_gets_yes_while_there_is_room_later_while_some_may_come_back_and_never_after_that(tmp_path: Path) -> None:
    with opened(tmp_path / "l") as ledger:
        assert ledger.commit([Try("b/1", 1, 0.75), Try("b/2", 1, 0.5), Try("b/3", 1, 0.25)]) == ["yes", "later", "yes"]
        assert ledger.left == 0.0
        assert ledger.commit([Close("b/1", 1, 0.5, "reply")]) == ["yes"]
        assert ledger.commit([Try("b/2", 1, 0.5)]) == ["later"]
        assert ledger.commit([Close("b/3", 1, 0.25, "reply")]) == ["yes"]
        assert ledger.commit([Try("b/2", 1, 0.5)]) == ["never"]
        assert ledger.commit([Try("b/2", 1, 0.25)]) == ["yes"]
        assert numbers(ledger) == (3, 1.0, 0, 1, 0)


def test_an_attempt_that_was_refused_leaves_no_line(tmp_path: Path) -> None:
    with opened(tmp_path / "l", cap=0.5) as ledger:
        assert ledger.commit([Try("b/1", 1, 0.6)]) == ["never"]
        assert (tmp_path / "l").read_bytes() == b""
        assert ledger.commit([]) == []


def test_an_attempt_of_unknown_cost_when_it_ends_counts_as_the_most(tmp_path: Path) -> None:
    with opened(tmp_path / "l") as ledger:
        ledger.commit([Try("b/1", 1, 0.5), Try("b/2", 1, 0.25)])
        ledger.commit([Close("b/1", 1, None, "lost"), Close("b/2", 1, 0.0, "turned down"), Close("b/9", 1, 5.0, "nobody's")])
        assert numbers(ledger) == (2, 0.5, 0, 0, 0)
        ledger.commit([Close("b/1", 1, 0.1, "twice")])
        assert ledger.totals.usd == 0.5


def test_an_unknown_price_is_refused_under_a_cap_and_counted_without_one(tmp_path: Path) -> None:
    with opened(tmp_path / "capped") as ledger:
        assert ledger.commit([Try("b/1", 1, None)]) == ["never"]
        assert numbers(ledger) == (0, 0.0, 0, 0, 0)
    with opened(tmp_path / "free", cap=None) as ledger:
        assert ledger.commit([Try("b/1", 1, None), Try("b/2", 1, 1e9)]) == ["yes", "yes"]
        ledger.commit([Close("b/1", 1, None, "reply")])
        assert numbers(ledger) == (2, 1e9, 1, 1, 0)
        assert ledger.left == float("inf")


@pytest.mark.parametrize("last", [Try("b/2", 1, 0.25), Close("b/1", 1, 0.125, "reply")], ids=["attempt", "end"])
def test_a_last_line_torn_at_any_byte_takes_no_other_with_it(tmp_path: Path, last: Try | Close) -> None:
    whole = tmp_path / "whole"
    with opened(whole) as ledger:
        ledger.commit([Try("b/0", 1, 0.25), Close("b/0", 1, 0.125, "reply"), Try("b/1", 1, 0.25)])
        start = whole.stat().st_size
        before = numbers(ledger)
        ledger.commit([last])
        after = numbers(ledger)
    assert before == (2, 0.375, 0, 1, 0)
    assert after == ((3, 0.625, 0, 2, 0) if isinstance(last, Try) else (2, 0.25, 0, 0, 0))
    data = whole.read_bytes()
    for cut in range(start, len(data)):
        torn = tmp_path / f"torn-{cut}"
        torn.write_bytes(data[:cut])
        # Only the line end is missing: the line is whole. Nothing of it is there: nothing is damaged.
        expected = after if cut == len(data) - 1 else (*before[:4], int(cut > start))
        with opened(torn, owner="two") as ledger:
            assert numbers(ledger) == expected, cut
            assert ledger.commit([Try("b/3", 1, 0.25)]) == ["yes"], cut
            assert numbers(ledger) == (expected[0] + 1, expected[1] + 0.25, 0, expected[3] + 1, expected[4]), cut
        with opened(torn, owner="three") as again:
            assert numbers(again) == numbers(ledger), cut
            assert ("b/3", 1, "two") in again.totals.open, cut


def test_a_torn_end_that_another_process_leaves_does_not_spoil_the_next_line(tmp_path: Path) -> None:
    with opened(tmp_path / "l", shared=True) as ledger:
        ledger.commit([Try("b/1", 1, 0.25)])
        with (tmp_path / "l").open("ab") as file:
            file.write(b'{"call":"b/2","n":1,"by":"dead"')
        assert ledger.commit([Try("b/3", 1, 0.25)]) == ["yes"]
        assert numbers(ledger) == (2, 0.5, 0, 2, 1)


def test_every_flipped_bit_of_a_middle_line_is_counted_or_harmless(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    with opened(whole) as ledger:
        ledger.commit([Try("b/1", 1, 0.25)])
        start = whole.stat().st_size
        ledger.commit([Try("b/2", 1, 0.25)])
        end = whole.stat().st_size
        ledger.commit([Try("b/3", 1, 0.5)])
        intact = numbers(ledger)
    data = whole.read_bytes()
    named = 0
    for place in range(start, end - 1):
        for bit in (1, 16):
            bad = bytearray(data)
            bad[place] ^= bit
            path = tmp_path / "bad"
            path.write_bytes(bad)
            with opened(path) as ledger:
                # A flip in the name of the checksum leaves the rest of the line to be read as one of another tool.
                assert numbers(ledger) in (intact, (2, 0.75, 0, 2, 1)), (place, bit)
                named += ledger.totals.damaged
                assert {call for call, _, _ in ledger.totals.open} >= {"b/1", "b/3"}
    assert named > 1.8 * (end - start)


@pytest.mark.parametrize(
    "line", [b"", b"3", b"[]", b"null", b'{"call":"b/2"}', b"\xff\xfe", b'{"call":"b/2","n":1,"by":"x"}', b"\x00" * 30]
)
def test_a_line_of_another_shape_is_damage_and_no_attempt(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "l").write_bytes(seal({"call": "b/1", "n": 1, "by": "x", "usd": 0.5, "at": 0}) + line + b"\n")
    with opened(tmp_path / "l") as ledger:
        assert numbers(ledger) == (1, 0.5, 0, 1, int(bool(line)))
        assert ledger.commit([Try("b/3", 1, 0.5)]) == ["yes"]


def test_open_attempts_of_a_killed_process_count_in_full_and_are_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom mitigation.ledger import Close, Ledger, Try\n"
        "ledger = Ledger(Path(sys.argv[1]), cap=1.0, owner='dead')\nledger.open()\n"
        "ledger.commit([Try('b/1', 1, 0.5), Try('b/2', 1, 0.25)])\nledger.commit([Close('b/1', 1, 0.125, 'reply')])\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "l")], env=child_environment(), timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    with opened(tmp_path / "l") as ledger:
        assert numbers(ledger) == (2, 0.375, 0, 1, 0)
        assert ledger.commit([Try("b/3", 1, 0.75)]) == ["never"]
        assert ledger.commit([Try("b/3", 1, 0.625)]) == ["yes"]
    with opened(tmp_path / "l", owner="two", shared=True) as ledger:
        # A process that may be alive is waited for, until it has written nothing for long enough.
        assert ledger.commit([Try("b/4", 1, 0.5)]) == ["later"]
        monkeypatch.setattr("mitigation.ledger.OTHERS_SECONDS", -1.0)
        assert ledger.commit([Try("b/4", 1, 0.5)]) == ["never"]


@pytest.mark.parametrize("taken", [0.0, 0.5])
def test_a_disk_that_takes_no_more_counts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: float) -> None:
    real = os.write

    def full(descriptor: int, data: bytes) -> int:
        if not taken:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, data[: int(len(data) * taken)])

    with opened(tmp_path / "l") as ledger:
        ledger.commit([Try("b/1", 1, 0.25)])
        before, data = numbers(ledger), (tmp_path / "l").read_bytes()
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space left"):
            ledger.commit([Close("b/1", 1, 0.0, "reply"), Try("b/2", 1, 0.25)])
        monkeypatch.undo()
        assert numbers(ledger) == before
        assert (tmp_path / "l").read_bytes() == data
        assert ledger.commit([Try("b/2", 1, 0.75)]) == ["yes"]
        assert numbers(ledger) == (2, 1.0, 0, 2, 0)


def test_a_ledger_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "l").mkdir()
    with pytest.raises(ConfigError, match=r"l cannot be opened, locked and mended \(Is a directory\)"), opened(tmp_path / "l"):
        pass


class Paid:
    """A model whose tokens cost the same both ways, and that says how many it used."""

    def __init__(self, name: str = "paid", *, tokens: tuple[int, int] = (20, 10), usd: float = 1 / 16) -> None:
        self.model = Model(name=name, provider="openai", max_tokens=60, price={"input": usd * 1e6, "output": usd * 1e6})
        self.tokens, self.calls, self.flying, self.most = tokens, 0, 0, 0

    async def start(self) -> None: ...

    async def complete(self, prompt: Prompt) -> Completion:
        self.calls += 1
        self.flying += 1
        self.most = max(self.most, self.flying)
        await asyncio.sleep(0.001)
        self.flying -= 1
        return Completion(
            text="I win.", model="m", finish_reason="stop", input_tokens=self.tokens[0], output_tokens=self.tokens[1]
        )

    def release(self, caller: str) -> None: ...

    async def close(self) -> None: ...


async def ask_all(model: Paid, study: Study, ledger: Ledger, callers: list[str]) -> list[object]:
    async with Recorder(study, ledger) as recorder:
        calls = Calls(CallPolicy(), concurrency=64, recorder=recorder)
        prompts = [Prompt(caller=name, index=1, seat=1, system="s", messages=(("user", "go"),)) for name in callers]
        return await asyncio.gather(*(calls.ask(model, prompt) for prompt in prompts), return_exceptions=True)


def test_a_cap_that_is_reached_with_many_in_flight_is_not_passed_and_a_larger_one_goes_on(tmp_path: Path) -> None:
    study, model = Study(tmp_path, "demo"), Paid()
    study.folder.mkdir()
    most = at_most(price(model.model), model.model, Prompt(caller="b0", index=1, seat=1, system="s", messages=(("user", "go"),)))
    assert most is not None
    path = study.folder / "ledger.jsonl"
    names = [f"b{number}" for number in range(64)]
    with opened(path, cap=10 * most) as ledger:
        answers = asyncio.run(ask_all(model, study, ledger, names))
        faults = [answer for answer in answers if isinstance(answer, BaseException)]
        assert {type(fault) for fault in faults} == {BudgetReached}
        assert "is reached" in str(faults[0])
        assert model.calls == 64 - len(faults) >= 10
        # Each reply turned out cheaper than its most, and what it left was used again until no call was sure to fit.
        assert 10 * most - most < ledger.totals.usd == model.calls * 30 / 16 <= 10 * most
        assert model.most <= 10
    with opened(path, cap=64 * most, owner="two") as ledger:
        missing = [name for name, answer in zip(names, answers, strict=True) if isinstance(answer, BudgetReached)]
        assert not [a for a in asyncio.run(ask_all(model, study, ledger, missing)) if isinstance(a, BaseException)]
        assert numbers(ledger) == (64, 64 * 30 / 16, 0, 0, 0)


def test_room_that_is_freed_is_there_for_the_next_attempt_of_the_same_batch(tmp_path: Path) -> None:
    with opened(tmp_path / "l") as ledger:
        ledger.commit([Try("b/1", 1, 0.5)])
        assert ledger.commit([Try("b/2", 1, 0.75), Close("b/1", 1, 0.25, "reply"), Try("b/2", 1, 0.75)]) == [
            "later",
            "yes",
            "yes",
        ]
        assert numbers(ledger) == (2, 1.0, 0, 1, 0)
        assert ledger.commit([Close("b/2", 1, None, "lost"), Try("b/3", 1, 0.25)]) == ["yes", "never"]


def test_one_battle_after_another_is_paid_down_to_the_cap(tmp_path: Path) -> None:
    study, model = Study(tmp_path, "demo"), Paid()
    study.folder.mkdir()

    async def main(ledger: Ledger) -> None:
        async with Recorder(study, ledger) as recorder:
            calls = Calls(CallPolicy(), recorder=recorder)
            for index in range(1, 100):
                await calls.ask(model, Prompt(caller="b", index=index, seat=1, system="s", messages=(("user", "go"),)))

    with opened(study.folder / "ledger.jsonl", cap=150 / 16) as ledger:
        with pytest.raises(BudgetReached):
            asyncio.run(main(ledger))
        # A call can cost 111 sixteenths and costs 30: after two of them 90 are left.
        assert model.calls == 2


def test_the_first_calls_to_two_models_are_counted_apart(tmp_path: Path) -> None:
    study, cheap, dear = Study(tmp_path, "demo"), Paid("cheap", usd=1 / 64), Paid("dear", tokens=(80, 60))
    study.folder.mkdir()
    known = {cheap.model.name: cheap, dear.model.name: dear}

    class Open:
        def __getitem__(self, model: Model) -> Paid:
            return known[model.name]

    async def main(ledger: Ledger) -> None:
        async with Recorder(study, ledger) as recorder:
            calls = Calls(CallPolicy(), recorder=recorder)
            await preflight([cheap.model, dear.model], Open(), calls)  # type: ignore[arg-type]

    with opened(study.folder / "ledger.jsonl", cap=None) as ledger:
        asyncio.run(main(ledger))
        assert numbers(ledger) == (2, 30 / 64 + 140 / 16, 0, 0, 0)


def test_a_torn_end_on_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "l").write_bytes(b'{"call":"b/2"')
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(ConfigError, match="No space left on device"), opened(tmp_path / "l"):
        pass
