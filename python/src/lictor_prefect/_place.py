"""Where a service is: at an address that was configured for it, else behind the gateway of Prefect's API."""

from __future__ import annotations

import json
import os
import re
import ssl
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import httpx

from ._errors import ServiceError, ServiceNotConfigured
from ._prefect import ClientSettings, client_settings, flow_run_id

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_VARIABLE = "LICTOR_SERVICES"
# Files in the working directory, and the table of each.
_FILES = (("prefect.toml", ("lictor", "services")), ("pyproject.toml", ("tool", "lictor", "services")))
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Place:
    """Of one service, for the life of a client."""

    name: str
    base_url: httpx.URL
    """Ends with a slash."""
    by_gateway: bool

    def holds(self, url: httpx.URL) -> bool:
        """Whether `url` is at the service, and nowhere else on the gateway."""
        return _origin(url) == _origin(self.base_url) and url.raw_path.startswith(self.base_url.raw_path)

    def credential_headers(self) -> dict[str, str]:
        """The credential as it is now, for this gateway alone, and the run."""
        settings = client_settings()
        if _gateway_base(self.name, settings) != self.base_url:
            raise ServiceError(f"{self.name}: PREFECT_API_URL has changed since this client was made. Make a new one.")
        headers = settings.headers()
        if (run := flow_run_id()) is not None:
            headers["x-prefect-flow-run-id"] = run
        return headers

    def ssl_context(self) -> ssl.SSLContext:
        return client_settings().ssl_context()

    def proxy(self) -> str | None:
        """What HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY say; httpx asks them only for transports of its own."""
        if urllib.request.proxy_bypass(self.base_url.netloc.decode("ascii")):
            return None
        proxies = urllib.request.getproxies()
        proxy = proxies.get(self.base_url.scheme) or proxies.get("all")
        return proxy if proxy is None or "://" in proxy else f"http://{proxy}"


def find_place(name: str) -> Place:
    """The variable first: who sets it means it. Files only where there is no gateway: they come along with the code."""
    if _NAME.fullmatch(name) is None:
        raise ServiceError(f"{name[:80]!r} is no name of a service: small letters, digits and inner hyphens.")
    if (address := _from_variable().get(name)) is not None:
        return Place(name, _own_address(name, address, _VARIABLE), by_gateway=False)
    settings = client_settings()
    base = _gateway_base(name, settings)
    if base is not None and settings.has_credential():
        return Place(name, base, by_gateway=True)
    for file, table in _FILES:
        if (address := _from_file(file, table).get(name)) is not None:
            return Place(name, _own_address(name, address, file), by_gateway=False)
    raise ServiceNotConfigured(_why_nowhere(name, settings))


def _gateway_base(name: str, settings: ClientSettings) -> httpx.URL | None:
    """`https://HOST/PATH/.lictor/svc/NAME/` for an API at `https://HOST/PATH/api`."""
    if settings.api_url is None:
        return None
    try:
        api = httpx.URL(settings.api_url)
    except httpx.InvalidURL:
        return None
    path = api.path.rstrip("/")
    if api.scheme not in ("http", "https") or not path.endswith("/api"):
        return None
    prefix = path.removesuffix("/api")
    return httpx.URL(scheme=api.scheme, host=api.host, port=api.port, path=f"{prefix}/.lictor/svc/{name}/")


def _own_address(name: str, address: object, source: str) -> httpx.URL:
    try:
        url = httpx.URL(address) if isinstance(address, str) else httpx.URL()
    except httpx.InvalidURL:
        url = httpx.URL()
    # A password in the address would stand in logs and errors.
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.query or url.fragment:
        raise ServiceError(
            f"{source}: {name} must be a URL like http://127.0.0.1:9000, without user, query or fragment."
        )
    return url.copy_with(path=url.path if url.path.endswith("/") else f"{url.path}/")


def _from_variable() -> dict[str, object]:
    try:
        parsed: object = json.loads(os.environ.get(_VARIABLE) or "{}")
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise ServiceError(f'{_VARIABLE} is no JSON object like {{"billing": "http://127.0.0.1:9000"}}.')
    return parsed


def _from_file(file: str, table: tuple[str, ...]) -> dict[str, object]:
    try:
        found: object = tomllib.loads(Path(file).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ServiceError(f"{file}: {error}") from error
    for key in table:
        found = found.get(key, {}) if isinstance(found, dict) else {}
    if not isinstance(found, dict):
        raise ServiceError(f"{file}: [{'.'.join(table)}] must be a table of names and URLs.")
    return found


def _why_nowhere(name: str, settings: ClientSettings) -> str:
    if settings.api_url is None:
        why = "PREFECT_API_URL is not set"
    elif _gateway_base(name, settings) is None:
        why = "PREFECT_API_URL does not end with /api, as that of a gateway does"
    else:
        why = "Prefect is configured with no credential for a gateway"
    return (
        f"{name}: {why}, and nothing says where the service is without one. "
        f"Behind a gateway set PREFECT_API_URL and a credential; without one "
        f'{_VARIABLE}=\'{{"{name}": "http://127.0.0.1:9000"}}\', or [lictor.services] in prefect.toml.'
    )


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return (url.scheme, url.host, url.port)
