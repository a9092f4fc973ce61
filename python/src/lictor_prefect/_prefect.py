"""How the Prefect client of this process is configured, and which run it is: what a stock client would send."""

from __future__ import annotations

import base64
import binascii
import importlib
import json
import os
import ssl
from dataclasses import dataclass, field
from types import ModuleType

import certifi

from ._errors import ServiceError

AUTHORIZATION = "authorization"
LICTOR_TOKEN = "x-lictor-token"  # noqa: S105
# Prefect's client sets these itself; the others are the framing of each request.
_NOT_CUSTOM = {"user-agent", "prefect-csrf-token", "prefect-csrf-client", "host", "content-length", "transfer-encoding"}


@dataclass(frozen=True)
class ClientSettings:
    """Of Prefect, as they are now."""

    api_url: str | None
    skip_verify: bool
    cert_file: str | None
    auth_string: str | None = field(repr=False)
    api_key: str | None = field(repr=False)
    custom_headers: dict[str, str] = field(repr=False)

    def headers(self) -> dict[str, str]:
        """What Prefect's client sends, by lower-case name. Where a run's own token is among it, no other credential."""
        basic = None if self.auth_string is None else "Basic " + base64.b64encode(self.auth_string.encode()).decode()
        bearer = None if self.api_key is None else f"Bearer {self.api_key}"
        custom = {name.lower(): value for name, value in self.custom_headers.items()}
        sent = {name: value for name, value in custom.items() if name not in _NOT_CUSTOM}
        carried = [(name, custom[name]) for name in (AUTHORIZATION, LICTOR_TOKEN) if name in custom]
        if (own := basic or bearer) is not None:
            carried.append((AUTHORIZATION, own))
            sent.setdefault(AUTHORIZATION, own)
        for name, value in carried:
            if _secret_of(value).startswith("lcf_"):
                rest = {other: text for other, text in sent.items() if other not in (AUTHORIZATION, LICTOR_TOKEN)}
                sent = {**rest, name: value}
                break
        return {name: _header_text(value) for name, value in sent.items()}

    def has_credential(self) -> bool:
        return bool({AUTHORIZATION, LICTOR_TOKEN} & self.headers().keys())

    def ssl_context(self) -> ssl.SSLContext:
        """As Prefect's client makes its own."""
        if self.skip_verify:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return context
        try:
            return ssl.create_default_context(cafile=self.cert_file or certifi.where())
        except OSError as error:
            raise ServiceError(f"PREFECT_API_SSL_CERT_FILE: {self.cert_file}: {error.strerror or error}") from None


def client_settings() -> ClientSettings:
    """Read anew each time: a retry of the run comes with another token."""
    prefect = _module("prefect.settings")
    if prefect is None:
        return _from_environment()
    current = prefect.get_current_settings()
    return ClientSettings(
        api_url=_text(current.api.url),
        auth_string=_text(current.api.auth_string),
        api_key=_text(current.api.key),
        custom_headers={str(name): str(value) for name, value in current.client.custom_headers.items()},
        skip_verify=bool(current.api.tls_insecure_skip_verify),
        cert_file=_text(current.api.ssl_cert_file),
    )


def flow_run_id() -> str | None:
    """Of the run that this code is part of."""
    runtime = _module("prefect.runtime.flow_run")
    if runtime is None:
        return os.environ.get("PREFECT__FLOW_RUN_ID") or None
    return _text(runtime.id)


def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == "prefect":
            return None
        raise


def _from_environment() -> ClientSettings:
    env = os.environ
    return ClientSettings(
        api_url=env.get("PREFECT_API_URL") or None,
        auth_string=env.get("PREFECT_API_AUTH_STRING") or None,
        api_key=env.get("PREFECT_API_KEY") or None,
        custom_headers=_custom_headers(env.get("PREFECT_CLIENT_CUSTOM_HEADERS") or "{}"),
        skip_verify=env.get("PREFECT_API_TLS_INSECURE_SKIP_VERIFY", "").lower() in ("1", "true", "yes", "on", "t", "y"),
        cert_file=env.get("PREFECT_API_SSL_CERT_FILE") or env.get("SSL_CERT_FILE") or None,
    )


def _custom_headers(text: str) -> dict[str, str]:
    try:
        parsed: object = json.loads(text)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        # The message omits the value, because it holds a credential.
        raise ServiceError("PREFECT_CLIENT_CUSTOM_HEADERS is no JSON object.") from None
    return {str(name): str(value) for name, value in parsed.items()}


def _text(value: object) -> str | None:
    reveal = getattr(value, "get_secret_value", None)
    plain = value if reveal is None else reveal()
    return str(plain) if plain else None


def _secret_of(value: str) -> str:
    """The token of Bearer, the password of Basic, else the value itself."""
    scheme, _, rest = value.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return value
    try:
        decoded = base64.b64decode(rest.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return decoded.partition(":")[2] or decoded


def _header_text(value: str) -> str:
    # Checked here, because a later error would quote the value.
    stripped = value.strip()
    if not stripped.isascii() or not stripped.isprintable():
        raise ServiceError("Prefect's credential or custom headers have characters that no header may have.")
    return stripped
