"""The store: an acknowledged battle is never lost, a damaged line is never used and always counted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mitigation.errors import ConfigError, StoreError
from mitigation.freezing import freeze
from mitigation.records import seal, transcript, unseal
from mitigation.store import Study
from mitigation.types import Agent, Identity, Transcript, Turn
from tests.conftest import child_environment
from tests.test_design import bank, cell


def battle(number: int = 0, text: str = "We are one.", status: str = "complete") -> Transcript:
    return Transcript(
        battle_id=f"s.p.a.{number:05d}",
        identity="a",
        scenario="s",
        pairing="p",
        opener=0,
        replicate=number,
        seed=7,
        wording=(0, 1),
        status=status,  # type: ignore[arg-type]
        ending="message_limit",
        run_order=number,
        started_at="2026-01-01T00:00:00+00:00",
        finished_at="2026-01-01T00:00:01+00:00",
        agents=(Agent(name="A", model="m", wording=0), Agent(name="B", model="m", wording=1)),
        turns=(
            Turn(index=0, agent="A", text="go"),
            Turn(index=1, agent="B", text=text, model="m", finish_reason="stop", input_tokens=1),
        ),
    )


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(tmp_path / "results", "demo")


def put(study: Study, fought: Transcript) -> None:
    """Store a battle as a run does."""
    study.append(*study.line(fought))


def lines(study: Study) -> Path:
    return study.cell_folder("a", "s", "p") / "battles.jsonl"


@given(st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_comes_back_as_it_was_written(text: str) -> None:
    one = battle(text=text)
    assert transcript(unseal(seal(asdict(one)).rstrip(b"\n"))) == one


def test_the_latest_line_of_a_battle_wins(study: Study) -> None:
    put(study, battle(status="failed"))
    put(study, battle(1))
    put(study, battle(text="again"))
    stored, damage = study.read()
    assert [b.turns[1].text for b in stored] == ["again", "We are one."]
    assert not damage


def test_a_line_torn_at_any_byte_loses_nothing_before_it_and_is_set_aside(tmp_path: Path) -> None:
    whole = Study(tmp_path / "whole", "demo")
    for number in range(2):
        put(whole, battle(number))
    data = lines(whole).read_bytes()
    start = data.index(b"\n") + 1
    for cut in range(start, len(data)):
        torn = Study(tmp_path / f"torn-{cut}", "demo")
        lines(torn).parent.mkdir(parents=True)
        lines(torn).write_bytes(data[:cut])
        stored, damage = torn.read()
        assert stored[0] == battle(0), cut
        # The last line is whole once only its line end is missing; before that it must not pass for a battle.
        assert len(stored) + len(damage) == (1 if cut == start else 2), cut
        if len(stored) == 1:
            put(torn, battle(1))
        put(torn, battle(2))
        again, damage = torn.read()
        assert [b.battle_id for b in again] == ["s.p.a.00000", "s.p.a.00001", "s.p.a.00002"], cut
        assert not damage, cut
        aside = lines(torn).with_name("battles.torn")
        torn_off = b"" if cut == len(data) - 1 else data[start:cut]
        assert (aside.read_bytes().rstrip(b"\n") if aside.exists() else b"") == torn_off, cut


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_a_flipped_bit_in_the_middle_is_caught_and_the_others_load(study: Study, place: float) -> None:
    for number in range(3):
        put(study, battle(number))
    data = bytearray(lines(study).read_bytes())
    ends = [i for i, byte in enumerate(data) if byte == 10]
    data[int(ends[0] + 1 + place * (ends[1] - ends[0] - 2))] ^= 1
    lines(study).write_bytes(data)
    stored, damage = study.read()
    assert [b.replicate for b in stored] == [0, 2]
    assert [(d.file, d.line) for d in damage] == [("a/s/p/battles.jsonl", 2)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"turns": 3}, "turns is no list"),
        ({"status": "won"}, "status='won'"),
        ({"battle_id": ""}, "battle_id=''"),
        ({"turns": [{"index": 0, "agent": "A"}]}, r"turns\[0\].text"),
        ({"opener": True}, "opener=True"),
    ],
)
def test_a_record_of_another_shape_is_named(change: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        transcript(unseal(seal(asdict(battle())).rstrip(b"\n")) | change)


def test_files_with_a_byte_order_mark_and_windows_line_ends_load(study: Study) -> None:
    put(study, battle())
    data = lines(study).read_bytes()
    lines(study).write_bytes(b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n"))
    assert study.read() == ([battle()], [])


@pytest.mark.parametrize("name", ["../up", "/abs", "a/b", "", ".", "..", "a\0b", "x" * 65, "é", "a.", "-m"])
def test_a_study_cannot_leave_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="is not a name"):
        Study(tmp_path, name)


def test_a_second_process_is_told_who_owns_the_study(study: Study) -> None:
    with study.lock():
        code = f"from mitigation.store import Study\nwith Study({str(study.folder.parent)!r}, 'demo').lock(): pass"
        done = subprocess.run([sys.executable, "-c", code], env=child_environment(), capture_output=True, text=True, check=False)
    assert f"study demo is being written by process {os.getpid()} on" in done.stderr


def test_the_lock_of_a_killed_process_is_free(study: Study) -> None:
    code = (
        f"import sys, time\nfrom mitigation.store import Study\nwith Study({str(study.folder.parent)!r}, 'demo').lock():\n"
        "    print('in', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], env=child_environment(), stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "in\n"
        child.send_signal(signal.SIGKILL)
        child.wait()
    with study.lock():
        pass


def test_a_study_may_grow_but_not_change(study: Study) -> None:
    freeze(study, [cell(bank("a"), replicates=2)])
    put(study, battle())
    freeze(study, [cell(bank("a"), replicates=5), cell(bank("b"), replicates=5)])
    freeze(study, [cell(bank("a"), replicates=3)])
    assert [d["replicates"] for d in study.definitions()] == [5, 5]
    changed = cell(another_wording(), replicates=5)
    with pytest.raises(ConfigError, match=r"fought under other settings \(identity.bank\[0\]: 'a 0' → 'another'\)"):
        freeze(study, [changed])
    with pytest.raises(ConfigError, match="seed: 0 → 1"):
        freeze(study, [cell(bank("a"), seed=1)])
    with pytest.raises(ConfigError, match="seed: 0 → 1"):
        freeze(study, [cell(bank("new"), seed=1)])
    with pytest.raises(ConfigError, match=r"scenario.openers: \['go 0', 'go 1'\] → "):
        freeze(study, [cell(bank("new"), openers=3)])


def another_wording() -> Identity:
    first = bank("a")
    return replace(first, bank=("another", *first.bank[1:]))


def test_a_definition_without_battles_may_change(study: Study) -> None:
    freeze(study, [cell(bank("a"))])
    freeze(study, [cell(bank("a"), seed=1)])
    assert study.definitions()[0]["seed"] == 1


def test_a_full_disk_keeps_every_record(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    put(study, battle(0))
    before = lines(study).read_bytes()
    real = os.write

    def half(descriptor: int, data: bytes) -> int:
        return real(descriptor, data[: len(data) // 2])

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="No space left on device"):
        put(study, battle(1))
    monkeypatch.undo()
    assert lines(study).read_bytes() == before
    put(study, battle(1))
    assert len(study.read()[0]) == 2


def test_a_full_disk_is_found_before_the_first_call_and_holds_no_lock(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match=r"No space left on device; 1,048,576 bytes needed\): free space"), study.lock():
        pass
    monkeypatch.undo()
    assert [path.name for path in study.folder.iterdir()] == [".lock"]
    with study.lock():
        pass


def test_a_folder_that_cannot_be_written_is_named_before_any_battle(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file in the way")
    with pytest.raises(ConfigError, match="cannot be written"), Study(tmp_path / "results", "demo").lock():
        pass


def test_newer_definitions_and_damaged_detections_are_refused(study: Study) -> None:
    freeze(study, [cell(bank("a"))])
    path = study.cell_folder("a", "s", "p") / "cell.json"
    path.write_bytes(path.read_bytes().replace(b'"schema": 1', b'"schema": 99'))
    with pytest.raises(StoreError, match="written under schema 99, and this version reads 1"):
        study.definitions()
    study.write_detections("lexical", [{"battle_id": "x"}])
    file = study.folder / "detections" / "lexical.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"x"', b'"y"'))
    with pytest.raises(StoreError, match="mitigation detect study=demo"):
        study.read_detections("lexical")
