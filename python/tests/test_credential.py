"""Which credential goes along, where it goes, and where it must not show."""

from __future__ import annotations

import base64
import json
import logging
import ssl
import traceback
from pathlib import Path

import httpx
import pytest
import trustme
from conftest import TOKEN, Ask, Server, gateway_answer, serving

from lictor_prefect import Retry, ServiceError, service
from lictor_prefect._prefect import client_settings


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


LCT, LCF = "lct_worker", "lcf_run"


@pytest.mark.parametrize(
    ("auth", "key", "custom", "sent"),
    [
        (f"any:{LCT}", None, {}, {"authorization": basic(f"any:{LCT}")}),
        (None, LCT, {}, {"authorization": f"Bearer {LCT}"}),
        (f"any:{LCT}", "key", {}, {"authorization": basic(f"any:{LCT}")}),
        (None, None, {"Authorization": f"Bearer {LCT}"}, {"authorization": f"Bearer {LCT}"}),
        ("a:b", None, {"AUTHORIZATION": f"Bearer {LCT}"}, {"authorization": f"Bearer {LCT}"}),
        (None, None, {"X-Lictor-Token": LCT, "X-Team": "a"}, {"x-lictor-token": LCT, "x-team": "a"}),
        # A run's own wins over what its worker has set, wherever it stands.
        (
            f"run:{LCF}",
            None,
            {"X-Lictor-Token": LCT, "X-Team": "a"},
            {"authorization": basic(f"run:{LCF}"), "x-team": "a"},
        ),
        (f"any:{LCT}", None, {"X-Lictor-Token": LCF}, {"x-lictor-token": LCF}),
        (f"run:{LCF}", None, {"Authorization": f"Bearer {LCT}"}, {"authorization": basic(f"run:{LCF}")}),
        (f"run:{LCF}", None, {"X-Lictor-Token": LCF}, {"x-lictor-token": LCF}),
        (LCF, None, {"Authorization": "Basic !"}, {"authorization": basic(LCF)}),
        # A line break at its end, as files have it.
        (None, f"{LCT}\n", {"User-Agent": "x", "Host": "y"}, {"authorization": f"Bearer {LCT}"}),
    ],
)
def test_what_the_prefect_client_is_configured_with(
    monkeypatch: pytest.MonkeyPatch, auth: str | None, key: str | None, custom: dict[str, str], sent: dict[str, str]
) -> None:
    values = {"AUTH_STRING": auth, "KEY": key}
    for name, value in values.items():
        if value is not None:
            monkeypatch.setenv(f"PREFECT_API_{name}", value)
    monkeypatch.setenv("PREFECT_CLIENT_CUSTOM_HEADERS", json.dumps(custom))
    assert client_settings().headers() == sent


@pytest.mark.parametrize("value", ["lcf_a\r\nX-Evil: 1", "lcf_\x00", "lcf_é", "[1]", "{"])
def test_what_no_header_may_have_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "https://g.example/api")
    custom = value if value[0] in "[{" else json.dumps({"X-Lictor-Token": value})
    monkeypatch.setenv("PREFECT_CLIENT_CUSTOM_HEADERS", custom)
    with pytest.raises(ServiceError) as raised:
        service("billing")
    assert "lcf_" not in "".join(traceback.format_exception(raised.value))


def test_a_call_carries_the_credential_and_the_run_to_the_service(
    gateway: Server, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT__FLOW_RUN_ID", "run-1")
    answer = ask(
        "billing", "POST", "/v1/x?y=1", json={"a": 1}, headers={"Authorization": "Bearer mine", "X-Lictor-Z": "1"}
    )
    [seen] = gateway.seen
    assert (seen.method, seen.path, seen.body) == ("POST", "/prefect/.lictor/svc/billing/v1/x?y=1", b'{"a":1}')
    assert seen.headers["x-lictor-token"] == TOKEN
    assert seen.headers["x-prefect-flow-run-id"] == "run-1"
    assert seen.headers["user-agent"].startswith("lictor-prefect/")
    assert {"authorization", "x-lictor-z"}.isdisjoint(seen.headers)
    # The printed request of an answer has no credential.
    assert TOKEN not in str(answer.request.headers.raw)


def test_each_call_takes_the_credential_as_it_is_then(gateway: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with service("billing") as client:
        client.get("/a")
        monkeypatch.setenv("PREFECT_CLIENT_CUSTOM_HEADERS", '{"X-Lictor-Token": "lcf_next"}')
        client.get("/b")
        monkeypatch.setenv("PREFECT_API_URL", "https://elsewhere.example/api")
        with pytest.raises(ServiceError, match="PREFECT_API_URL has changed"):
            client.get("/c")
    assert [one.headers["x-lictor-token"] for one in gateway.seen] == [TOKEN, "lcf_next"]


def test_a_redirect_within_the_service_is_followed(gateway: Server, ask: Ask) -> None:
    gateway.answer(gateway_answer(302, Location="/prefect/.lictor/svc/billing/v1/there"), gateway_answer())
    assert ask("billing", "GET", "/v1/here", follow=True).status_code == 200
    assert gateway.seen[1].headers["x-lictor-token"] == TOKEN


@pytest.mark.parametrize(
    "link",
    [
        "{other}/x",
        "{other}/prefect/.lictor/svc/billing/x",
        "{own}/prefect/api/x",
        "/prefect/.lictor/svc/other/x",
        "../../../../x",
    ],
)
def test_a_redirect_out_of_the_service_is_not(gateway: Server, other_server: Server, ask: Ask, link: str) -> None:
    gateway.answer(gateway_answer(302, Location=link.format(other=other_server.url, own=gateway.url)), gateway_answer())
    with pytest.raises(ServiceError, match="outside of the service"):
        ask("billing", "GET", "/v1/here", follow=True)
    assert (len(gateway.seen), other_server.seen) == (1, [])


@pytest.mark.parametrize(
    "path", ["{other}/x", "../other/x", "/../other/x", "{other}/prefect/.lictor/svc/billing/x?key=hunter2"]
)
def test_an_address_out_of_the_service_is_not_asked(gateway: Server, other_server: Server, ask: Ask, path: str) -> None:
    with pytest.raises(ServiceError, match="outside of the service") as raised:
        ask("billing", "GET", path.format(other=other_server.url))
    assert (gateway.seen, other_server.seen) == ([], [])
    assert "hunter2" not in str(raised.value)


def test_without_the_gateway_no_credential_goes_along(
    gateway: Server, other_server: Server, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LICTOR_SERVICES", json.dumps({"billing": f"{other_server.url}/base"}))
    other_server.answer((200, {}, b"{}"))
    own = {"Authorization": "Bearer mine"}
    assert ask("billing", "GET", "/v1/x", headers=own).status_code == 200
    [seen] = other_server.seen
    assert (seen.path, seen.headers["authorization"]) == ("/base/v1/x", "Bearer mine")
    assert TOKEN not in str(seen.headers)


def test_the_credential_is_in_no_log_and_no_error(
    gateway: Server, ask: Ask, caplog: pytest.LogCaptureFixture, waits: list[float]
) -> None:
    caplog.set_level(logging.DEBUG)
    gateway.answer(None)
    with pytest.raises(httpx.RemoteProtocolError) as raised:
        ask("billing", "GET", "/v1/x")
    assert TOKEN not in "".join(traceback.format_exception(raised.value))
    assert TOKEN not in str(raised.value.request.headers.raw)
    assert len(caplog.records) > 0
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(client_settings())


def test_a_proxy_of_the_environment_is_heeded(
    gateway: Server, other_server: Server, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", other_server.url.removeprefix("http://"))
    ask("billing", "GET", "/v1/x")
    assert other_server.paths() == [f"{gateway.url}/prefect/.lictor/svc/billing/v1/x"]
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    ask("billing", "GET", "/v1/x")
    assert (len(gateway.seen), len(other_server.seen)) == (1, 1)


def test_tls_is_that_of_the_prefect_client(monkeypatch: pytest.MonkeyPatch, ask: Ask, tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", f"run:{TOKEN}")
    for setting, value, trusted in (
        ("PREFECT_API_KEY", "x", False),
        ("PREFECT_API_SSL_CERT_FILE", str(tmp_path / "ca.pem"), True),
        ("PREFECT_API_TLS_INSECURE_SKIP_VERIFY", "true", True),
    ):
        with serving(context) as secure, monkeypatch.context() as patch:
            patch.setenv("PREFECT_API_URL", f"{secure.url.replace('http', 'https')}/api")
            patch.setenv(setting, value)
            if trusted:
                assert ask("billing", "GET", "/v1/x").status_code == 200
            else:
                with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                    ask("billing", "GET", "/v1/x", retry=Retry(attempts=1))
            assert len(secure.seen) == int(trusted)
