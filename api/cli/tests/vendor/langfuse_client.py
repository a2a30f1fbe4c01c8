"""Traces an agent with a nested generation and scores it, with whichever major version of Langfuse's SDK is installed:
langfuse_client.py URL KEY. Prints the ids."""

import json
import sys

from langfuse import Langfuse, propagate_attributes

url, key = sys.argv[1], sys.argv[2]
client = Langfuse(host=url, public_key="pk-lf-team", secret_key=key, timeout=30)
print(json.dumps({"auth": client.auth_check()}), flush=True)

with client.start_as_current_observation(name="support", as_type="agent", input={"question": "Why?"}) as root:
    with propagate_attributes(session_id="thread-9", user_id="ada"):
        with client.start_as_current_observation(
            name="answer", as_type="generation", model="gpt-4o", input=[{"role": "user", "content": "Why?"}]
        ) as call:
            call.update(
                output="Because.", usage_details={"input": 12, "output": 3, "total": 15},
                cost_details={"input": 0.5, "output": 0.25, "total": 0.75},
            )
            call.score(name="tone", value=0.75, data_type="NUMERIC", comment="Friendly.")
        with client.start_as_current_observation(name="lookup", as_type="tool", input={"id": 7}) as tool:
            tool.update(output="found")
    root.update(output="Because.")
    root.score_trace(name="verdict", value="good", data_type="CATEGORICAL")
ids = {"TRACE": root.trace_id, "ROOT": root.id, "CALL": call.id, "TOOL": tool.id}
client.create_score(
    score_id="feedback-1", name="solved", value=1, data_type="BOOLEAN", trace_id=ids["TRACE"],
    observation_id=ids["ROOT"], metadata={"evaluator": "human"},
)
client.create_score(name="mood", value=4, session_id="thread-9")
client.flush()
client.shutdown()
print(json.dumps(ids))
