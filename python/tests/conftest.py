"""What tests share: an environment without Prefect, a server that records, one word for both clients."""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import anyio
import httpx
import pytest

from lictor_prefect import Retry, async_service, service

USUAL = Retry()
TOKEN = "lcf_secret-of-the-run"  # noqa: S105
Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("PREFECT", "LICTOR_S", "SSL_CERT")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@dataclass
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """On 127.0.0.1; answers are taken in turn, the last one for ever. None: the connection is broken."""

    port: int
    seen: list[Seen] = field(default_factory=list)
    answers: list[Answer | None] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, *answers: Answer | None) -> None:
        self.answers = list(answers)

    def paths(self) -> list[str]:
        return [one.path for one in self.seen]


def gateway_answer(status: int = 200, body: bytes = b"{}", **headers: str) -> Answer:
    return (
        status,
        {"X-Request-Id": "req-1", **{name.replace("_", "-"): value for name, value in headers.items()}},
        body,
    )


def refusal(status: int, code: str, request_id: str = "req-1", **headers: str) -> Answer:
    body = f'{{"detail": "No.", "code": "{code}", "hint": "Ask.", "request_id": "{request_id}"}}'
    return gateway_answer(status, body.encode(), Content_Type="application/json", **headers)


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            recorder.seen.append(Seen(self.command, self.path, headers, body))
            answer = recorder.answers.pop(0) if len(recorder.answers) > 1 else recorder.answers[0]
            self.close_connection = answer is None
            if answer is None:
                return
            status, more, content = answer
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **more}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _any

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that went away in the midst of its connection."""

    server = Quiet(("127.0.0.1", 0), Handler)
    if tls is not None:
        # The handshake is the thread's of the connection: the one that accepts must not fail with it.
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    recorder = Server(server.server_address[1], answers=[gateway_answer()])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield recorder
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as started:
        yield started


@pytest.fixture
def other_server() -> Iterator[Server]:
    with serving() as started:
        yield started


@pytest.fixture
def gateway(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server as a gateway below a path, with a run's environment."""
    monkeypatch.setenv("PREFECT_API_URL", f"{server.url}/prefect/api")
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", f"run:{TOKEN}")
    monkeypatch.setenv("PREFECT_CLIENT_CUSTOM_HEADERS", f'{{"X-Lictor-Token": "{TOKEN}"}}')
    return server


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nothing waits: how long it would have been."""
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("lictor_prefect._sending.time.sleep", waited.append)
    monkeypatch.setattr("lictor_prefect._sending.anyio.sleep", wait)
    return waited


Ask = Callable[..., httpx.Response]


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """`ask("billing", "GET", "/v1/x", ...)` by either client; `follow=True` follows redirects."""

    def by_sync(
        name: str, method: str, path: str, *, retry: Retry = USUAL, follow: bool = False, **more: object
    ) -> httpx.Response:
        with service(name, retry=retry) as client:
            return client.request(method, path, follow_redirects=follow, **more)  # type: ignore[arg-type]

    def by_async(
        name: str, method: str, path: str, *, retry: Retry = USUAL, follow: bool = False, **more: object
    ) -> httpx.Response:
        async def asked() -> httpx.Response:
            async with async_service(name, retry=retry) as client:
                return await client.request(method, path, follow_redirects=follow, **more)  # type: ignore[arg-type]

        return anyio.run(asked)

    return by_sync if request.param == "sync" else by_async
