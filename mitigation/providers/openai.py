"""Chat completions through the official openai SDK: OpenAI itself and every endpoint that speaks the same format."""

from __future__ import annotations

from typing import Any

import openai
from openai.types.chat import ChatCompletion

from mitigation.errors import CallRefused, CallRetryable
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

Clients = dict[tuple[str | None, str], openai.AsyncOpenAI]


class OpenAIModel:
    """A model behind `/v1/chat/completions`.

    Args:
        model: what to ask.
        clients: clients of this process by address and key, so that models of one account share connections.
    """

    def __init__(self, model: Model, clients: Clients) -> None:
        self.model = model
        self._clients = clients

    async def start(self) -> None:
        """Find the key and the endpoint; no call is made."""
        endpoint(self.model, "OPENAI_BASE_URL")
        self._client()

    def _client(self) -> openai.AsyncOpenAI:
        key = api_key(self.model, "OPENAI_API_KEY")
        return self._connect(self.model.base_url, key)

    def _connect(self, base_url: str | None, key: str) -> openai.AsyncOpenAI:
        client = self._clients.get((base_url, key))
        if client is None:
            # max_retries=0: a retry inside the SDK would be a paid call that nobody counted.
            # The hard deadline of an attempt is ours, so the SDK's own must not end one before.
            client = openai.AsyncOpenAI(
                api_key=key,
                base_url=base_url,
                max_retries=0,
                timeout=NO_TIMEOUT,
                # A redirect would be another call that nobody counted, and could lead anywhere.
                http_client=openai.DefaultAioHttpClient(follow_redirects=False),
            )
            self._clients[base_url, key] = client
        return client

    def _body(self, prompt: Prompt) -> dict[str, Any]:
        """Return the fields of the request."""
        messages: list[dict[str, str]] = [{"role": "system", "content": prompt.system}]
        messages += [{"role": role, "content": text} for role, text in prompt.messages]
        body: dict[str, Any] = {"model": self.model.name, "messages": messages, **self.model.extra}
        # OpenAI has renamed the limit and its newer models refuse the old name; compatible servers know the old one.
        body["max_tokens" if self.model.base_url or self.model.provider == "embedded" else "max_completion_tokens"] = (
            self.model.max_tokens
        )
        if self.model.temperature is not None:
            body["temperature"] = self.model.temperature
        if prompt.seed is not None:
            body["seed"] = prompt.seed
        if prompt.schema is not None:
            form = {"name": "answer", "strict": True, "schema": prompt.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        return body

    async def complete(self, prompt: Prompt) -> Completion:
        """Ask once; see `ChatModel.complete` for the errors."""
        return await self._ask(self._client(), prompt)

    async def _ask(self, client: openai.AsyncOpenAI, prompt: Prompt) -> Completion:
        key = client.api_key
        try:
            with reading():
                # `create` walks every message of the history on every call, which costs more than the rest of the call.
                reply: object = await client.post(
                    "/chat/completions", cast_to=ChatCompletion, body=self._body(prompt), options={"headers": prompt.header}
                )
                return _completion(reply, key)
        except openai.APIStatusError as error:
            raise failure(error.status_code, error.code, error.response.headers, cleaned(error.message, key)) from None
        except openai.APIError as error:
            raise lost(error, key) from None

    def release(self, caller: str) -> None:
        """Nothing is kept for a battle."""

    async def close(self) -> None:
        """Close the connections of every client of this process."""
        while self._clients:
            await self._clients.popitem()[1].close()


def _completion(reply: object, key: str) -> Completion:
    """Validate a reply: the SDK hands on whatever came with status 200."""
    if not isinstance(reply, ChatCompletion):
        raise CallRetryable("the endpoint answered 200, but not with a chat completion: is base_url right?", paid=True)
    usage: object = reply.usage
    tokens = getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None)
    if not reply.choices:
        raise CallRetryable("the reply holds no choices", paid=True, usage=counted(tokens))
    choice = reply.choices[0]
    # The SDK builds replies without checking them: any field can be absent whatever its type says.
    message: object = choice.message
    if choice.finish_reason == "content_filter" or getattr(message, "refusal", None):
        why = cleaned(str(choice.finish_reason), key)[:200]
        raise CallRefused(f"the provider refused to answer (finish reason {why})", paid=True, usage=counted(tokens))
    return checked(
        text=getattr(message, "content", None),
        model=reply.model,
        finish_reason=choice.finish_reason,
        usage=tokens,
        secret=key,
    )
