"""Where a service is looked for, and what is said when it is nowhere."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from lictor_prefect import ServiceError, ServiceNotConfigured, service
from lictor_prefect._place import Place


def base_of(name: str) -> str:
    with service(name) as client:
        return str(client.base_url)


@pytest.mark.parametrize(
    ("api_url", "base"),
    [
        ("https://prefect.example.com/api", "https://prefect.example.com/.lictor/svc/billing/"),
        ("https://prefect.example.com:443/api/", "https://prefect.example.com/.lictor/svc/billing/"),
        ("https://x.example/a/prefect/api", "https://x.example/a/prefect/.lictor/svc/billing/"),
        ("http://127.0.0.1:8200/api", "http://127.0.0.1:8200/.lictor/svc/billing/"),
        ("http://[::1]:8200/api", "http://[::1]:8200/.lictor/svc/billing/"),
        ("https://me:password@prefect.example.com/api", "https://prefect.example.com/.lictor/svc/billing/"),
    ],
)
def test_behind_the_gateway_that_the_api_is_behind(monkeypatch: pytest.MonkeyPatch, api_url: str, base: str) -> None:
    monkeypatch.setenv("PREFECT_API_URL", api_url)
    monkeypatch.setenv("PREFECT_API_KEY", "lct_1")
    assert base_of("billing") == base


def test_the_variable_wins_and_files_only_count_without_a_gateway(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "prefect.toml").write_text('[lictor.services]\nbilling = "http://localhost:1/v1"\n')
    (tmp_path / "pyproject.toml").write_text(
        '[tool.lictor.services]\nbilling = "http://localhost:2"\nrates = "http://h/"\n'
    )
    assert base_of("billing") == "http://localhost:1/v1/"
    assert base_of("rates") == "http://h/"
    monkeypatch.setenv("PREFECT_API_URL", "https://g.example/api")
    assert base_of("billing") == "http://localhost:1/v1/"
    monkeypatch.setenv("PREFECT_API_KEY", "lct_1")
    assert base_of("billing") == "https://g.example/.lictor/svc/billing/"
    monkeypatch.setenv("LICTOR_SERVICES", '{"billing": "http://localhost:3"}')
    assert base_of("billing") == "http://localhost:3/"
    assert base_of("rates") == "https://g.example/.lictor/svc/rates/"


@pytest.mark.parametrize(
    ("env", "why"),
    [
        ({}, "PREFECT_API_URL is not set"),
        ({"PREFECT_API_URL": "http://127.0.0.1:4200/api"}, "no credential"),
        ({"PREFECT_API_URL": "https://api.prefect.cloud/api/accounts/a/workspaces/b", "PREFECT_API_KEY": "k"}, "/api"),
        ({"PREFECT_API_URL": "not a url", "PREFECT_API_KEY": "k"}, "/api"),
    ],
)
def test_nowhere_says_what_to_set(monkeypatch: pytest.MonkeyPatch, env: dict[str, str], why: str) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ServiceNotConfigured) as raised:
        service("billing")
    assert why in str(raised.value)
    assert """LICTOR_SERVICES='{"billing": "http://""" in str(raised.value)


@pytest.mark.parametrize("name", ["", "..", "Billing", "a/b", "a?b", "a%2fb", "-a", "a" * 64, "billing\n"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ServiceError, match="no name of a service"):
        service(name)


@pytest.mark.parametrize(
    "value",
    ["[]", "{", '{"billing": 1}', '{"billing": "ftp://h"}', '{"billing": "http://me:hunter2@h"}', '{"billing": "/x"}'],
)
def test_a_wrong_variable_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("LICTOR_SERVICES", value)
    with pytest.raises(ServiceError, match="LICTOR_SERVICES") as raised:
        service("billing")
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("text", ["[lictor]\nservices = 1", "[lictor.services", "lictor = 1\nx"])
def test_a_wrong_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "prefect.toml").write_text(text)
    with pytest.raises(ServiceError, match=r"prefect\.toml"):
        service("billing")


def test_a_certificate_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LICTOR_SERVICES", '{"billing": "https://h"}')
    monkeypatch.setenv("PREFECT_API_SSL_CERT_FILE", "/none/ca.pem")
    with pytest.raises(ServiceError, match=r"PREFECT_API_SSL_CERT_FILE: /none/ca\.pem"):
        service("billing")


@pytest.mark.parametrize(
    ("url", "held"),
    [
        ("https://g.example/p/.lictor/svc/billing/x?y", True),
        ("https://g.example:443/p/.lictor/svc/billing/", True),
        ("http://g.example/p/.lictor/svc/billing/x", False),
        ("http://g.example:443/p/.lictor/svc/billing/x", False),
        ("https://g.example:444/p/.lictor/svc/billing/x", False),
        ("https://g.example.evil/p/.lictor/svc/billing/x", False),
        ("https://g.example@evil/p/.lictor/svc/billing/x", False),
        ("https://g.example/p/.lictor/svc/billing", False),
        ("https://g.example/p/.lictor/svc/billing2/x", False),
        ("https://g.example/p/.lictor/svc/billing/../other/x", False),
        ("https://g.example/.lictor/svc/billing/x", False),
    ],
)
def test_an_address_is_at_the_service_or_it_is_not(url: str, held: bool) -> None:
    place = Place("billing", httpx.URL("https://g.example/p/.lictor/svc/billing/"), by_gateway=True)
    assert place.holds(httpx.URL(url)) is held
