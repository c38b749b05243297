"""Providers behind one protocol; an SDK is imported only when a model of its provider is opened."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from mitigation.providers.base import ChatModel
from mitigation.types import Model

__all__ = ["Connections"]


class Connections:
    """The models of one run, each opened once; models of one account share a client, embedded models share the servers.

    Use as `async with Connections(models) as connections`: every model is made ready on entry, all are closed on exit.

    Args:
        models: what to open.
        servers: processes that serve the embedded model; None takes one a core.
    """

    def __init__(self, models: Iterable[Model], *, servers: int | None = None) -> None:
        self._servers = servers
        self._clients: dict[str, dict[Any, Any]] = {}
        self._pool: Any = None
        self._open: list[tuple[Model, ChatModel]] = []
        for model in models:
            if all(known != model for known, _ in self._open):
                self._open.append((model, self._connect(model)))

    def _connect(self, model: Model) -> ChatModel:
        clients = self._clients.setdefault(model.provider, {})
        if model.provider == "openai":
            from mitigation.providers.openai import OpenAIModel

            return OpenAIModel(model, clients)
        if model.provider == "anthropic":
            from mitigation.providers.anthropic import AnthropicModel

            return AnthropicModel(model, clients)
        if model.provider == "embedded":
            from mitigation.providers.embedded import EmbeddedModel, ServerPool

            self._pool = self._pool or ServerPool(self._servers)
            return EmbeddedModel(model, clients, self._pool)
        from mitigation.providers.scripted import ScriptedModel

        return ScriptedModel(model)

    def __getitem__(self, model: Model) -> ChatModel:
        """Return the open model."""
        return next(opened for known, opened in self._open if known == model)

    @property
    def width(self) -> int | None:
        """Battles at once beyond which an embedded model only gets slower; None when no embedded model is open."""
        return self._pool.size if self._pool else None

    def release(self, caller: str) -> None:
        """Say that a battle is over."""
        for _, opened in self._open:
            opened.release(caller)

    async def __aenter__(self) -> Connections:
        try:
            await asyncio.gather(*(opened.start() for _, opened in self._open))
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every model."""
        for _, opened in self._open:
            await opened.close()
