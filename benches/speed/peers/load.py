"""The same load on every event store: N threads, one batch in flight each, for a time."""

import random
import threading
import time

WORDS = "schema migration timeout connection pool retry index query planner cache deploy rollback token latency".split()


def bodies():
    """Some JSON bodies of 1 KiB, made before the clock starts: a peer must not wait for Python."""
    dice = random.Random(7)
    made = []
    for n in range(512):
        text = " ".join(dice.choice(WORDS) for _ in range(140))[:850]
        made.append(f'{{"interaction_id":"{n}","kind":"llm","agent_id":"agent-{n % 6}","model":"model-{n % 4}","tokens_in":{n},"status":"ok","output":"{text}"}}')
    return made


def timed(clients, batch, seconds, append):
    """Calls `append(client, first, batch)` in a thread each until the time is up; returns what was reached."""
    counts, failures = [0] * clients, []
    begin = time.perf_counter()

    def work(client):
        n = 0
        try:
            while time.perf_counter() - begin < seconds:
                append(client, n, batch)
                n += batch
        except Exception as failure:
            failures.append(failure)
        counts[client] = n

    threads = [threading.Thread(target=work, args=(client,)) for client in range(clients)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    if failures:
        raise failures[0]
    took = time.perf_counter() - begin
    return {"clients": clients, "batch": batch, "events": sum(counts), "events_per_second": sum(counts) / took}
