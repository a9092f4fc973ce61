"""One request: dressed with the credential for each attempt, tried again where that does no harm, refusals raised."""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass

import anyio
import httpx

from ._errors import ServiceError, ServiceNotConfigured, ServiceRefused
from ._place import Place

# RFC 9110, 9.2.2: doing it twice is doing it once.
_IDEMPOTENT = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"}
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout)
_BROKEN = (httpx.ReadError, httpx.WriteError, httpx.CloseError, httpx.RemoteProtocolError)
_BUSY = {429, 503}
_MAX_REFUSAL_BYTES = 65_536


@dataclass(frozen=True)
class Retry:
    """Attempts in all, the first among them, and the longest wait between two, in seconds.

    An answer that asks for a longer one is final.
    """

    attempts: int = 5
    longest_wait: float = 30.0


class Transport(httpx.BaseTransport):
    """The client's own request never has the credential: only the copy that goes out."""

    def __init__(self, place: Place, retry: Retry, inner: httpx.BaseTransport) -> None:
        self._place = place
        self._retry = retry
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        waits = _Waits(request, self._retry)
        while True:
            outgoing = _dress(request, self._place)
            try:
                response = self._inner.handle_request(outgoing)
            except httpx.TransportError as error:
                if (wait := waits.after_error(error)) is None:
                    raise
            else:
                if (wait := waits.after_answer(response)) is None:
                    return self._judged(response)
                response.close()
            time.sleep(wait)

    def _judged(self, response: httpx.Response) -> httpx.Response:
        if not self._place.by_gateway:
            return response
        try:
            if _may_be_refusal(response):
                response.read()
            _judge(response, self._place.name)
        except BaseException:
            response.close()
            raise
        return response

    def close(self) -> None:
        self._inner.close()


class AsyncTransport(httpx.AsyncBaseTransport):
    """The same, awaited."""

    def __init__(self, place: Place, retry: Retry, inner: httpx.AsyncBaseTransport) -> None:
        self._place = place
        self._retry = retry
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        waits = _Waits(request, self._retry)
        while True:
            outgoing = _dress(request, self._place)
            try:
                response = await self._inner.handle_async_request(outgoing)
            except httpx.TransportError as error:
                if (wait := waits.after_error(error)) is None:
                    raise
            else:
                if (wait := waits.after_answer(response)) is None:
                    return await self._judged(response)
                await response.aclose()
            await anyio.sleep(wait)

    async def _judged(self, response: httpx.Response) -> httpx.Response:
        if not self._place.by_gateway:
            return response
        try:
            if _may_be_refusal(response):
                await response.aread()
            _judge(response, self._place.name)
        except BaseException:
            await response.aclose()
            raise
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Waits:
    """How long until the next attempt of one request; None: there is none."""

    def __init__(self, request: httpx.Request, retry: Retry) -> None:
        # A body that was streamed is gone.
        self._left = retry.attempts - 1 if isinstance(request.stream, httpx.ByteStream) else 0
        self._longest = retry.longest_wait
        self._idempotent = request.method.upper() in _IDEMPOTENT
        self._next = 0.25

    def after_error(self, error: httpx.TransportError) -> float | None:
        if isinstance(error, _NOT_SENT) or (self._idempotent and isinstance(error, _BROKEN)):
            return self._take(None)
        return None

    def after_answer(self, response: httpx.Response) -> float | None:
        if response.status_code not in _BUSY or not self._idempotent:
            return None
        asked = response.headers.get("retry-after")
        if asked is None:
            return self._take(None)
        # The caller reads a date, or a value that is no number.
        return self._take(int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 10 else None

    def _take(self, asked: int | None) -> float | None:
        if self._left <= 0 or (asked is not None and asked > self._longest):
            return None
        self._left -= 1
        grown, self._next = self._next, self._next * 2
        # Runs that were refused together do not come back together.
        spread = random.random()  # noqa: S311
        return min(grown * (0.5 + spread), self._longest) if asked is None else asked * (1 + 0.1 * spread)


def _dress(request: httpx.Request, place: Place) -> httpx.Request:
    if not place.by_gateway:
        return request
    if not place.holds(request.url):
        raise ServiceError(f"{place.name}: the address {_shown(request.url)} is outside of the service; not sent.")
    headers = request.headers.copy()
    for name in [name for name in headers if name in ("authorization", "cookie") or name.startswith("x-lictor-")]:
        del headers[name]
    for name, value in place.credential_headers().items():
        headers.setdefault(name, value)
    return httpx.Request(
        request.method, request.url, headers=headers, stream=request.stream, extensions=request.extensions
    )


def _shown(url: httpx.URL) -> str:
    """No query and no user: they may be secrets."""
    return _line(str(url.copy_with(userinfo=b"", query=None, fragment=None)))


def _may_be_refusal(response: httpx.Response) -> bool:
    length = response.headers.get("content-length", "")
    is_json = response.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
    is_short = length.isascii() and length.isdigit() and len(length) < 10 and int(length) <= _MAX_REFUSAL_BYTES
    # The gateway compresses none; what is short may be long when it is unpacked.
    return response.status_code >= 400 and is_json and is_short and "content-encoding" not in response.headers


def _judge(response: httpx.Response, name: str) -> None:
    """Raises for a refusal of the gateway's, and for an answer that is none of a gateway's."""
    marked = response.headers.get("x-request-id")
    refusal = _refusal(response) if _may_be_refusal(response) else None
    # The sidecar's own refusals have no such header.
    if refusal is not None and marked in (None, refusal["request_id"]):
        words = {key: _line(refusal[key]) for key in ("code", "detail", "hint", "request_id")}
        raise ServiceRefused(name, status=response.status_code, **words)
    if marked is None and response.status_code < 500:
        raise ServiceNotConfigured(
            f"{name}: what answers at PREFECT_API_URL is no Lictor gateway"
            f" (status {response.status_code}, no X-Request-Id). For a service without a gateway set LICTOR_SERVICES."
        )


def _refusal(response: httpx.Response) -> dict[str, str] | None:
    try:
        body: object = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict):
        return None
    words = {key: body.get(key) for key in ("code", "detail", "hint", "request_id")}
    texts = {key: value for key, value in words.items() if isinstance(value, str)}
    return texts if len(texts) == len(words) else None


def _line(text: str) -> str:
    """For a log: one line, of printable characters."""
    return "".join(character if character.isprintable() else " " for character in text)[:500]
