"""What a provider gives to the rest: a `ChatModel` turns a `Prompt` into a `Completion`. No SDK type passes this door."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal, Protocol

from mitigation.errors import CallEmpty, CallError, CallRefused, CallRetryable, ConfigError, Stopped
from mitigation.types import Model

HEADER = "X-Battle"
# Longer than any deadline of an attempt.
NO_TIMEOUT = 1e7

Speaker = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One request for one reply.

    Attributes:
        caller: battle id, or what else asks ("propose-1"); with `index` it goes into the X-Battle header.
        index: message index of the reply asked for.
        seat: 0 or 1, which agent speaks.
        system: system prompt, never empty.
        messages: history as the agent sees it: its own messages are the assistant's.
        seed: sampling seed where the provider knows one.
        schema: JSON Schema that the reply has to follow, where the provider can hold a reply to one; None for free text.
    """

    caller: str
    index: int
    seat: int
    system: str
    messages: tuple[tuple[Speaker, str], ...]
    seed: int | None = None
    schema: Mapping[str, Any] | None = None

    @property
    def header(self) -> dict[str, str]:
        """The header that ties a request to its battle."""
        return {HEADER: self.call}

    @property
    def call(self) -> str:
        """Name of the call in headers and in the ledger."""
        return f"{self.caller}/{self.index}"

    @property
    def digest(self) -> str:
        """A fingerprint of everything that the model is told."""
        told = "\x1f".join([self.system, *(f"{role}\x1e{text}" for role, text in self.messages)])
        return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:24]


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One reply as the provider gave it."""

    text: str
    model: str
    finish_reason: str
    input_tokens: int | None
    output_tokens: int | None


class ChatModel(Protocol):
    """A model that can be asked."""

    model: Model

    async def start(self) -> None:
        """Make ready what the first call needs (a server, a checked key); raise ConfigError where that fails."""

    async def complete(self, prompt: Prompt) -> Completion:
        """Return the reply to one prompt, in one attempt.

        Raises:
            CallRetryable: the attempt failed in a way that may pass.
            CallRefused: the provider refused to answer.
            CallError: the call can never succeed.
            Stopped: no call can succeed (key refused, quota gone).
        """

    def release(self, caller: str) -> None:
        """Say that a battle is over and what was kept for it can go."""

    async def close(self) -> None:
        """Give back connections and processes."""


def api_key(model: Model, default: str) -> str:
    """Return the key from the model's variable, or from the SDK's own.

    Raises:
        ConfigError: the variable is unset, empty or holds something that is no key; the value is never shown.
    """
    name = model.api_key_env or default
    key = os.environ.get(name, "").strip()
    if not key:
        raise ConfigError(f"model {model.name} needs a key: set the environment variable {name}")
    if not re.fullmatch(r"[\x21-\x7e]+", key):
        raise ConfigError(f"the key in {name} holds white space or unprintable characters: it must be one key and nothing else")
    return key


def endpoint(model: Model, default: str) -> None:
    """Raise ConfigError when the address that the SDK would take from its variable `default` is none."""
    address = os.environ.get(default, "")
    if model.base_url is None and address and not re.match(r"https?://[^\s@?]+$", address):
        raise ConfigError(
            f"the address in {default} is no endpoint: begin it with http:// or https://, without a name, key or query"
        )


def cleaned(text: str, secret: str = "") -> str:
    """Return text of a server that can be stored and sent on: no lone surrogate, and no key that it sent back."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return whole.replace(secret, "[key]") if secret else whole


@contextmanager
def reading() -> Iterator[None]:
    """Turn what a malformed reply trips inside an SDK, or in our reading of it, into CallRetryable."""
    try:
        yield
    except (TypeError, AttributeError, LookupError, ValueError, RecursionError) as error:
        raise CallRetryable(f"the reply is malformed ({type(error).__name__})", paid=True) from None


def checked(*, text: object, model: object, finish_reason: object, usage: tuple[object, object], secret: str) -> Completion:
    """Return a Completion from fields that a provider sent, or raise CallRetryable when they are not what was promised.

    A server can answer 200 with no choices, no text or no usage; such a reply must not become a turn.

    Args:
        usage: tokens of the prompt and of the reply; what is no count becomes None.
        secret: the key that was sent, which is struck out wherever it comes back.
    """
    tokens = counted(usage)
    if tokens[1] == 0 and isinstance(text, str) and text.strip():
        tokens = tokens[0], None  # a text of no tokens: the count is wrong, so the cost is unknown
    if not isinstance(model, str) or not isinstance(finish_reason, str):
        raise CallRetryable("the reply names no model or no finish reason", paid=True, usage=tokens)
    if not isinstance(text, str) or not text.strip():
        raise CallEmpty(
            f"the reply holds no text (finish reason {cleaned(finish_reason, secret)[:200]!r})", paid=True, usage=tokens
        )
    return Completion(
        text=cleaned(text, secret),
        model=cleaned(model, secret)[:200],
        finish_reason=cleaned(finish_reason, secret)[:200],
        input_tokens=tokens[0],
        output_tokens=tokens[1],
    )


def counted(usage: tuple[object, object]) -> tuple[int | None, int | None]:
    """Return tokens of prompt and reply; what is no count is None."""
    one, other = (n if isinstance(n, int) and not isinstance(n, bool) and 0 <= n < 2**53 else None for n in usage)
    return one, other


def failure(status: int | None, code: object, headers: Mapping[str, Any], message: str) -> CallError | Stopped:
    """Return the error that an HTTP status means: stop the run, fail the call, or try again. None of them is charged for.

    Args:
        status: HTTP status, None when no connection came about.
        code: the provider's own error code or type.
        headers: response headers.
        message: what to show; must hold no key.
    """
    what = f"{f'HTTP {status}' if status else 'no answer'}: {cleaned(message)[:500]}"
    name = str(code or "")
    if status in (401, 402, 403) or name in ("insufficient_quota", "billing_error", "authentication_error", "permission_error"):
        return Stopped(f"the provider turned the key or the account down ({what}); mend it and run the same command again")
    if status == 404:
        return Stopped(
            f"the endpoint knows no such model or path ({what}); the model may be retired: choose another pairing, or set "
            "pairing.first.name and pairing.second.name (of judges panel.first.name and panel.second.name) to models that the "
            "provider lists, or mend base_url"
        )
    if name in ("content_filter", "content_policy_violation"):
        return CallRefused(what)
    if status is None or status in (408, 409, 425, 429) or status >= 500:
        return CallRetryable(what, retry_after=retry_after(headers), limited=status == 429)
    return CallError(what)


def lost(error: Exception, secret: str) -> CallRetryable:
    """Return the error of an attempt that ended without an HTTP answer.

    Only where no connection came about was nothing sent; anything else may have been charged for.
    """
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    unsent = any(type(link).__name__ in _UNSENT for link in chain)
    reasons = list(dict.fromkeys(f"{type(link).__name__}: {link}".rstrip(": ") for link in chain))
    return CallRetryable(cleaned(" ← ".join(reasons), secret)[:500], paid=not unsent)


# Errors of aiohttp before a connection stands. The SDKs' own ConnectTimeout says nothing: it also stands for a connection that
# broke after the request was read.
_UNSENT = (
    "ClientConnectorError",
    "ClientConnectorDNSError",
    "ClientConnectorSSLError",
    "ClientConnectorCertificateError",
    "ClientProxyConnectionError",
    "ConnectionTimeoutError",
)


def retry_after(headers: Mapping[str, Any]) -> float | None:
    """Return for how many seconds a provider asks to wait, in any form that providers use; None when it says nothing usable.

    `retry-after-ms` and `retry-after` in seconds (RFC 9110 allows whole ones, providers send fractions), or `retry-after` as
    an HTTP date; a date in the past is 0.
    """
    for name, unit in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        text = str(headers.get(name) or "").strip()
        if re.fullmatch(r"\d{1,20}(\.\d{1,20})?", text):
            return float(text) * unit
    try:
        date = parsedate_to_datetime(str(headers.get("retry-after") or ""))
    except (ValueError, TypeError, OverflowError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())
