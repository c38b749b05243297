"""A disk that becomes full at any write of a run: nothing on it is spoilt, and the next run goes on with what was paid for."""

from __future__ import annotations

import asyncio
import errno
import os
import ssl
import stat
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from mitigation import loops
from mitigation.errors import ConfigError, MitigationError, StoreError
from mitigation.fight import Event
from mitigation.gateway import Run, Settings
from mitigation.runner import session
from mitigation.store import Study
from mitigation.types import Cell, Model, Pairing, Transcript
from mitigation.work import opened
from tests.faultserver import Fault, FaultServer, Post, good
from tests.test_design import bank, cell

AT_ONCE = 2
SETTINGS = Settings(concurrency=AT_ONCE, budget=1.0, preflight=False)
Texts = dict[str, tuple[str, ...]]


class Disk:
    """Counts the calls that bring bytes into files, and lets those fail that are to fail."""

    def __init__(self, call: str, fails: Callable[[int, bytes], bool]) -> None:
        self.call, self.count, self.failed = call, 0, list[bytes]()
        self._real, self._fails = getattr(os, call), fails
        self._lock = threading.Lock()

    def __call__(self, descriptor: int, *data: bytes) -> Any:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            with self._lock:
                self.count += 1
                if self._fails(self.count, data[0] if data else b""):
                    self.failed.append(data[0] if data else b"")
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self._real(descriptor, *data)


@dataclass
class Fight:
    """What one run came to."""

    state: Run = field(default_factory=Run)
    error: MitigationError | None = None
    acknowledged: Texts = field(default_factory=dict)
    posts: list[Post] = field(default_factory=list)

    @property
    def fault(self) -> str:
        return str(self.error or self.state.fault or "")


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FULL_DISK_KEY", "sk-0123456789")
    # The address is a plain one: reading all certificates of the world would be a third of every run.
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None)


def cells(server: FaultServer) -> list[Cell]:
    paid = Model(
        name="m", provider="openai", base_url=f"{server.url}/v1", api_key_env="FULL_DISK_KEY", price={"input": 1, "output": 2}
    )
    return [
        replace(cell(bank(name), replicates=2), pairing=Pairing(name="p", first=paid, second=paid)) for name in ("one", "two")
    ]


def fight(
    study: Study,
    server: FaultServer,
    disk: Disk | None = None,
    *,
    found: Fight | None = None,
    notify: Callable[[Event], None] = lambda _: None,
) -> Fight:
    """Fight what a study lacks, on a disk that may become full."""
    found, began = found or Fight(), len(server.ledger)

    def told(event: Event) -> None:
        notify(event)
        if isinstance(event, Transcript):
            found.acknowledged[event.battle_id] = said(event)

    with pytest.MonkeyPatch.context() as patched:
        if disk:
            patched.setattr(os, disk.call, disk)
        try:
            with opened(study, cells(server), concurrency=AT_ONCE) as work:
                loops.run(session(work, study, SETTINGS, state=found.state, notify=told))
        except (ConfigError, StoreError) as error:
            found.error = error
    server.settle()
    found.posts = server.ledger[began:]
    return found


def said(battle: Transcript) -> tuple[str, ...]:
    return tuple(turn.text for turn in battle.turns)


def stored(study: Study) -> Texts:
    """The texts of every battle; whatever is on disk is whole."""
    battles, damage = study.read()
    assert not damage
    assert all(battle.status == "complete" for battle in battles)
    return {battle.battle_id: said(battle) for battle in battles}


def entered(study: Study) -> Counter[str]:
    """How many attempts of each call stand in the ledger; every line of it is whole."""
    path = study.folder / "ledger.jsonl"
    lines = [orjson.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []
    return Counter(line["call"] for line in lines if "at" in line)


def asked(*fights: Fight) -> Counter[str]:
    return Counter(f"{post.battle}/{post.index}" for fought in fights for post in fought.posts)


def left_over(study: Study) -> list[str]:
    return sorted(path.name for path in study.folder.rglob(".*") if path.name not in (".lock", ".crew"))


@pytest.fixture(scope="module")
def golden(server: FaultServer, tmp_path_factory: pytest.TempPathFactory) -> Texts:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("FULL_DISK_KEY", "sk-0123456789")
        study = Study(tmp_path_factory.mktemp("golden"), "demo")
        fought = fight(study, server)
    assert not fought.fault
    assert len(fought.posts) == 12
    texts = stored(study)
    assert sorted(map(len, texts.values())) == [4, 4, 4, 4]
    return texts


def checked(study: Study, first: Fight, server: FaultServer, golden: Texts) -> int:
    """Check what a run on a full disk left, finish it, and return how many messages were asked for again."""
    # Nothing was sent that is not in the ledger, what was acknowledged is there, and the lock and the room are free.
    assert not asked(first) - entered(study)
    assert first.acknowledged.items() <= stored(study).items() <= golden.items()
    assert not left_over(study)
    second = fight(study, server)
    assert not second.fault
    assert stored(study) == golden
    assert not asked(first, second) - entered(study)
    assert not {name.rpartition("/")[0] for name in asked(second)} & set(first.acknowledged)
    again = {name: count - 1 for name, count in asked(first, second).items() if count > 1}
    assert max(again.values(), default=0) <= 1
    return len(again)


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_disk_that_is_full_from_any_write_on_spoils_nothing_and_is_named(
    server: FaultServer, golden: Texts, tmp_path: Path, call: str
) -> None:
    stopped_at = set()
    for number in range(1, 500):
        study = Study(tmp_path / str(number), "demo")
        disk = Disk(call, lambda count, _, number=number: count >= number)  # type: ignore[misc]
        first = fight(study, server, disk)
        if not disk.failed:
            assert stored(study) == golden
            break
        assert "bytes needed" in first.fault or "free space" in first.fault, number
        assert first.state.done["failed"] == 0
        stopped_at.add(len(first.posts))
        assert checked(study, first, server, golden) <= AT_ONCE, number
    assert 10 < number < 500
    # It was met before the first call, after the last one, and in between.
    assert {0, 12} <= stopped_at
    assert len(stopped_at) > 2


def kind(data: bytes) -> str:
    if data.startswith(b"process "):
        return "owner"
    return "attempt" if data.startswith(b'{"call"') else "reply" if b'","index":' in data[:100] else "battle"


def test_a_disk_that_is_full_for_one_write_loses_nothing(server: FaultServer, golden: Texts, tmp_path: Path) -> None:
    """The room that was kept for this moment takes what was to be written; nothing more is sent."""
    seen = Counter[str]()
    for number in range(1, 500):
        study = Study(tmp_path / str(number), "demo")
        disk = Disk("write", lambda count, _, number=number: count == number)  # type: ignore[misc]
        first = fight(study, server, disk)
        if not disk.failed:
            break
        seen[kind(disk.failed[0])] += 1
        early = not first.posts and "free space" in first.fault
        assert early or "is full: free space" in first.fault or first.state.done == Counter(complete=4), number
        assert checked(study, first, server, golden) == 0, number
    assert set(seen) == {"owner", "attempt", "reply", "battle"}


def test_a_reply_on_its_way_when_the_disk_is_found_full_is_stored_in_the_room_that_was_kept(
    golden: Texts, tmp_path: Path
) -> None:
    """One battle finds that the ledger takes no more, while the other waits for its first reply, which finds its place."""
    slow: list[str] = []

    def script(number: int, battle: str, index: int, attempt: int) -> Fault | None:
        if not slow:
            slow.append(f"{battle}/{index}")
        return good(after=0.5) if slow == [f"{battle}/{index}"] else None

    with FaultServer(script) as server:
        study = Study(tmp_path, "demo")
        disk = Disk("write", lambda _, data: kind(data) == "attempt" and b'"how"' in data)
        first = fight(study, server, disk)
        assert "bytes needed" in first.fault
        assert slow[0] in asked(first)
        assert len(first.posts) == AT_ONCE
        second = fight(study, server)
        assert stored(study) == golden
        assert not asked(first) & asked(second)


def test_a_reply_that_is_lost_while_the_run_is_stopping_is_told(tmp_path: Path) -> None:
    with FaultServer(lambda *_: good(after=0.5)) as server:
        study, loop = Study(tmp_path, "demo"), list[asyncio.AbstractEventLoop]()
        found = Fight()
        server.on_post = lambda _: loop[0].call_soon_threadsafe(found.state.stop)
        disk = Disk("write", lambda _, data: kind(data) == "reply")
        fight(study, server, disk, found=found, notify=lambda _: loop.append(asyncio.get_running_loop()))
        assert disk.failed
        assert found.posts
        assert "bytes needed" in found.fault
