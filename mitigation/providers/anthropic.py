"""Messages through the official anthropic SDK."""

from __future__ import annotations

from typing import Any

import anthropic
from anthropic.types import Message

from mitigation.errors import CallError, CallRefused, CallRetryable
from mitigation.providers.base import (
    NO_TIMEOUT,
    Completion,
    Prompt,
    api_key,
    checked,
    cleaned,
    counted,
    endpoint,
    failure,
    lost,
    reading,
)
from mitigation.types import Model

Clients = dict[tuple[str | None, str], anthropic.AsyncAnthropic]

# A conversation has to begin with the user; the agent that opens a battle would begin it itself.
FIRST = "Begin."


class AnthropicModel:
    """A model behind `/v1/messages`. It takes no seed.

    Args:
        model: what to ask.
        clients: clients of this process by address and key, so that models of one account share connections.
    """

    def __init__(self, model: Model, clients: Clients) -> None:
        self.model = model
        self._clients = clients

    async def start(self) -> None:
        """Find the key and the endpoint; no call is made."""
        endpoint(self.model, "ANTHROPIC_BASE_URL")
        self._client()

    def _client(self) -> anthropic.AsyncAnthropic:
        key = api_key(self.model, "ANTHROPIC_API_KEY")
        where = (self.model.base_url, key)
        client = self._clients.get(where)
        if client is None:
            client = anthropic.AsyncAnthropic(
                api_key=key,
                base_url=self.model.base_url,
                max_retries=0,
                timeout=NO_TIMEOUT,  # the hard deadline of an attempt is ours
                http_client=anthropic.DefaultAioHttpClient(follow_redirects=False),
            )
            self._clients[where] = client
        return client

    def _request(self, prompt: Prompt) -> tuple[dict[str, str], dict[str, Any]]:
        """Return headers and fields of the request."""
        messages = [{"role": role, "content": text} for role, text in prompt.messages]
        if not messages or messages[0]["role"] == "assistant":
            messages.insert(0, {"role": "user", "content": FIRST})
        body: dict[str, Any] = {
            "model": self.model.name,
            "max_tokens": self.model.max_tokens,
            "system": prompt.system,
            "messages": messages,
            **self.model.extra,
        }
        if prompt.schema is not None:
            body["output_config"] = {**body.get("output_config", {}), "format": {"type": "json_schema", "schema": prompt.schema}}
        headers = prompt.header
        if self.model.temperature is not None:
            # The SDK no longer takes a temperature and current versions of the API refuse one; older models on the
            # older version still do.
            body["temperature"] = self.model.temperature
            headers["anthropic-version"] = "2023-06-01"
        return headers, body

    async def complete(self, prompt: Prompt) -> Completion:
        """Ask once; see `ChatModel.complete` for the errors."""
        client = self._client()
        headers, body = self._request(prompt)
        key = client.api_key or ""
        try:
            with reading():
                # `create` walks every message of the history on every call, which costs more than the rest of the call.
                reply: object = await client.post("/v1/messages", cast_to=Message, body=body, options={"headers": headers})
                return _completion(reply, key)
        except anthropic.APIStatusError as error:
            message = cleaned(error.message, key)
            raise failure(error.status_code, _error_type(error.body), error.response.headers, message) from None
        except anthropic.APIError as error:
            raise lost(error, key) from None

    def release(self, caller: str) -> None:
        """Nothing is kept for a battle."""

    async def close(self) -> None:
        """Close the connections of every client of this process."""
        while self._clients:
            await self._clients.popitem()[1].close()


def _error_type(body: object) -> object:
    """Return the error type inside the body of a refused request."""
    error = body.get("error") if isinstance(body, dict) else None
    return error.get("type") or error.get("code") if isinstance(error, dict) else None


def _completion(reply: object, key: str) -> Completion:
    """Validate a reply: the SDK hands on whatever came with status 200."""
    if not isinstance(reply, Message):
        raise CallRetryable("the endpoint answered 200, but not with a message: is base_url right?", paid=True)
    # The SDK builds replies without checking them: any field can be absent whatever its type says.
    usage: object = reply.usage
    # What was read from a cache, or written to one, is told apart; it was sent all the same.
    read = [getattr(usage, name, None) for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")]
    sent = sum(part for part in read if isinstance(part, int)) if isinstance(read[0], int) else None
    tokens = sent, getattr(usage, "output_tokens", None)
    if reply.stop_reason == "refusal":
        raise CallRefused("the provider refused to answer (stop reason refusal)", paid=True, usage=counted(tokens))
    if reply.stop_reason == "model_context_window_exceeded":
        raise CallError("the battle no longer fits into the model's context window", paid=True, usage=counted(tokens))
    return checked(
        text="".join(block.text for block in reply.content or () if block.type == "text"),
        model=reply.model,
        finish_reason=reply.stop_reason,
        usage=tokens,
        secret=key,
    )
