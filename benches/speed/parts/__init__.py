"""One module per part of the bench: `measure(run)` returns what was measured, `report(result)` tells it in Markdown."""
