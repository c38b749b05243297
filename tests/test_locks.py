"""Locks: one owner at a time, named to whoever comes second, and never a dead one."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mitigation import locks
from mitigation.errors import ConfigError
from mitigation.locks import DEAD_SECONDS, Crew, held
from tests.conftest import child_environment

HOLD = """
import sys
from pathlib import Path
from mitigation.locks import Crew, held
path, kind = Path(sys.argv[1]), sys.argv[2]
with Crew(path).joined() if kind == "crew" else held(path, "it", shared=kind == "shared"):
    print("in", flush=True)
    sys.stdin.readline()
"""
ELSEWHERE = "process 1 on elsewhere since 2026-01-01T00:00:00+00:00"


@contextmanager
def another(path: Path, kind: str = "alone") -> Iterator[subprocess.Popen[str]]:
    """A process that holds a lock until it is told to end or the block is left."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), kind],
        env=child_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "in\n"
        try:
            yield child
        finally:
            child.kill()


def ended(child: subprocess.Popen[str], *, by: signal.Signals | None = None) -> None:
    """End a process, at its own pace or by a signal."""
    if by:
        child.send_signal(by)
        assert child.wait(60) == -by
    else:
        child.communicate("\n", 60)
        assert child.returncode == 0


def refusal(path: Path, *, shared: bool = False) -> str | None:
    """Try to hold a lock and return why it was refused, None when it was not."""
    try:
        with held(path, "it", shared=shared):
            return None
    except ConfigError as error:
        return str(error)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / ".lock"


def test_a_second_process_is_refused_and_told_who_where_and_since_when(path: Path) -> None:
    with another(path) as child:
        told = rf"it is being written by process {child.pid} on {re.escape(socket.gethostname())} since 20\d\d-[-0-9T:+]+: wait"
        for shared in (False, True):
            with pytest.raises(ConfigError, match=told), held(path, "it", shared=shared):
                pytest.fail("two owners")
        ended(child)
    assert path.read_text() == ""
    with held(path, "it"):
        assert path.read_text().startswith(f"process {os.getpid()} on ")
    assert path.read_text() == ""


@pytest.mark.parametrize("kind", ["alone", "shared"])
def test_the_lock_of_a_killed_process_is_free_at_once(path: Path, kind: str) -> None:
    with another(path, kind) as child:
        ended(child, by=signal.SIGKILL)
        with held(path, "it"):
            assert path.read_text().startswith(f"process {os.getpid()} on ")


@pytest.mark.parametrize(
    ("first", "second", "allowed"),
    [("alone", "alone", False), ("alone", "shared", False), ("shared", "alone", False), ("shared", "shared", True)],
)
def test_only_those_who_share_hold_it_together(path: Path, first: str, second: str, allowed: bool) -> None:
    with another(path, first):
        told = refusal(path, shared=second == "shared")
    assert (told is None) == allowed
    if told is not None:
        assert ("processes that hold single cells of it" in told) == (first == "shared")


def test_the_last_of_those_who_share_frees_it(path: Path) -> None:
    with another(path, "shared") as one, another(path, "shared") as other, held(path, "it", shared=True):
        ended(one)
        with pytest.raises(ConfigError, match="single cells"), held(path, "it"):
            pass
        ended(other)
    with held(path, "it"):
        pass


def test_a_block_that_breaks_frees_it(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), held(path, "it"):
        raise ZeroDivisionError
    with held(path, "it"):
        pass


def test_the_owner_on_another_machine_is_believed_for_a_minute_after_its_last_sign_of_life(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(ELSEWHERE)
    for silent in (0, DEAD_SECONDS / 2):
        os.utime(path, (time.time() - silent,) * 2)
        told = rf"it is being written by {re.escape(ELSEWHERE)}, whose last sign of life is .* s old: .* when {path} is deleted"
        with pytest.raises(ConfigError, match=told), held(path, "it"):
            pytest.fail("two owners")
        assert path.read_text() == ELSEWHERE
    os.utime(path, (time.time() - DEAD_SECONDS - 1,) * 2)
    with held(path, "it"):
        assert path.read_text().startswith(f"process {os.getpid()} on ")
    assert path.read_text() == ""


def test_what_a_killed_process_of_this_machine_left_is_taken_over_however_fresh(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(f"process 1 on {socket.gethostname()} since 2026-01-01T00:00:00+00:00")
    with held(path, "it"):
        pass


def test_an_owner_gives_signs_of_life_until_it_leaves(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "BEAT_SECONDS", 0.01)
    with held(path, "it"):
        for _ in range(2):
            os.utime(path, (1, 1))
            deadline = time.monotonic() + 20
            while path.stat().st_mtime < 2:
                assert time.monotonic() < deadline, "no sign of life"
                time.sleep(0.005)
    time.sleep(0.05)
    os.utime(path, (1, 1))
    time.sleep(0.2)
    assert path.stat().st_mtime == 1


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_named(path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def none(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", none)
    with pytest.raises(ConfigError, match=f"the file system of {path.parent} has no locks"), held(path, "it"):
        pass


def test_a_folder_that_cannot_be_made_is_named(path: Path) -> None:
    path.parent.write_text("in the way")
    with pytest.raises(ConfigError, match=f"{path.parent} cannot be written"), held(path, "it"):
        pass


def test_a_crew_counts_the_living_and_forgets_the_dead(tmp_path: Path) -> None:
    crew, host = Crew(tmp_path / "crew"), socket.gethostname()
    assert crew.members() == []
    with another(tmp_path / "crew", "crew") as one, another(tmp_path / "crew", "crew") as other, crew.joined():
        pids = {os.getpid(), one.pid, other.pid}
        assert sorted(crew.members()) == sorted((host, pid) for pid in pids)
        ended(one, by=signal.SIGKILL)
        assert (tmp_path / "crew" / f"{host}.{one.pid}").exists()
        assert {pid for _, pid in crew.members()} == pids - {one.pid}
        assert not (tmp_path / "crew" / f"{host}.{one.pid}").exists()
        ended(other)
        assert crew.members() == [(host, os.getpid())]
    assert crew.members() == []
    assert list((tmp_path / "crew").iterdir()) == []


def test_a_machine_whose_name_has_dots_is_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "node-7.cluster.example")
    crew = Crew(tmp_path)
    with crew.joined():
        assert crew.members() == [("node-7.cluster.example", os.getpid())]


def test_who_joins_again_after_a_crash_with_the_same_number_is_counted_once(tmp_path: Path) -> None:
    crew = Crew(tmp_path)
    (tmp_path / f"{socket.gethostname()}.{os.getpid()}").touch()
    with crew.joined():
        assert crew.members() == [(socket.gethostname(), os.getpid())]
    assert crew.members() == []


def test_a_member_that_is_counted_while_it_joins_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crew, real, counted = Crew(tmp_path), fcntl.flock, list[object]()

    def late(file: object, how: int) -> None:
        if how == fcntl.LOCK_EX and not counted:  # somebody counts between the opening of the file and its lock
            counted.append(crew.members())
        real(file, how)  # type: ignore[arg-type]

    monkeypatch.setattr(fcntl, "flock", late)
    with crew.joined():
        assert counted == [[]]
        assert [pid for _, pid in crew.members()] == [os.getpid()]


def test_who_shares_is_refused_while_another_machine_owns_the_whole(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(ELSEWHERE)
    assert ELSEWHERE in str(refusal(path, shared=True)), "two owners"


def test_a_dead_owner_is_not_named_for_the_living(path: Path) -> None:
    with another(path) as dead:
        ended(dead, by=signal.SIGKILL)
    with another(path, "shared"):
        told = refusal(path)
    assert told is not None
    assert f"process {dead.pid} " not in told
    assert "single cells" in told


def test_a_disk_without_room_for_the_owners_name_is_named(path: Path) -> None:
    code = (
        "import resource, sys\nfrom pathlib import Path\nfrom mitigation.locks import held\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"  # no file may grow, as on a full disk
        "try:\n    with held(Path(sys.argv[1]), 'it'): print('in')\nexcept Exception as error: print(type(error).__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], env=child_environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "ConfigError\n", done.stdout + done.stderr
