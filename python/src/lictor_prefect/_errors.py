"""What can go wrong, as plain values: they survive pickling, and hold neither request nor credential."""

from __future__ import annotations


class ServiceError(Exception):
    """A call did not reach the service, or its settings are wrong."""


class ServiceNotConfigured(ServiceError):
    """There is no gateway, and no address for the service either."""


class ServiceRefused(ServiceError):
    """The gateway has refused the call; docs/reference/errors.md has the codes.

    `lictor explain REQUEST_ID` says which policy it was.
    """

    def __init__(self, service: str, *, status: int, code: str, detail: str, hint: str, request_id: str) -> None:
        self.service = service
        self.status = status
        self.code = code
        self.detail = detail
        self.hint = hint
        self.request_id = request_id
        words = " ".join(filter(None, (detail, hint)))
        super().__init__(f"{service}: {status} {code}: {words} [request {request_id}]")

    def __reduce__(self) -> tuple[object, ...]:
        return (_refused, (self.service, self.status, self.code, self.detail, self.hint, self.request_id))


def _refused(service: str, status: int, code: str, detail: str, hint: str, request_id: str) -> ServiceRefused:
    return ServiceRefused(service, status=status, code=code, detail=detail, hint=hint, request_id=request_id)
