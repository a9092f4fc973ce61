"""`service("billing")`: an httpx client for a service behind a Lictor gateway, with the credential of the flow run."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from ._errors import ServiceError, ServiceNotConfigured, ServiceRefused
from ._place import Place, find_place
from ._sending import AsyncTransport, Retry, Transport

__all__ = ["Retry", "ServiceError", "ServiceNotConfigured", "ServiceRefused", "async_service", "service"]

_RETRY = Retry()
_USER_AGENT = f"lictor-prefect/0.1.0 httpx/{httpx.__version__}"


def service(
    name: str, *, retry: Retry = _RETRY, timeout: float = 60.0, headers: Mapping[str, str] | None = None
) -> httpx.Client:
    """A client whose base URL is that of the service; paths are those of the service itself. Close it, or use `with`.

    Raises ServiceNotConfigured when there is neither a gateway nor an address for `name`. A request raises
    ServiceRefused when the gateway refuses it; what the service answers itself is an httpx.Response, whatever its
    status. `timeout` is httpx's, in seconds, for each attempt.
    """
    place = find_place(name)
    inner = httpx.HTTPTransport(verify=place.ssl_context(), proxy=place.proxy())
    return httpx.Client(
        base_url=place.base_url,
        headers=_headers(headers),
        timeout=_timeout(timeout),
        transport=Transport(place, retry, inner),
    )


def async_service(
    name: str, *, retry: Retry = _RETRY, timeout: float = 60.0, headers: Mapping[str, str] | None = None
) -> httpx.AsyncClient:
    """The same for `async` flows and tasks."""
    place: Place = find_place(name)
    inner = httpx.AsyncHTTPTransport(verify=place.ssl_context(), proxy=place.proxy())
    return httpx.AsyncClient(
        base_url=place.base_url,
        headers=_headers(headers),
        timeout=_timeout(timeout),
        transport=AsyncTransport(place, retry, inner),
    )


def _headers(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {"User-Agent": _USER_AGENT, **(headers or {})}


def _timeout(seconds: float) -> httpx.Timeout:
    return httpx.Timeout(seconds, connect=min(seconds, 10.0))
