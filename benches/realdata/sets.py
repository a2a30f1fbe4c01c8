"""What each data set must give: the same figures from its files, by Python alone, and from SQL.

A set is a function of its folder that returns the files to import and a list of comparisons
(name, SQL, rows expected), the rows computed from the files.
"""

import collections
import csv
import datetime
import glob
import json
import os
from decimal import Decimal


def lines(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line, parse_float=Decimal)


def table(path):
    with open(path, encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def swebench_bashonly(folder):
    tasks = list(lines(f"{folder}/tasks.jsonl"))
    runs = list(table(f"{folder}/outcomes.csv"))
    kinds = {"<15 min fix": "fix_15min", "15 min - 1 hour": "fix_1h", "1-4 hours": "fix_4h", ">4 hours": "fix_long"}
    kind_of = {task["instance_id"]: kinds.get(task["difficulty"], "fix") for task in tasks}
    by_agent = collections.defaultdict(lambda: [0, 0, Decimal(0)])
    by_kind = collections.defaultdict(lambda: [0, 0])
    for run in runs:
        cell = by_agent[run["agent"]]
        cell[0] += 1
        cell[1] += int(run["resolved"])
        cell[2] += Decimal(run["cost_usd"] or 0)
        # A run of a task that has no row of its own has no type.
        kind = by_kind[kind_of.get(run["instance_id"])]
        kind[0] += 1
        kind[1] += int(run["resolved"])
    named = {run["instance_id"] for run in runs} | set(kind_of)
    return ["tasks.jsonl", "outcomes.csv"], [
        ("tasks", "SELECT count(*) FROM tasks", [[len(named)]]),
        ("attempts", "SELECT count(*) FROM attempts", [[len(runs)]]),
        (
            "success and cost per agent",
            """SELECT a.agent_id, count(*), sum(CASE WHEN o.success THEN 1 ELSE 0 END), sum(i.cost)
               FROM attempts a JOIN outcomes o ON o.attempt_id = a.attempt_id
               JOIN interactions i ON i.attempt_id = a.attempt_id GROUP BY 1 ORDER BY 1""",
            sorted([agent, *cell] for agent, cell in by_agent.items()),
        ),
        (
            "accepted per agent and task type, by verdict",
            """SELECT agent_id, task_type, count(*), sum(CASE WHEN verdict = 'accepted' THEN 1 ELSE 0 END)
               FROM attempt_facts GROUP BY 1, 2""",
            cells((run["agent"], kind_of.get(run["instance_id"]), int(run["resolved"])) for run in runs),
        ),
        (
            "success per task type",
            """SELECT t.type, count(*), sum(CASE WHEN o.success THEN 1 ELSE 0 END) FROM outcomes o
               JOIN attempts a ON a.attempt_id = o.attempt_id JOIN tasks t ON t.task_id = a.task_id GROUP BY 1""",
            [[kind, *cell] for kind, cell in by_kind.items()],
        ),
        (
            "API calls",
            """SELECT sum(CAST(json_get_int(data, 'api_calls') AS BIGINT)) FROM events
               WHERE type = 'interaction.recorded'""",
            [[sum(int(run["api_calls"]) for run in runs)]],
        ),
    ]


def cells(triples):
    """Counts runs and successes by the first two of each triple."""
    found = collections.defaultdict(lambda: [0, 0])
    for agent, kind, success in triples:
        found[(agent, kind)][0] += 1
        found[(agent, kind)][1] += success
    return [[agent, kind, *cell] for (agent, kind), cell in found.items()]


def acr_sweagent_runs(folder):
    runs = list(lines(f"{folder}/runs.jsonl"))
    statements = list(lines(f"{folder}/problem_statements.jsonl"))
    by_config = collections.defaultdict(lambda: [0, 0, 0, 0, Decimal(0)])
    minutes = collections.defaultdict(list)
    for run in runs:
        cell = by_config[(run["agent"], run["config"])]
        cell[0] += 1
        cell[1] += int(run["resolved"])
        cell[2] += run.get("input_tokens") or 0
        cell[3] += run.get("output_tokens") or 0
        cell[4] += run.get("cost_usd") or 0
        if run.get("start_epoch"):
            minutes[run["config"]].append((run["end_epoch"] - run["start_epoch"]) / 60)
    tasks = {run["instance_id"] for run in runs} | {row["instance_id"] for row in statements}
    elapsed = sum(run.get("elapsed_s") or 0 for run in runs)
    return ["problem_statements.jsonl", "runs.jsonl"], [
        ("tasks", "SELECT count(*) FROM tasks", [[len(tasks)]]),
        (
            "success, tokens and cost per agent and configuration",
            """SELECT a.agent_id, a.agent_version, count(*), sum(CASE WHEN o.success THEN 1 ELSE 0 END),
                      sum(i.tokens_in), sum(i.tokens_out), sum(i.cost)
               FROM attempts a JOIN outcomes o ON o.attempt_id = a.attempt_id
               JOIN interactions i ON i.attempt_id = a.attempt_id GROUP BY 1, 2""",
            [[agent, config, *cell] for (agent, config), cell in by_config.items()],
        ),
        (
            "minutes per attempt",
            """SELECT agent_version, count(*), sum(minutes), min(minutes), max(minutes) FROM attempt_facts
               WHERE minutes > 0 GROUP BY 1""",
            [[config, len(all), sum(all), min(all), max(all)] for config, all in minutes.items()],
        ),
        ("latency", "SELECT sum(latency_ms) FROM interactions", [[elapsed * 1000]]),
        (
            "verdicts",
            "SELECT count(*) FROM attempt_facts WHERE verdict = 'accepted'",
            [[sum(int(run["resolved"]) for run in runs)]],
        ),
    ]


def aider_events(folder):
    events = list(lines(f"{folder}/events.jsonl"))
    commits = list(table(f"{folder}/git_commits.csv"))
    sent = [event for event in events if event["event"] == "message_send"]
    failed = [event for event in events if event["event"] == "message_send_exception"]
    by_model = collections.defaultdict(lambda: [0, 0, 0, Decimal(0)])
    by_month = collections.defaultdict(Decimal)
    for event in sent:
        properties = event["properties"]
        cell = by_model[properties["main_model"]]
        cell[0] += 1
        cell[1] += properties["prompt_tokens"]
        cell[2] += properties["completion_tokens"]
        cell[3] += properties["cost"]
        day = datetime.datetime.fromtimestamp(event["time"], datetime.timezone.utc)
        by_month[day.strftime("%Y-%m")] += properties["cost"]
    return ["events.jsonl", "git_commits.csv"], [
        ("events", "SELECT count(*) FROM events", [[len(events) + len(commits)]]),
        (
            "calls, tokens and cost per model",
            """SELECT model, count(*), sum(tokens_in), sum(tokens_out), sum(cost) FROM interactions
               WHERE status = 'ok' GROUP BY 1""",
            [[model, *cell] for model, cell in by_model.items()],
        ),
        (
            "cost per month",
            "SELECT substr(CAST(time AS VARCHAR), 1, 7), sum(cost) FROM interactions WHERE status = 'ok' GROUP BY 1",
            [[month, cost] for month, cost in by_month.items()],
        ),
        ("exceptions", "SELECT count(*) FROM interactions WHERE status = 'error'", [[len(failed)]]),
        (
            "commits",
            """SELECT count(*), sum(CASE WHEN json_get_bool(attributes, 'ai_authored') THEN 1 ELSE 0 END)
               FROM artifacts""",
            [[len(commits), sum(int(commit["ai_authored"]) for commit in commits)]],
        ),
        (
            "other events",
            "SELECT count(*) FROM events WHERE type LIKE 'aider.%'",
            [[len(events) - len(sent) - len(failed)]],
        ),
    ]


def gitlab_issues(folder):
    issues = list(lines(f"{folder}/issues.jsonl"))
    closed = [issue for issue in issues if issue["closed_at"]]
    by_project = collections.defaultdict(lambda: [0, 0, Decimal(0)])
    for issue in closed:
        cell = by_project[str(issue["project_id"])]
        cell[0] += 1
        cell[1] += issue["weight"] or 0
        cell[2] += Decimal(issue["closed_at"] - issue["created_at"]) / 60_000
    leads = sorted(Decimal(issue["closed_at"] - issue["created_at"]) / 60_000 for issue in closed)
    middle = len(leads) // 2
    median = leads[middle] if len(leads) % 2 else (leads[middle - 1] + leads[middle]) / 2
    return ["issues.jsonl"], [
        ("tasks", "SELECT count(*) FROM tasks", [[len(issues)]]),
        ("completed", "SELECT count(*) FROM tasks WHERE ended_at IS NOT NULL", [[len(closed)]]),
        (
            "closed, points and lead time per project",
            """SELECT project_id, count(*), sum(points), sum(minutes) FROM task_facts
               WHERE ended_at IS NOT NULL GROUP BY 1""",
            [[project, *cell] for project, cell in by_project.items()],
        ),
        (
            "median lead time",
            "SELECT median(minutes) FROM task_facts WHERE ended_at IS NOT NULL",
            [[median]],
        ),
        (
            "assignments",
            "SELECT count(*) FROM events WHERE type = 'task.assigned'",
            [[sum(len(issue["assignees"]) for issue in issues)]],
        ),
        (
            "due dates",
            "SELECT count(*) FROM tasks WHERE due IS NOT NULL",
            [[sum(1 for issue in issues if issue["due_date"] or issue["milestone_due"])]],
        ),
    ]


def langfuse_traces(folder):
    files = sorted(glob.glob(f"{folder}/*.trace.json"))
    kinds = {"GENERATION": "llm", "AGENT": "agent", "TOOL": "tool", "EMBEDDING": "embedding", "RETRIEVER": "retrieval"}
    by_kind = collections.Counter()
    by_model = collections.defaultdict(lambda: [0, 0, 0, Decimal(0)])
    by_agent = collections.defaultdict(lambda: [0, Decimal(0)])
    parents, scores, threads, millis = 0, 0, set(), 0
    score_sum = Decimal(0)
    for path in files:
        with open(path, encoding="utf-8") as file:
            document = json.load(file, parse_float=Decimal)
        trace = document["trace"]
        for score in trace.get("scores") or []:
            scores += 1
            score_sum += score["value"]
        threads.add(trace.get("sessionId") or trace["id"])
        for seen in document["observations"]:
            by_kind[kinds.get(seen["type"], "workflow")] += 1
            parents += seen.get("parentObservationId") is not None
            usage = seen.get("usageDetails") or {}
            cost = seen.get("totalCost")
            cost = cost if cost is not None else (seen.get("costDetails") or {}).get("total")
            if seen.get("endTime"):
                begin, end = (datetime.datetime.fromisoformat(seen[key]) for key in ("startTime", "endTime"))
                millis += (end - begin) // datetime.timedelta(milliseconds=1)
            if seen.get("model"):
                cell = by_model[seen["model"]]
                cell[0] += 1
                cell[1] += usage.get("input", 0)
                cell[2] += usage.get("output", 0)
                cell[3] += cost or 0
            by_agent[trace["name"]][0] += usage.get("total", 0)
            by_agent[trace["name"]][1] += cost or 0
    return [os.path.basename(path) for path in files], [
        ("interactions per kind", "SELECT kind, count(*) FROM interactions GROUP BY 1", [list(x) for x in by_kind.items()]),
        (
            "tokens and cost per model",
            """SELECT model, count(*), coalesce(sum(tokens_in), 0), coalesce(sum(tokens_out), 0),
                      coalesce(sum(cost), 0) FROM interactions WHERE model IS NOT NULL GROUP BY 1""",
            [[model, *cell] for model, cell in by_model.items()],
        ),
        (
            "all tokens and cost per agent",
            """SELECT agent_id, coalesce(sum(json_get_int(attributes, 'usage_total')), 0), coalesce(sum(cost), 0)
               FROM interactions GROUP BY 1""",
            [[agent, *cell] for agent, cell in by_agent.items()],
        ),
        ("parents", "SELECT count(*) FROM interactions WHERE parent_id IS NOT NULL", [[parents]]),
        (
            "parents that are there",
            """SELECT count(*) FROM interactions i JOIN interactions p ON p.interaction_id = i.parent_id""",
            [[known_parents(files)]],
        ),
        ("threads", "SELECT count(DISTINCT conversation_id) FROM interactions", [[len(threads)]]),
        ("scores", "SELECT count(*), sum(value) FROM outcomes", [[scores, score_sum]]),
        ("time", "SELECT sum(latency_ms) FROM interactions", [[millis]]),
    ]


def known_parents(files):
    count = 0
    for path in files:
        with open(path, encoding="utf-8") as file:
            seen = json.load(file)["observations"]
        ids = {one["id"] for one in seen}
        count += sum(one.get("parentObservationId") in ids for one in seen)
    return count


def locomo(folder):
    with open(f"{folder}/locomo10.json", encoding="utf-8") as file:
        samples = json.load(file)
    by_thread = collections.defaultdict(lambda: [0, 0, set()])
    speakers = collections.Counter()
    characters = 0
    for sample in samples:
        for name, turns in sample["conversation"].items():
            if not isinstance(turns, list):
                continue
            for turn in turns:
                cell = by_thread[sample["sample_id"]]
                cell[0] += 1
                cell[2].add(name)
                speakers[turn["speaker"]] += 1
                text = " ".join(p for p in (turn["text"], caption(turn)) if p)
                characters += len(text)
    return ["locomo10.json"], [
        (
            "turns and sessions per conversation",
            """SELECT conversation_id, count(*), count(DISTINCT json_get_int(attributes, 'session'))
               FROM messages GROUP BY 1""",
            [[thread, cell[0], len(cell[2])] for thread, cell in by_thread.items()],
        ),
        ("turns per speaker", "SELECT sender, count(*) FROM messages GROUP BY 1", [list(x) for x in speakers.items()]),
        ("characters", "SELECT sum(character_length(text)) FROM messages", [[characters]]),
        (
            "first and last day",
            "SELECT substr(CAST(min(time) AS VARCHAR), 1, 10), substr(CAST(max(time) AS VARCHAR), 1, 10) FROM messages",
            [list(days(samples))],
        ),
    ]


def caption(turn):
    return f"[shares {turn['blip_caption']}]" if turn.get("blip_caption") else None


def days(samples):
    times = []
    for sample in samples:
        for name, value in sample["conversation"].items():
            number = name.removeprefix("session_").removesuffix("_date_time")
            if name.endswith("_date_time") and isinstance(sample["conversation"].get(f"session_{number}"), list):
                times.append(datetime.datetime.strptime(value, "%I:%M %p on %d %B, %Y"))
    return min(times).strftime("%Y-%m-%d"), max(times).strftime("%Y-%m-%d")


SETS = [swebench_bashonly, acr_sweagent_runs, aider_events, gitlab_issues, langfuse_traces, locomo]
