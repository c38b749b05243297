"""A session in; a page on 127.0.0.1 out, for whoever knows its address and for nobody else.

    GET  /TOKEN/             the page
    GET  /TOKEN/queue        which messages there are, and which are done
    GET  /TOKEN/message/ID   one message
    POST /TOKEN/message/ID   its labels, stored before the answer

There are no other routes and no files behind them. A request is refused unless it names this server as its host, comes from this
page or from none, and has the token, which is new in every session: other pages of the same browser cannot reach it, and other
users of the machine cannot guess it.
"""

from __future__ import annotations

import secrets
import socketserver
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, Final

import orjson

from mitigation.annotation.page import Page
from mitigation.annotation.session import Session
from mitigation.errors import ConfigError

LARGEST: Final = 1 << 20
SECONDS: Final = 30
_HTML: Final = "text/html; charset=utf-8"
_JSON: Final = "application/json"
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class _Refused(Exception):
    """A request that gets no content, and why."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class AnnotationServer(socketserver.ThreadingTCPServer):
    """Serves one session on loopback; use as a context, and `serve_forever` inside it.

    Args:
        session: what is labelled.
        page: the page as it is sent.
        port: where to listen; 0 takes a free one.

    Raises:
        ConfigError: the port cannot be had.
    """

    allow_reuse_address = True
    request_queue_size = 64
    # A browser keeps connections open that say nothing; the end of the program does not wait for them.
    daemon_threads = True

    def __init__(self, session: Session, page: Page, *, port: int = 0) -> None:
        self.session, self.page = session, page
        self.token = secrets.token_urlsafe(24)
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise ConfigError(f"port={port} cannot be had ({error.strerror}): give another, or 0 for a free one") from None
        self.port: int = self.server_address[1]

    @property
    def address(self) -> str:
        """Where the page is; who has it may read and label."""
        return f"http://127.0.0.1:{self.port}/{self.token}/"

    @property
    def hosts(self) -> tuple[str, ...]:
        """What a request may name as its host."""
        return f"127.0.0.1:{self.port}", f"localhost:{self.port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet about a browser that went away; anything else is told."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: AnnotationServer
    server_version = "mitigation"
    sys_version = ""
    timeout = SECONDS

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: the address of a request holds the token."""

    def _answer(self, act: Callable[[list[str], bytes], tuple[str, bytes]]) -> None:
        status = HTTPStatus.OK
        try:
            # Before anything is refused: a connection that is closed on unread bytes can lose the answer.
            body = self._body()
            kind, content = act(self._route(), body)
        except _Refused as refused:
            status, kind, content = refused.status, _JSON, orjson.dumps({"error": str(refused)})
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Security-Policy": self.server.page.policy}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()) or "Transfer-Encoding" in self.headers:
            raise _Refused(HTTPStatus.LENGTH_REQUIRED, "the length of the body is not said")
        size = int(length[:19])
        if size > LARGEST:
            if size <= 2 * LARGEST:
                self.rfile.read(size)
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has at most {LARGEST:,} bytes")
        return self.rfile.read(size)

    def _route(self) -> list[str]:
        """Return the parts of the address behind the token, if the request may be answered at all."""
        hosts, origins = self.headers.get_all("Host", []), self.headers.get_all("Origin", [])
        if len(hosts) != 1 or hosts[0] not in self.server.hosts:
            raise _Refused(HTTPStatus.FORBIDDEN, "another host was asked for")
        if any(origin != f"http://{hosts[0]}" for origin in origins):
            raise _Refused(HTTPStatus.FORBIDDEN, "another page is asking")
        first, _, rest = self.path.removeprefix("/").partition("/")
        if not secrets.compare_digest(first.encode("utf-8", "replace"), self.server.token.encode()):
            raise _Refused(HTTPStatus.FORBIDDEN, "the token is missing or of another session")
        return rest.split("/")

    def _get(self, route: list[str], body: bytes) -> tuple[str, bytes]:
        match route:
            case [""]:
                return _HTML, self.server.page.content
            case ["queue"]:
                return _JSON, orjson.dumps(self.server.session.queue())
            case ["message", name]:
                try:
                    return _JSON, orjson.dumps(self.server.session.message(name))
                except KeyError:
                    pass
        raise _Refused(HTTPStatus.NOT_FOUND, "there is nothing here")

    def _post(self, route: list[str], body: bytes) -> tuple[str, bytes]:
        match route:
            case ["message", name]:
                return _JSON, self._saved(name, body)
        raise _Refused(HTTPStatus.NOT_FOUND, "there is nothing here")

    def _saved(self, name: str, body: bytes) -> bytes:
        if self.headers.get_content_type() != _JSON:
            raise _Refused(HTTPStatus.BAD_REQUEST, f"labels are sent as {_JSON}")
        try:
            self.server.session.save(name, orjson.loads(body))
        except KeyError:
            raise _Refused(HTTPStatus.NOT_FOUND, "there is no such message") from None
        except ValueError as error:
            raise _Refused(HTTPStatus.BAD_REQUEST, str(error)) from None
        except OSError as error:
            raise _Refused(HTTPStatus.INSUFFICIENT_STORAGE, f"the disk did not take it ({error.strerror})") from None
        done, total = self.server.session.progress
        return orjson.dumps({"done": done, "total": total})
