"""What goes wrong, one class for each thing that a caller would do differently."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


class PartituraError(Exception):
    """A refusal of the server, as its problem document says it.

    Attributes:
        status: The HTTP status; 0 when nothing answered.
        code: A stable word for programs.
        detail: What happened, with the names and numbers of this case.
        hint: The next step.
        suggestions: Nearest valid names, best first.
        issues: Faults by field: `path`, `code`, `message`.
        trace_id: Names the request in the server's log.
        retry_after: Seconds to wait before a retry.
    """

    def __init__(
        self,
        detail: str,
        *,
        status: int = 0,
        code: str = "unknown",
        hint: str | None = None,
        suggestions: list[str] | None = None,
        issues: list[dict[str, Any]] | None = None,
        trace_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Make one; `str()` says detail, near names and hint."""
        near = f" (did you mean {' or '.join(suggestions)}?)" if suggestions else ""
        super().__init__(f"{detail}{near}" + (f"; {hint}" if hint else ""))
        self.status = status
        self.code = code
        self.detail = detail
        self.hint = hint
        self.suggestions = suggestions or []
        self.issues = issues or []
        self.trace_id = trace_id
        self.retry_after = retry_after


class ConnectionFailed(PartituraError):  # noqa: N818
    """Nothing answers there, or the answer broke off."""


class Malformed(PartituraError):  # noqa: N818
    """The bytes or the SQL cannot be read: fix them."""


class Unauthenticated(PartituraError):  # noqa: N818
    """Send a valid key."""


class Forbidden(PartituraError):  # noqa: N818
    """The key lacks the scope that is named."""


class NotFound(PartituraError):  # noqa: N818
    """There is no such thing; `suggestions` has near names."""


class Conflict(PartituraError):  # noqa: N818
    """The id or the idempotency key was used with another body."""


class Gone(PartituraError):  # noqa: N818
    """It was erased, cancelled, or its snapshot is kept no more: start again."""


class RevisionMismatch(PartituraError):  # noqa: N818
    """The stream has moved: read it, decide again."""


class TooLarge(PartituraError):  # noqa: N818
    """Send less; `detail` names the limit."""


class Invalid(PartituraError):  # noqa: N818
    """Well-formed, but not valid: `issues` names the fields."""


class Busy(PartituraError):  # noqa: N818
    """Too many requests, also after the retries."""


class Unavailable(PartituraError):  # noqa: N818
    """Not available now, or not in time, also after the retries."""


_CLASSES: dict[int, type[PartituraError]] = {
    400: Malformed,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    412: RevisionMismatch,
    413: TooLarge,
    415: Malformed,
    422: Invalid,
    429: Busy,
    503: Unavailable,
    504: Unavailable,
    507: Unavailable,
}


def of_answer(status: int, headers: Mapping[str, str], body: bytes) -> PartituraError:
    """Read a problem document; anything else becomes a problem with its first words."""
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        words = body[:200].decode("utf-8", "replace").strip()
        told = {"detail": words or f"the server answered {status}"}
    return of_members(told, status=status, retry_after=_seconds(headers.get("retry-after")))


def of_members(told: dict[str, Any], *, status: int, retry_after: float | None = None) -> PartituraError:
    """Make the exception of a problem's members."""
    kind = _CLASSES.get(status, PartituraError)
    return kind(
        str(told.get("detail") or told.get("title") or f"the server answered {status}"),
        status=status,
        code=str(told.get("code", "unknown")),
        hint=told.get("hint"),
        suggestions=list(told.get("suggestions") or []),
        issues=list(told.get("issues") or []),
        trace_id=told.get("trace_id"),
        retry_after=retry_after,
    )


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
