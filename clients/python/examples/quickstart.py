"""Record a task, what was done for it and what came of it; then ask."""

import os

from partitura_client import Partitura


def main() -> None:
    """Run it."""
    with Partitura(os.environ["PARTITURA_URL"], os.environ.get("PARTITURA_KEY")) as partitura:
        task = partitura.record_task("Migrate the schema", task_id="quick-1", type="migration", team="core")
        for n, tokens in enumerate([1200, 800]):
            partitura.record_interaction(
                "llm",
                interaction_id=f"quick-1/{n}",
                agent_id="claude",
                task_id=task,
                model="claude-sonnet-4",
                tokens_in=tokens,
                tokens_out=80,
            )
        partitura.record_outcome("tests_pass", task_id=task, success=True, evaluator="code")
        rows = partitura.sql(
            "SELECT agent_id, count(*) AS calls, sum(tokens_in) AS tokens FROM interactions "
            "WHERE task_id = $task GROUP BY agent_id",
            {"task": task},
        )
        for row in rows.to_pylist():
            print(f"{row['agent_id']}: {row['calls']} calls, {row['tokens']} tokens")


if __name__ == "__main__":
    main()
