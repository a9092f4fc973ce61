"""What is tried again, how long is waited, and what a refusal becomes."""

from __future__ import annotations

import gzip
import pickle
import socket

import httpx
import pytest
from conftest import Ask, Server, gateway_answer, refusal

from lictor_prefect import Retry, ServiceNotConfigured, ServiceRefused


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_answer_is_waited_for(gateway: Server, ask: Ask, waits: list[float], method: str, status: int) -> None:
    gateway.answer(refusal(status, "rate-limited", Retry_After="7"), gateway_answer(status), gateway_answer())
    assert ask("billing", method, "/v1/x").status_code == 200
    assert len(gateway.seen) == 3
    assert 7 <= waits[0] <= 7.7
    assert 0 < waits[1] < 1


@pytest.mark.parametrize("after", ["31", "Wed, 21 Oct 2026 07:28:00 GMT", "-1", "1.5", "9" * 20])
def test_a_longer_wait_or_one_that_is_no_number_is_final(
    gateway: Server, ask: Ask, waits: list[float], after: str
) -> None:
    gateway.answer(gateway_answer(503, Retry_After=after))
    assert ask("billing", "GET", "/v1/x").status_code == 503
    assert (len(gateway.seen), waits) == (1, [])


def test_attempts_have_an_end(gateway: Server, ask: Ask, waits: list[float]) -> None:
    gateway.answer(refusal(429, "rate-limited", Retry_After="1"))
    with pytest.raises(ServiceRefused, match="rate-limited"):
        ask("billing", "GET", "/v1/x", retry=Retry(attempts=3))
    assert (len(gateway.seen), len(waits)) == (3, 2)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("status", [429, 503])
def test_what_is_not_idempotent_is_sent_once(
    gateway: Server, ask: Ask, waits: list[float], method: str, status: int
) -> None:
    gateway.answer(gateway_answer(status, Retry_After="1"), gateway_answer())
    assert ask("billing", method, "/v1/x", content=b"x").status_code == status
    gateway.answer(None, gateway_answer())
    with pytest.raises(httpx.RemoteProtocolError):
        ask("billing", method, "/v1/x", content=b"x")
    assert (len(gateway.seen), waits) == (2, [])


def test_a_broken_connection_is_tried_again_where_that_does_no_harm(
    gateway: Server, ask: Ask, waits: list[float]
) -> None:
    gateway.answer(None, gateway_answer())
    assert ask("billing", "PUT", "/v1/x", content=b"x").status_code == 200
    assert [one.body for one in gateway.seen] == [b"x", b"x"]


def test_a_body_that_is_streamed_is_sent_once(gateway: Server, ask: Ask, waits: list[float]) -> None:
    gateway.answer(gateway_answer(503, Retry_After="1"), gateway_answer())
    files = {"file": b"x"}
    assert ask("billing", "PUT", "/v1/x", files=files).status_code == 503
    assert (len(gateway.seen), waits) == (1, [])


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_connection_that_is_refused_has_sent_nothing(
    monkeypatch: pytest.MonkeyPatch, ask: Ask, waits: list[float], method: str
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("LICTOR_SERVICES", f'{{"billing": "http://127.0.0.1:{unused.getsockname()[1]}"}}')
        with pytest.raises(httpx.ConnectError):
            ask("billing", method, "/v1/x")
    assert len(waits) == 4
    assert waits[3] > waits[0]


def test_a_refusal_of_the_gateway_is_raised(gateway: Server, ask: Ask) -> None:
    gateway.answer(refusal(403, "policy-forbids"))
    with pytest.raises(ServiceRefused) as raised:
        ask("billing", "POST", "/v1/x")
    for error in (raised.value, pickle.loads(pickle.dumps(raised.value))):  # noqa: S301
        assert isinstance(error, ServiceRefused)
        assert (error.service, error.status, error.code) == ("billing", 403, "policy-forbids")
        assert (error.detail, error.hint, error.request_id) == ("No.", "Ask.", "req-1")
        assert str(error) == "billing: 403 policy-forbids: No. Ask. [request req-1]"


def test_one_of_the_sidecar_has_no_request_id_in_its_headers(gateway: Server, ask: Ask) -> None:
    status, headers, body = refusal(401, "sidecar-no-credential")
    gateway.answer((status, {name: value for name, value in headers.items() if name != "X-Request-Id"}, body))
    with pytest.raises(ServiceRefused, match="sidecar-no-credential"):
        ask("billing", "GET", "/v1/x")


def test_what_the_service_answers_itself_is_an_answer(gateway: Server, ask: Ask) -> None:
    json_type = {"Content_Type": "application/json"}
    own = [
        gateway_answer(403, b'{"detail": "mine"}', **json_type),
        gateway_answer(404, b"[]", **json_type),
        gateway_answer(500, b"{", **json_type),
        refusal(409, "policy-forbids", request_id="another"),
        gateway_answer(403, b'{"code": "x", "detail": "y", "hint": "z", "request_id": "req-1"}'),
        gateway_answer(200, b'{"code": "x", "detail": "y", "hint": "z", "request_id": "req-1"}', **json_type),
        gateway_answer(400, b"[" * 50_000, **json_type),
        gateway_answer(400, b"[" * 70_000, **json_type),
    ]
    for answer in own:
        gateway.answer(answer)
        assert ask("billing", "GET", "/v1/x").status_code == answer[0]
        assert ask("billing", "GET", "/v1/x").content == answer[2]


def test_what_is_packed_is_not_unpacked_to_look(gateway: Server, ask: Ask) -> None:
    _, headers, body = refusal(403, "policy-forbids")
    gateway.answer((403, {**headers, "Content-Encoding": "gzip"}, gzip.compress(body)))
    assert ask("billing", "GET", "/v1/x").content == body


def test_words_of_a_refusal_are_one_line(gateway: Server, ask: Ask) -> None:
    body = b'{"detail": "a\\nb\\u001b[0m", "code": "x", "hint": "", "request_id": "req-1"}'
    gateway.answer(gateway_answer(403, body, Content_Type="application/json"))
    with pytest.raises(ServiceRefused) as raised:
        ask("billing", "GET", "/v1/x")
    assert str(raised.value) == "billing: 403 x: a b [0m [request req-1]"


@pytest.mark.parametrize("status", [200, 302, 404])
def test_an_answer_that_is_none_of_a_gateway_is_told(gateway: Server, ask: Ask, status: int) -> None:
    gateway.answer((status, {"Content-Type": "text/html"}, b"<html>"))
    with pytest.raises(ServiceNotConfigured, match="no Lictor gateway"):
        ask("billing", "GET", "/v1/x")


def test_without_the_gateway_every_answer_is_the_service_own(
    server: Server, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LICTOR_SERVICES", f'{{"billing": "{server.url}"}}')
    server.answer(refusal(403, "policy-forbids"))
    assert ask("billing", "GET", "/v1/x").status_code == 403
