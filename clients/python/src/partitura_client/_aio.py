"""The client that is awaited; call by call the same as the one that waits."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, Unpack

import httpx

from . import _calls as calls
from ._calls import Call, Retry
from ._errors import ConnectionFailed, PartituraError, of_answer, of_members
from ._types import (
    Appended,
    Context,
    EventIn,
    InteractionFields,
    KnowledgeFields,
    OutcomeFields,
    RecordedEvent,
    Rows,
    SearchReply,
    TaskFields,
    Time,
)

T = TypeVar("T")
Kind = Literal["llm", "tool", "agent", "retrieval", "embedding", "workflow", "memory"]
Evaluator = Literal["human", "code", "model"]
AsOf = int | str | datetime


class AsyncPartitura:
    """One server, and how to speak to it.

    Reads see what this client wrote before: they say the position of its last append.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:7070",
        key: str | None = None,
        *,
        workspace: str | None = None,
        timeout_s: float = 120.0,
        retry: Retry | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        """Connect to nothing yet; the first call does.

        Args:
            url: The server's address.
            key: A key of it; none for a server of this machine without keys.
            workspace: Another workspace that the key may read.
            timeout_s: Longest time without a byte from the server.
            retry: How busy or missing servers are tried again.
            http: A client of one's own, for proxies or certificates.
        """
        self._url = calls.base_url(url)
        self._headers = calls.headers_of(key, workspace, "0.1.0")
        self._retry = retry or Retry()
        self._http = http or httpx.AsyncClient(timeout=timeout_s)
        self._written = 0

    @property
    def position(self) -> int:
        """The position after the last append of this client."""
        return self._written

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close its connections."""
        await self.close()

    # Appends

    async def append(
        self,
        events: EventIn | Iterable[EventIn],
        *,
        idempotency_key: str | None = None,
        atomic: bool = False,
        strict: bool = False,
    ) -> Appended:
        """Append one event or many; many go in batches.

        Refused events are in `Appended.refused`, unless all were refused: then the first refusal is raised.

        Args:
            events: Each with a `type`, and mostly `data` and an `id`.
            idempotency_key: The same key and events again: the stored answer. One is made when none is given.
            atomic: All or nothing, in one request.
            strict: Refuse fields of `data` that their kind does not have.
        """
        parts = []
        for call in calls.appends(calls.listed(events), idempotency_key, atomic, strict):
            part = await self._run(call)
            self._written = max(self._written, part.position)
            parts.append(part)
        return calls.together(parts)

    async def record_interaction(
        self,
        kind: Kind,
        *,
        interaction_id: str | None = None,
        time: Time | None = None,
        source: str | None = None,
        **fields: Unpack[InteractionFields],
    ) -> str:
        """Record one call of a model, a tool, an agent or a retriever; return its id."""
        id = interaction_id or calls.new_id()
        data = {"interaction_id": id, "kind": kind, **fields}
        await self.append(calls.event("interaction.recorded", data, time, source))
        return id

    async def record_task(
        self,
        title: str,
        *,
        task_id: str | None = None,
        time: Time | None = None,
        source: str | None = None,
        **fields: Unpack[TaskFields],
    ) -> str:
        """Record that there is a task; return its id."""
        id = task_id or calls.new_id()
        await self.append(calls.event("task.created", {"task_id": id, "title": title, **fields}, time, source))
        return id

    async def record_outcome(
        self,
        name: str,
        *,
        evaluator: Evaluator,
        time: Time | None = None,
        source: str | None = None,
        **fields: Unpack[OutcomeFields],
    ) -> Appended:
        """Record a score, a label or a success of a task, an attempt, an interaction or a conversation."""
        data = {"name": name, "evaluator": evaluator, **fields}
        return await self.append(calls.event("outcome.recorded", data, time, source))

    # Questions

    async def sql(
        self,
        query: str,
        params: dict[str, Any] | Sequence[Any] | None = None,
        *,
        limit: int | None = None,
        timeout_ms: int | None = None,
        whole: bool = False,
        min_position: int | None = None,
        wait_ms: int | None = None,
        as_of: AsOf | None = None,
    ) -> Rows:
        """Ask one read-only statement; return its rows as Arrow.

        Args:
            query: SQL with `$name` or `$1` for the values.
            params: A dictionary for names, a list for numbers.
            limit: Most rows.
            timeout_ms: Longest time.
            whole: All rows, however many: they are written to the server's disk first. Without it, an answer has
                the limits of the server, and says so in `truncated`.
            min_position: Wait until the server knows this position; by default that of the last append.
            wait_ms: How long to wait for it.
            as_of: Answer with what was known at a position, a time, or `now-7d`.
        """
        read_at = self._at(min_position, wait_ms, as_of)
        if whole:
            return await self._run(calls.whole(query, params, read_at))
        return await self._run(calls.sql(query, params, limit, timeout_ms, read_at))

    async def table(
        self,
        name: str,
        *,
        min_position: int | None = None,
        wait_ms: int | None = None,
        as_of: AsOf | None = None,
    ) -> Rows:
        """Read all rows of a table or view."""
        return await self._run(calls.table(name, self._at(min_position, wait_ms, as_of)))

    async def search(
        self,
        query: str,
        *,
        mode: Literal["hybrid", "text", "semantic", "auto"] | None = None,
        limit: int | None = None,
        filter: str | None = None,
        facets: Sequence[str] | None = None,
        highlight: bool | None = None,
        explain: bool | None = None,
        include_ended: bool | None = None,
        cursor: str | None = None,
        min_position: int | None = None,
        wait_ms: int | None = None,
        as_of: AsOf | None = None,
    ) -> SearchReply:
        """Search by words and meaning.

        `filter` is a SQL predicate over the columns of `documents`.
        """
        options = {
            "mode": mode,
            "limit": limit,
            "filter": filter,
            "facets": list(facets) if facets is not None else None,
            "highlight": highlight,
            "explain": explain,
            "include_ended": include_ended,
            "cursor": cursor,
        }
        return await self._run(calls.search(query, options, self._at(min_position, wait_ms, as_of)))

    async def context(
        self,
        query: str,
        *,
        agent_id: str | None = None,
        conversation_id: str | None = None,
        max_tokens: int | None = None,
        min_position: int | None = None,
        wait_ms: int | None = None,
        as_of: AsOf | None = None,
    ) -> Context:
        """Get the passages worth putting in a prompt, within a budget of tokens."""
        options = {"agent_id": agent_id, "conversation_id": conversation_id, "max_tokens": max_tokens}
        return await self._run(calls.context(query, options, self._at(min_position, wait_ms, as_of)))

    # Memory

    async def note(self, text: str, *, idempotency_key: str | None = None, **fields: Unpack[KnowledgeFields]) -> str:
        """Note a piece of knowledge; return its id."""
        id, appended = await self._run(calls.note(text, fields, idempotency_key))
        self._written = max(self._written, appended.position)
        return id

    async def knowledge(self, knowledge_id: str, *, as_of: AsOf | None = None) -> dict[str, Any]:
        """Read a piece of knowledge."""
        return await self._run(calls.knowledge(knowledge_id, self._at(None, None, as_of)))

    async def knowledge_history(self, knowledge_id: str) -> list[dict[str, Any]]:
        """Read all versions of a piece of knowledge, oldest first."""
        return await self._run(calls.knowledge_history(knowledge_id, self._at(None, None, None)))

    async def supersede(self, knowledge_id: str, *, by: str) -> Appended:
        """Say that another piece of knowledge replaces this one."""
        return await self._ended(calls.end_knowledge(knowledge_id, "supersede", {"by": by}))

    async def retract(self, knowledge_id: str, *, reason: str | None = None) -> Appended:
        """Say that a piece of knowledge no longer holds."""
        return await self._ended(calls.end_knowledge(knowledge_id, "retract", {"reason": reason}))

    async def conversation(
        self, conversation_id: str, *, limit: int | None = None, as_of: AsOf | None = None
    ) -> dict[str, Any]:
        """Read a conversation: its messages and calls by time."""
        return await self._run(calls.conversation(conversation_id, limit, self._at(None, None, as_of)))

    # Following

    async def tail(
        self,
        *,
        after: int | None = None,
        types: Iterable[str] | None = None,
        stream: str | None = None,
        follow: bool = True,
    ) -> AsyncIterator[RecordedEvent]:
        """Follow the log: past events after a position, then each new one.

        A connection that breaks off is opened again after the last event, so none is missed or given twice.

        Args:
            after: Begin after this position; 0 is the beginning, none the end.
            types: Only events of these types.
            stream: Only events of this stream.
            follow: Go on for ever; without it, end when everything was given.
        """
        kinds = list(types) if types is not None else None
        if after is None:
            after = await self._head()
        failed = 0
        while True:
            try:
                async for name, told in self._listen(after, kinds, stream):
                    failed = 0
                    if name == "event":
                        found = calls.recorded(told)
                        after = found.position
                        yield found
                    elif name == "caught_up":
                        after = max(after, int(told["position"]))
                        if not follow:
                            return
                    elif name == "error":
                        raise of_members(told, status=int(told.get("status", 0)))
            except (httpx.TransportError, PartituraError) as error:
                if isinstance(error, PartituraError) and not calls.is_busy(error):
                    raise
                asked = error.retry_after if isinstance(error, PartituraError) else None
            else:
                # The server closed it, as it does when it stops.
                asked = None
            failed += 1
            if failed >= self._retry.attempts:
                msg = f"the stream of events at {self._url} broke off {failed} times; last position {after}"
                raise ConnectionFailed(msg, code="connection_failed")
            await asyncio.sleep(self._retry.pause(failed, asked))

    async def _listen(
        self, after: int, types: list[str] | None, stream: str | None
    ) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        params = calls.follow_request(after, types, stream)
        reader = calls.SseReader()
        path = f"{self._url}/v1/events/stream"
        async with self._http.stream("GET", path, params=params, headers=self._headers) as response:
            if not response.is_success:
                raise of_answer(response.status_code, response.headers, await response.aread())
            async for line in response.aiter_lines():
                found = reader.line(line)
                if found is not None:
                    yield found

    async def _head(self) -> int:
        return await self._run(Call("GET", "/v1/limits", calls.position_of))

    # The server

    async def download(self, to: str | os.PathLike[str], *, table: str | None = None, query: str | None = None) -> Path:
        """Save a table or all rows of a query as the file that its ending names.

        The endings are `.parquet`, `.arrow`, `.csv` and `.ndjson`. The file is whole or not there.
        """
        path = Path(to)
        if (table is None) == (query is None):
            msg = "name either a table or a query"
            raise ValueError(msg)
        source = f"/v1/tables/{table}{path.suffix}" if query is None else f"/v1/sql{path.suffix}"
        params = {} if query is None else {"query": query}
        if self._written:
            params["min_position"] = str(self._written)
        beside = path.with_name(path.name + ".part")
        async with self._http.stream("GET", f"{self._url}{source}", params=params, headers=self._headers) as response:
            if not response.is_success:
                raise of_answer(response.status_code, response.headers, await response.aread())
            with beside.open("wb") as out:
                async for chunk in response.aiter_raw():
                    out.write(chunk)
        return beside.replace(path)

    async def limits(self) -> dict[str, Any]:
        """Read the server's limits by name."""
        return await self._run(calls.limits())

    # Sending

    def _at(self, min_position: int | None, wait_ms: int | None, as_of: AsOf | None) -> dict[str, Any]:
        return calls.at(min_position if min_position is not None else self._written, wait_ms, as_of)

    async def _ended(self, call: Call[Appended]) -> Appended:
        appended = await self._run(call)
        self._written = max(self._written, appended.position)
        return appended

    async def _run(self, call: Call[T]) -> T:
        for attempt in range(1, self._retry.attempts + 1):
            asked = None
            try:
                response = await self._http.request(
                    call.method,
                    f"{self._url}{call.path}",
                    params=call.params or None,
                    content=call.content,
                    headers=self._headers | call.headers,
                )
            except httpx.TransportError as error:
                if attempt == self._retry.attempts:
                    msg = f"nothing answers at {self._url}: {error}"
                    raise ConnectionFailed(msg, code="connection_failed") from error
            else:
                problem = call.problem(response)
                if problem is None:
                    return call.read(response)
                if not calls.is_busy(problem) or attempt == self._retry.attempts:
                    raise problem
                asked = problem.retry_after
            await asyncio.sleep(self._retry.pause(attempt, asked))
        msg = "a client needs at least one attempt"
        raise ValueError(msg)
