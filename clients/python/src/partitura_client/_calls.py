"""Every call as data: what is sent, and how the answer is read. Who sends it is not known here."""

from __future__ import annotations

import itertools
import json
import random
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar, cast
from urllib.parse import quote

import httpx
import pyarrow as pa

from ._errors import PartituraError, of_answer
from ._types import (
    Appended,
    Context,
    EventIn,
    Hit,
    ItemResult,
    Passage,
    RecordedEvent,
    Rows,
    SearchReply,
)

T = TypeVar("T")

EVENTS_MAX = 2_000
"""Events of one request, below the server's limit."""

_OK = 200
_RETRIED = (429, 503)


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and after which pauses a request is sent again when the server is busy or away."""

    attempts: int = 5
    first_s: float = 0.2
    longest_s: float = 20.0

    def pause(self, attempt: int, asked: float | None) -> float:
        """Return the pause after an attempt, counted from 1: what the server asks for, else growing and random."""
        if asked is not None:
            return min(asked, self.longest_s)
        grown: float = min(self.first_s * 2 ** (attempt - 1), self.longest_s)
        return grown * (0.5 + random.random() / 2)


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request. Each can be sent twice: reads change nothing, and appends have a key."""

    method: str
    path: str
    read: Callable[[httpx.Response], T]
    params: dict[str, Any] = field(default_factory=dict)
    content: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    accepts: tuple[int, ...] = ()
    """Statuses that are answers although they are refusals, as of batches."""

    def problem(self, response: httpx.Response) -> PartituraError | None:
        """Return the refusal, if the answer is one."""
        if response.is_success or response.status_code in self.accepts:
            return None
        return of_answer(response.status_code, response.headers, response.content)


def is_busy(problem: PartituraError) -> bool:
    """Return whether the same request may be answered later."""
    return problem.status in _RETRIED


def _default(value: Any) -> Any:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            msg = f"{value!r} has no time zone: use datetime.now(timezone.utc) or .astimezone()"
            raise TypeError(msg)
        return value.isoformat()
    if isinstance(value, Decimal | uuid.UUID):
        return str(value)
    msg = f"{type(value).__name__} cannot be sent as JSON: {value!r:.80}"
    raise TypeError(msg)


def to_json(value: Any) -> bytes:
    """Write JSON: times with their zone, decimals as text."""
    return json.dumps(value, default=_default, allow_nan=False, separators=(",", ":")).encode()


def _post(path: str, body: Mapping[str, Any], read: Callable[[httpx.Response], T], **more: Any) -> Call[T]:
    content = to_json({name: value for name, value in body.items() if value is not None})
    headers = {"content-type": "application/json", **more.pop("headers", {})}
    return Call("POST", path, read, content=content, headers=headers, **more)


def _get(path: str, params: Mapping[str, Any], read: Callable[[httpx.Response], T]) -> Call[T]:
    return Call("GET", path, read, params={name: value for name, value in params.items() if value is not None})


def _json(response: httpx.Response) -> Any:
    return json.loads(response.content)


def _object(response: httpx.Response) -> dict[str, Any]:
    told = _json(response)
    return told if isinstance(told, dict) else {"data": told}


def position_of(response: httpx.Response) -> int:
    """Return the position at which an answer was given."""
    return int(response.headers.get("x-partitura-position", 0))


def at(min_position: int | None, wait_ms: int | None, as_of: int | str | datetime | None) -> dict[str, Any]:
    """Return the parameters that every read takes."""
    moment = as_of.isoformat() if isinstance(as_of, datetime) else as_of
    # What is asked as of the past needs no waiting for what came after.
    least = min_position if moment is None else None
    return {"min_position": least or None, "wait_ms": wait_ms, "as_of": moment}


# Appends


def listed(events: EventIn | Iterable[EventIn]) -> Iterable[EventIn]:
    """Return many events, where one may be given."""
    return [cast(EventIn, events)] if isinstance(events, dict) else events


def appends(
    events: Iterable[EventIn], idempotency_key: str | None, atomic: bool, strict: bool
) -> Iterator[Call[Appended]]:
    """Return one call for each batch of events. Retries of each say the same key, so nothing is doubled."""
    key = idempotency_key or str(uuid.uuid4())
    size = None if atomic else EVENTS_MAX
    params = {name: "true" for name, given in (("atomic", atomic), ("strict", strict)) if given}
    for number, batch in enumerate(_batched(events, size)):
        headers = {
            "content-type": "application/x-ndjson",
            "idempotency-key": key if number == 0 else f"{key}/{number}",
        }
        content = b"\n".join(to_json(event) for event in batch)
        yield Call("POST", "/v1/events", _appended, params, content, headers)


def _batched(events: Iterable[EventIn], size: int | None) -> Iterator[list[EventIn]]:
    rest = iter(events)
    while batch := list(itertools.islice(rest, size)):
        yield batch


def _appended(response: httpx.Response) -> Appended:
    told = _object(response)

    def item(one: dict[str, Any]) -> ItemResult:
        return ItemResult(
            status=one["status"],
            id=one.get("id"),
            position=one.get("position"),
            stream_revision=one.get("stream_revision"),
            duplicate=bool(one.get("duplicate", False)),
            error=one.get("error"),
        )

    return Appended(
        position=told.get("position") or 0,
        results=[item(one) for one in told.get("results", [])],
        warnings=told.get("warnings", []),
        replayed=response.headers.get("idempotent-replayed") == "true",
    )


def together(parts: Iterable[Appended]) -> Appended:
    """Put the answers of several batches together."""
    all_parts = list(parts)
    return Appended(
        position=max((part.position for part in all_parts), default=0),
        results=[item for part in all_parts for item in part.results],
        warnings=[warning for part in all_parts for warning in part.warnings],
        replayed=bool(all_parts) and all(part.replayed for part in all_parts),
    )


def event(type: str, data: Mapping[str, Any], time: Any, source: str | None) -> EventIn:
    """Make an event of one entity."""
    made: EventIn = {"type": type, "data": {k: v for k, v in data.items() if v is not None}}
    if time is not None:
        made["time"] = time
    if source is not None:
        made["source"] = source
    return made


def new_id() -> str:
    """Return an id for something that has none yet."""
    return str(uuid.uuid4())


# Questions

_ARROW = "application/vnd.apache.arrow.stream"


def sql(query: str, params: Any, limit: int | None, timeout_ms: int | None, read_at: dict[str, Any]) -> Call[Rows]:
    """Ask in SQL."""
    body = {"sql": query, "params": params, "format": "arrow", "limit": limit, "timeout_ms": timeout_ms}
    return _post("/v1/sql", body | read_at, _rows, headers={"accept": _ARROW})


def table(name: str, read_at: dict[str, Any]) -> Call[Rows]:
    """Read a whole table."""
    return _get(f"/v1/tables/{quote(name, safe='')}.arrow", read_at, _rows)


def whole(query: str, params: Any, read_at: dict[str, Any]) -> Call[Rows]:
    """Read all rows of a query, past the limits of an answer."""
    given = None if params is None else to_json(params).decode()
    return _get("/v1/sql.arrow", {"query": query, "params": given} | read_at, _rows)


def _rows(response: httpx.Response) -> Rows:
    with pa.ipc.open_stream(response.content) as reader:
        found = reader.read_all()
    truncated = response.headers.get("x-partitura-truncated") == "true"
    return Rows(found, position_of(response), truncated)


def search(query: str, options: dict[str, Any], read_at: dict[str, Any]) -> Call[SearchReply]:
    """Ask in words."""
    return _post("/v1/search", {"query": query} | options | read_at, _found)


def _known(kind: type[Any], told: dict[str, Any]) -> dict[str, Any]:
    # A newer server may say more than this client knows.
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in told.items() if name in names}


def _found(response: httpx.Response) -> SearchReply:
    told = _object(response)
    hits = [Hit(**_known(Hit, hit)) for hit in told["hits"]]
    return SearchReply(**_known(SearchReply, told) | {"hits": hits, "position": told.get("position") or 0})


def context(query: str, options: dict[str, Any], read_at: dict[str, Any]) -> Call[Context]:
    """Ask for what is worth putting in a prompt."""
    return _post("/v1/context", {"query": query} | options | read_at, _context)


def _context(response: httpx.Response) -> Context:
    told = _object(response)
    passages = [Passage(**_known(Passage, passage)) for passage in told["passages"]]
    return Context(**_known(Context, told) | {"passages": passages, "position": told.get("position") or 0})


# Memory


def note(text: str, options: Mapping[str, Any], idempotency_key: str | None) -> Call[tuple[str, Appended]]:
    """Note a piece of knowledge."""
    headers = {"idempotency-key": idempotency_key or str(uuid.uuid4())}
    return _post("/v1/knowledge", {"text": text, **options}, _noted, headers=headers)


def _noted(response: httpx.Response) -> tuple[str, Appended]:
    return str(_object(response)["knowledge_id"]), _appended(response)


def knowledge(knowledge_id: str, read_at: dict[str, Any]) -> Call[dict[str, Any]]:
    """Read a piece of knowledge."""
    return _get(f"/v1/knowledge/{quote(knowledge_id, safe='')}", read_at, _object)


def knowledge_history(knowledge_id: str, read_at: dict[str, Any]) -> Call[list[dict[str, Any]]]:
    """Read all versions of a piece of knowledge."""

    def versions(response: httpx.Response) -> list[dict[str, Any]]:
        return list(_object(response)["data"])

    return _get(f"/v1/knowledge/{quote(knowledge_id, safe='')}/history", read_at, versions)


def end_knowledge(knowledge_id: str, how: str, body: dict[str, Any]) -> Call[Appended]:
    """Supersede or retract a piece of knowledge."""
    headers = {"idempotency-key": str(uuid.uuid4())}
    return _post(f"/v1/knowledge/{quote(knowledge_id, safe='')}/{how}", body, _appended, headers=headers)


def conversation(conversation_id: str, limit: int | None, read_at: dict[str, Any]) -> Call[dict[str, Any]]:
    """Read a conversation."""
    return _get(f"/v1/conversations/{quote(conversation_id, safe='')}", {"limit": limit} | read_at, _object)


def limits() -> Call[dict[str, Any]]:
    """Read the server's limits."""
    return _get("/v1/limits", {}, _object)


# Following


class SseReader:
    """Reads server-sent events line by line."""

    def __init__(self) -> None:
        """Start before the first line."""
        self._name = ""
        self._data: list[str] = []

    def line(self, line: str) -> tuple[str, dict[str, Any]] | None:
        """Take a line without its end; return name and data of the event that it ends."""
        if line:
            key, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if key == "event":
                self._name = value
            elif key == "data":
                self._data.append(value)
            return None
        name, data = self._name, "\n".join(self._data)
        self._name, self._data = "", []
        return (name, json.loads(data)) if data else None


def recorded(told: dict[str, Any]) -> RecordedEvent:
    """Make an event of the log of what the server says."""
    return RecordedEvent(**_known(RecordedEvent, told) | {"data": told.get("data") or {}})


def follow_request(after: int | None, types: Iterable[str] | None, stream: str | None) -> dict[str, str]:
    """Return the parameters of a tail."""
    given = {"type": ",".join(types) if types else None, "stream": stream}
    params = {name: value for name, value in given.items() if value}
    if after is not None:
        params["after_position"] = str(after)
    return params


def base_url(url: str) -> str:
    """Return the server's address with a scheme and without a slash at its end."""
    return (url if "://" in url else f"http://{url}").rstrip("/")


def headers_of(key: str | None, workspace: str | None, version: str) -> dict[str, str]:
    """Return what every request says."""
    said = {"user-agent": f"partitura-client-python/{version}"}
    if key:
        said["authorization"] = f"Bearer {key}"
    if workspace:
        said["x-partitura-workspace"] = workspace
    return said
