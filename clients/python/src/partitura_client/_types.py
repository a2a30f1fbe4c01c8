"""What goes in and what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, Required, TypedDict

import pyarrow as pa

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Time = datetime | str | int
"""RFC 3339, a datetime with a zone, or an epoch in s, ms, µs or ns."""


class EventIn(TypedDict, total=False):
    """An event to be appended; only `type` is needed."""

    type: Required[str]
    data: dict[str, Any]
    id: str
    source: str
    time: Time
    subject: str
    stream: str
    actor: str
    causation: str
    correlation: str
    traceparent: str
    expected_revision: int


class InteractionFields(TypedDict, total=False):
    """Fields of `interaction.recorded` besides its id and kind."""

    agent_id: str
    attempt_id: str
    task_id: str
    conversation_id: str
    trace_id: str
    parent_id: str
    user_id: str
    provider: str
    model: str
    prompt_id: str
    prompt_version: str
    input: Any
    output: Any
    tool_name: str
    started_at: Time
    latency_ms: float
    ttft_ms: float
    tokens_in: int
    tokens_out: int
    tokens_cache_read: int
    tokens_cache_write: int
    tokens_reasoning: int
    cost: Decimal | str
    currency: str
    status: str
    finish_reason: str
    error: str
    retry_of: str


class TaskFields(TypedDict, total=False):
    """Fields of `task.created` besides its id and title."""

    text: str
    type: str
    project_id: str
    team: str
    requester: str
    repository: str
    language: str
    complexity: str
    priority: int | str
    estimate_minutes: float
    estimate_low: float
    estimate_high: float
    points: float
    due: Time
    parent_id: str
    depends_on: list[str]
    required: list[str]
    labels: dict[str, str]


class OutcomeFields(TypedDict, total=False):
    """Fields of `outcome.recorded` besides its name and evaluator: one id, and a value, a label or a success."""

    attempt_id: str
    task_id: str
    interaction_id: str
    conversation_id: str
    decision_id: str
    experiment_id: str
    value: float
    label: str
    success: bool
    evaluator_id: str
    evaluator_version: str
    supersedes: str
    preferred_over: str
    explanation: str


class KnowledgeFields(TypedDict, total=False):
    """Fields of a piece of knowledge besides its text."""

    knowledge_id: str
    title: str
    kind: Literal["fact", "pattern", "solution", "decision"]
    tags: list[str]
    links: list[str]
    valid_from: Time
    valid_to: Time
    agent_id: str
    task_id: str


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of one event."""

    status: int
    """201: new; 200: there before; else refused, with `error`."""
    id: str | None
    position: int | None
    stream_revision: int | None
    duplicate: bool
    error: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of an append."""

    position: int
    """Position of the log after it: a read with this `min_position` sees it."""
    results: Sequence[ItemResult]
    warnings: Sequence[dict[str, Any]] = ()
    replayed: bool = False
    """The answer was stored before under the same idempotency key."""

    @property
    def refused(self) -> list[ItemResult]:
        """Events that were not taken, with the reason of each."""
        return [item for item in self.results if item.error is not None]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a query or a table, as Arrow."""

    table: pa.Table
    position: int
    """The position of the log at which they were read."""
    truncated: bool
    """A limit cut them: `download` and `table` have none."""

    def __len__(self) -> int:
        """Return how many rows there are."""
        return int(self.table.num_rows)

    def to_pylist(self) -> list[dict[str, Any]]:
        """Return them as dictionaries."""
        rows: list[dict[str, Any]] = self.table.to_pylist()
        return rows

    def to_polars(self) -> pl.DataFrame:
        """Return them as a Polars frame; needs `partitura-client[polars]`."""
        import polars  # noqa: PLC0415

        return polars.from_arrow(self.table)

    def to_pandas(self) -> pd.DataFrame:
        """Return them as a pandas frame; needs `partitura-client[pandas]`."""
        return self.table.to_pandas()


@dataclass(frozen=True, slots=True)
class Hit:
    """One document that was found."""

    id: str
    kind: str
    text: str
    score: float
    title: str | None = None
    highlight: str | None = None
    scores: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SearchReply:
    """What a search found, best first."""

    hits: Sequence[Hit]
    position: int
    took_ms: int
    facets: dict[str, dict[str, int]] = field(default_factory=dict)
    next_cursor: str | None = None
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """One passage for a prompt, and the document that it is from."""

    source: str
    kind: str
    text: str
    tokens: int
    score: float
    cut: bool = False
    """The text is a part of the document."""
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """Passages worth putting in a prompt, within the budget."""

    passages: Sequence[Passage]
    position: int
    tokens: int
    tokenizer: str
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event of the log."""

    position: int
    id: str
    source: str
    type: str
    stream: str
    stream_revision: int
    time: str
    recorded_at: str
    workspace: str
    data: dict[str, Any]
    subject: str | None = None
    actor: str | None = None
    causation: str | None = None
    correlation: str | None = None
    traceparent: str | None = None
