"""A loopback server for long fights: both wire formats, replies by the history, a ledger of every POST, faults by script."""

from __future__ import annotations

import asyncio
import hashlib
import json
import struct
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from socket import SO_LINGER, SOL_SOCKET
from typing import Any, Concatenate, Literal, ParamSpec

Fault = Callable[["Exchange"], Awaitable[None]]
# script(number, battle, index, attempt) says what a POST meets, in the words of `Post`; None is a good answer.
Script = Callable[[int, str, int, int], Fault | None]
History = Sequence[tuple[str, str]]
Finish = Literal["stop", "length", "content_filter"]
P = ParamSpec("P")

ANTHROPIC_FINISH = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}
SENTENCES = (
    "We are both assistants, are we not?", "I expected more of a rival.", "Let us look at the weather instead.", "Your move.",
    "Your last argument was a costume without a body.", "The score is not in your favour.", "A draw would bore us both.",
)  # fmt: skip
ERROR = '{"type": "error", "error": {"type": "scripted", "message": "scripted"}}'


@dataclass(slots=True)
class Post:
    """One line of the ledger."""

    number: int  # running number on this server, from 1
    battle: str  # battle and index: the halves of the header X-Battle, `<battle_id>/<index>`; "" and -1 without one
    index: int
    attempt: int  # how many POSTs carried this X-Battle so far, this one included
    path: str
    sha256: str  # of the system prompt and the messages, with their roles
    at: float  # monotonic time of arrival
    faulty: bool = False  # a fault of the script answered
    paid: bool = False  # a full good answer was sent; a provider bills it whether anybody reads it or not
    heard: bool = False  # as far as the server knew, the client was still connected at the last bytes sent
    over: bool = False  # nothing more happens to this line


class FaultServer:
    """Use as a context; `url` is the address without a path. It runs in a thread of this process.

    Args:
        script: what each POST meets; called in the server's thread.
        delay: seconds before every answer, a fault's included.
        jitter: further seconds at most, by the hash of the history.

    Attributes:
        ledger: one line a POST, in order of arrival.
        on_post, on_reply: called in the server's thread as soon as a POST was read, and as soon as a good answer was sent.
        errors: what broke in the server, the script or a callback; the first is raised on leaving the context.
    """

    def __init__(self, script: Script | None = None, *, delay: float = 0.0, jitter: float = 0.0) -> None:
        self.script, self.delay, self.jitter = script, delay, jitter
        self.ledger: list[Post] = []
        self.on_post: Callable[[Post], object] = lambda _: None
        self.on_reply: Callable[[Post], object] = lambda _: None
        self.errors: list[Exception] = []
        self._attempts: Counter[str] = Counter()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)

    def __enter__(self) -> FaultServer:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        if self.errors and kind is None:
            raise self.errors[0]

    def environment(self, key: str = "sk-loopback-canary-0123456789") -> dict[str, str]:
        """Variables that point both SDKs here."""
        keys = {"OPENAI_API_KEY": key, "ANTHROPIC_API_KEY": key}
        return keys | {"OPENAI_BASE_URL": f"{self.url}/v1", "ANTHROPIC_BASE_URL": self.url}

    def settle(self) -> None:
        """Wait until every POST is over, 10 s at most."""
        deadline = time.monotonic() + 10
        while not all(post.over for post in self.ledger):
            assert time.monotonic() < deadline, "a POST is still being answered"
            time.sleep(0.002)

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=4096)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._ready.set()
        await self._stop.wait()
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection, one after another."""
        try:
            while not writer.is_closing():
                first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                body = json.loads(await reader.readexactly(int(headers["content-length"])))
                caller, said = headers.get("x-battle", ""), history(body)
                battle, _, index = caller.rpartition("/")
                self._attempts[caller] += 1
                place = len(self.ledger) + 1, battle, int(index or -1), self._attempts[caller]
                self.ledger.append(Post(*place, first.split(" ")[1].partition("?")[0], digest(said), time.monotonic()))
                await self._answer(Exchange(self, self.ledger[-1], body.get("model"), said, reader, writer), *place)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except Exception as error:
            self.errors.append(error)
        finally:
            writer.close()

    async def _answer(self, exchange: Exchange, *place: Any) -> None:
        try:
            self.on_post(exchange.post)
            fault = self.script(*place) if self.script else None
            exchange.post.faulty = fault is not None
            await asyncio.sleep(self.delay + self.jitter * int(exchange.post.sha256[-4:], 16) / 0xFFFF)
            await (fault or good())(exchange)
        finally:
            exchange.post.over = True


@dataclass(slots=True)
class Exchange:
    """One request and its connection, as a fault gets them."""

    server: FaultServer
    post: Post
    model: Any
    said: History
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def answer(self, text: str | None, finish: Finish = "stop", **changes: Any) -> bytes:
        """Return an answer in the format of the path, with top-level fields replaced; finish is OpenAI's word in both formats."""
        used = sum(len(words.split()) for _, words in self.said), len((text or "").split())
        given: dict[str, Any] = {"id": self.post.sha256[:16], "object": "chat.completion", "created": 1}
        if self.post.path.endswith("/messages"):
            given = {"id": self.post.sha256[:16], "type": "message", "role": "assistant", "stop_reason": ANTHROPIC_FINISH[finish]}
            given["content"] = None if text is None else [{"type": "text", "text": text}]
            given["usage"] = {"input_tokens": used[0], "output_tokens": used[1]}
        else:
            assert self.post.path.endswith("/chat/completions"), self.post.path
            message = {"role": "assistant", "content": text, "refusal": None}
            given["choices"] = [{"index": 0, "finish_reason": finish, "message": message}]
            given["usage"] = {"prompt_tokens": used[0], "completion_tokens": used[1], "total_tokens": sum(used)}
        return http(200, json.dumps(given | {"model": self.model} | changes))

    async def send(self, data: bytes, *, paid: bool = False) -> None:
        """Hand bytes to the socket; `paid` says that with them a full good answer is out."""
        self.post.heard = not (self.writer.is_closing() or self.reader.at_eof() or self.reader.exception())
        self.post.paid = paid
        self.writer.write(data)
        if paid:
            self.server.on_reply(self.post)
        await self.writer.drain()


def scripted(action: Callable[Concatenate[Exchange, P], Awaitable[None]]) -> Callable[P, Fault]:
    """Make a maker of faults of what is done with an exchange."""
    return lambda *given, **named: lambda exchange: action(exchange, *given, **named)


def history(body: dict[str, Any]) -> list[tuple[str, str]]:
    """Return who said what in a request, the system prompt first: the same for both formats."""
    said = [("system", body.get("system"))] + [(message["role"], message["content"]) for message in body["messages"]]
    return [(who, what if isinstance(what, str) else "".join(part["text"] for part in what)) for who, what in said if what]


def digest(said: History) -> str:
    """Return the hash of a history."""
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def reply_to(said: History) -> str:
    """Return the reply to a history, a function of its hash; 1 in 12 concedes, but none of the first three messages."""
    seed = bytes.fromhex(digest(said))
    words = [SENTENCES[byte % len(SENTENCES)] for byte in seed[: 2 + seed[30] % 3]]
    conceded = sum(who != "system" for who, _ in said) > 3 and int.from_bytes(seed[20:28]) % 12 == 0
    return " ".join([*words, f"So much for round {seed[:4].hex()}.", *["I lose."] * conceded])


def http(code: int, body: str, kind: str = "application/json", **headers: str) -> bytes:
    """Return a whole HTTP response; underscores in header names become hyphens."""
    fields = {"content-type": kind, "content-length": str(len(body.encode()))} | headers
    lines = [f"HTTP/1.1 {code} Scripted", *(f"{name.replace('_', '-')}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", body]).encode()


@scripted
async def status(exchange: Exchange, /, code: int, body: str = ERROR, kind: str = "application/json", **headers: str) -> None:
    """This status, with `retry_after="2"` and the like as headers."""
    await exchange.send(http(code, body, kind, **headers))


@scripted
async def reply(exchange: Exchange, /, text: str | None = "text", finish: Finish = "stop", **changes: Any) -> None:
    """Status 200 with this text (None: null), finish reason or top-level fields, say `choices=[]`; never counted as paid."""
    await exchange.send(exchange.answer(text, finish, **changes))


@scripted
async def cut(exchange: Exchange, share: float = 0.0, *, reset: bool = False) -> None:
    """The connection closes after this share of a good answer, headers included, with a TCP reset if wished."""
    whole = exchange.answer(reply_to(exchange.said))
    await exchange.send(whole[: int(len(whole) * share)])
    if reset:
        exchange.writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    exchange.writer.close()


@scripted
async def black_hole(exchange: Exchange) -> None:
    """No answer for as long as the client stays."""
    await exchange.reader.read()
    exchange.writer.close()


@scripted
async def good(exchange: Exchange, after: float = 0.0, finish: Finish = "stop") -> None:
    """A good answer, perhaps late or cut short by its limit of tokens; paid even when the client no longer waits for it."""
    await asyncio.sleep(after)
    await exchange.send(exchange.answer(reply_to(exchange.said), finish), paid=True)


@scripted
async def drip(exchange: Exchange, pause: float = 0.5) -> None:
    """A good answer, its body one byte at a time; paid if the client stays to the end."""
    head, line, rest = exchange.answer(reply_to(exchange.said)).partition(b"\r\n\r\n")
    await exchange.send(head + line)
    for place in range(len(rest)):
        await exchange.send(rest[place : place + 1], paid=place == len(rest) - 1)
        await asyncio.sleep(pause)


html = partial(status, 200, "<html>busy</html>", "text/html")
broken_json = partial(status, 200, '{"id": "c1", "choices": [{"index"')
