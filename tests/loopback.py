"""A loopback HTTP server that speaks OpenAI's and Anthropic's formats, counts every POST and fails when told to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# A fault gets the handler and answers the request itself.
Fault = Callable[["_Handler"], None]


class Loopback:
    """Use as a context; `url` is the address without a path.

    Attributes:
        posts: one entry a POST: path, headers in lower case, body as JSON and as bytes.
        preflights: the same of the calls before a sweep.
        faults: what the next requests meet, in order; afterwards `reply` answers.
        preflight_faults: the same for the calls before a sweep.
        reply: text of an answer, given the POST, or a fault, which answers itself; calls before a sweep are not asked about.
        delay: seconds before an answer.
        errors: what broke in `reply`, which is answered with 400; the first is raised on leaving the context.
    """

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.preflights: list[dict[str, Any]] = []
        self.faults: list[Fault] = []
        self.preflight_faults: list[Fault] = []
        self.reply: Callable[[dict[str, Any]], str | Fault] = lambda post: f"Reply to {post['headers'].get('x-battle')}."
        self.delay = 0.0
        self.errors: list[Exception] = []
        self.lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.loopback = self  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Loopback:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        if self.errors and kind is None:
            raise self.errors[0]

    @property
    def battles(self) -> list[str]:
        """The X-Battle header of every POST."""
        return [post["headers"].get("x-battle", "") for post in self.posts]

    def environment(self, key: str = "sk-loopback-canary-0123456789") -> dict[str, str]:
        """Variables that point both SDKs here."""
        return {
            "OPENAI_BASE_URL": f"{self.url}/v1",
            "OPENAI_API_KEY": key,
            "ANTHROPIC_BASE_URL": self.url,
            "ANTHROPIC_API_KEY": key,
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        loopback: Loopback = self.server.loopback  # type: ignore[attr-defined]
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.post = {
            "path": self.path,
            "headers": {k.lower(): v for k, v in self.headers.items()},
            "body": json.loads(raw),
            "raw": raw,
        }
        early = self.post["headers"].get("x-battle") == "preflight/0"
        faults = loopback.preflight_faults if early else loopback.faults
        with loopback.lock:
            (loopback.preflights if early else loopback.posts).append(self.post)
            fault = faults.pop(0) if faults else None
        if loopback.delay and not early:
            time.sleep(loopback.delay)
        said = fault or ("Yes." if early else self.reply(loopback))
        if isinstance(said, str):
            self.answer(said)
        else:
            said(self)

    def reply(self, loopback: Loopback) -> str | Fault:
        try:
            return loopback.reply(self.post)
        except Exception as error:
            loopback.errors.append(error)
            return status(400)

    def answer(self, text: str, **changes: Any) -> None:
        """Send a good answer in the format of the path."""
        model = self.post["body"].get("model")
        if self.path.endswith("/messages"):
            body: dict[str, Any] = {
                "id": "msg_1", "type": "message", "role": "assistant", "model": model, "stop_reason": "end_turn",
                "stop_sequence": None, "content": [{"type": "text", "text": text}],
                "usage": {"input_tokens": 11, "output_tokens": 7},
            }  # fmt: skip
        else:
            choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}, "logprobs": None}
            body = {
                "id": "c1", "object": "chat.completion", "created": 1, "model": model, "choices": [choice],
                "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
            }  # fmt: skip
        self.send(200, json.dumps(body | changes))

    def send(self, status: int, body: str, content_type: str = "application/json", **headers: str) -> None:
        """Send any answer; underscores in header names become hyphens."""
        data = body.encode()
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)


def status(code: int, body: str = '{"error": {"message": "scripted", "type": "scripted"}}', **headers: str) -> Fault:
    """A fault: answer with this status."""
    return lambda handler: handler.send(code, body, **headers)


def body(**changes: Any) -> Fault:
    """A fault: answer 200 with some fields replaced."""
    return lambda handler: handler.answer("text", **changes)


def html(handler: _Handler) -> None:
    """A fault: a proxy's page in place of JSON, with status 200."""
    handler.send(200, "<html>busy</html>", content_type="text/html")


def cut(handler: _Handler) -> None:
    """A fault: close the connection without an answer."""
    handler.close_connection = True
    handler.connection.close()


def broken_json(handler: _Handler) -> None:
    """A fault: JSON that ends in the middle, with status 200."""
    handler.send(200, '{"id": "c1", "choices": [{"index"')
