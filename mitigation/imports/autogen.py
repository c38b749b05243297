"""Chat histories of AutoGen as JSON: a list of {"content", "role", "name"}, alone, under "chat_history" or under an agent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mitigation.imports.base import Heard, Source, fault


def parse(name: str, found: Any) -> list[Source]:
    """Return the one battle of a chat history.

    Where messages have no name, the roles "assistant" and "user" stand for the two agents.

    Raises:
        ConfigError: there is no list of messages, or a message is none.
    """
    history = _history(found)
    if history is None:
        raise fault(name, 'no list of messages stands there, alone, under "chat_history", or under an agent')
    heard = []
    for place, message in enumerate(history):
        text = message.get("content") if isinstance(message, Mapping) else None
        if text is None and isinstance(message, Mapping) and (message.get("tool_calls") or message.get("function_call")):
            raise fault(name, f"message {place} is a call of a tool, which is no message of a battle")
        if not isinstance(text, str):
            raise fault(name, f"message {place} has no content that is text")
        agent = message.get("name") or message.get("role")
        if not isinstance(agent, str) or not agent.strip():
            raise fault(name, f"message {place} names neither an agent nor a role")
        heard.append(Heard(agent=agent.strip(), text=text))
    return [Source(name=name, heard=heard)]


def _history(found: Any) -> list[Any] | None:
    if isinstance(found, list):
        return found
    if not isinstance(found, Mapping):
        return None
    for key in ("chat_history", "messages"):
        if isinstance(found.get(key), list):
            return list(found[key])
    lists = [value for value in found.values() if isinstance(value, list)]
    return lists[0] if len(lists) == 1 else None
