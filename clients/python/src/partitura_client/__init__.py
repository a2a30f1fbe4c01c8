"""Client of Partitura: append what agents do, search it, ask it in SQL, follow it.

`Partitura` waits for answers, `AsyncPartitura` is awaited; both have the same calls.
"""

from ._aio import AsyncPartitura
from ._calls import Retry
from ._errors import (
    Busy,
    Conflict,
    ConnectionFailed,
    Forbidden,
    Gone,
    Invalid,
    Malformed,
    NotFound,
    PartituraError,
    RevisionMismatch,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from ._sync import Partitura
from ._types import (
    Appended,
    Context,
    EventIn,
    Hit,
    InteractionFields,
    ItemResult,
    KnowledgeFields,
    OutcomeFields,
    Passage,
    RecordedEvent,
    Rows,
    SearchReply,
    TaskFields,
)

__version__ = "0.1.0"

__all__ = [
    "Appended",
    "AsyncPartitura",
    "Busy",
    "Conflict",
    "ConnectionFailed",
    "Context",
    "EventIn",
    "Forbidden",
    "Gone",
    "Hit",
    "InteractionFields",
    "Invalid",
    "ItemResult",
    "KnowledgeFields",
    "Malformed",
    "NotFound",
    "OutcomeFields",
    "Partitura",
    "PartituraError",
    "Passage",
    "RecordedEvent",
    "Retry",
    "RevisionMismatch",
    "Rows",
    "SearchReply",
    "TaskFields",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
    "__version__",
]
