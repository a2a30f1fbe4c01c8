"""One module per peer. A peer that cannot run here does not stop ours: the report says why it is missing."""

import traceback


class Missing(Exception):
    """The peer is not installed here, or not whole."""


def attempt(work):
    """Returns what `work` measured of a peer, or why it could not."""
    try:
        return work()
    except Missing as missing:
        return {"missing": str(missing)}
    except Exception as failure:
        traceback.print_exc()
        return {"missing": f"it failed: {failure}".strip().splitlines()[0][:200]}
