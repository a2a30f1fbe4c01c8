//! One task from creation to its verdict: attempts, calls, tests, a merge, sometimes a hand-over.

use chrono::{DateTime, Duration, Utc};
use serde_json::json;

use super::Simulation;
use super::team::TASK_TYPES;
use super::words::{
    ERRORS, FINDINGS, OBJECTIONS, OBSTACLES, PARTS, PRAISE, PROJECTS, REMEDIES, TITLES, TOOLS, TROUBLES,
};

/// Attempts after which a task is given up.
const ATTEMPTS_MAX: u64 = 3;

struct Task {
    id: String,
    task_type: usize,
    team: &'static str,
    part: &'static str,
    trouble: &'static str,
    conversation: String,
}

/// Writes a task's whole life.
pub fn run(simulation: &mut Simulation, day: u32, created: DateTime<Utc>) {
    let task = create(simulation, created);
    let mut at = created + minutes(simulation.dice.around(12.0, 0.8));
    let mut agent = choose(simulation, task.task_type, None);
    say(simulation, "task.assigned", at, &task, json!({"agent_id": simulation.team.agents[agent].id}));
    let mut cause = "first";
    for number in 1..=ATTEMPTS_MAX {
        at += minutes(simulation.dice.around(4.0, 0.6));
        at = wait(simulation, &task, at);
        let (ended, accepted) = attempt(simulation, &task, agent, number, cause, day, at);
        at = ended;
        if accepted {
            let by = simulation.team.agents[agent].id.clone();
            let remedy = *simulation.dice.pick(REMEDIES);
            let spent = (ended - created).num_minutes().max(1);
            let data = json!({"agent_id": by, "summary": format!("{}: {remedy}.", task.part), "actual_minutes": spent});
            say(simulation, "task.completed", at + minutes(2.0), &task, data);
            simulation.tally.completed += 1;
            return;
        }
        if number < ATTEMPTS_MAX && simulation.dice.chance(0.65) {
            agent = hand_over(simulation, &task, agent, at);
            cause = "failover";
        } else {
            cause = "retry";
        }
    }
    let data = json!({"agent_id": simulation.team.agents[agent].id, "error": "no attempt passed review"});
    say(simulation, "task.failed", at + minutes(2.0), &task, data);
    simulation.tally.given_up += 1;
}

/// Some tasks wait for something before they go on. Returns when.
fn wait(simulation: &mut Simulation, task: &Task, at: DateTime<Utc>) -> DateTime<Utc> {
    if !simulation.dice.chance(0.06) {
        return at;
    }
    simulation.tally.blocked += 1;
    let reason = *simulation.dice.pick(OBSTACLES);
    say(simulation, "task.blocked", at, task, json!({"reason": reason}));
    let free = at + minutes(simulation.dice.around(150.0, 0.7));
    say(simulation, "task.unblocked", free, task, json!({"reason": format!("settled: {reason}")}));
    free + minutes(2.0)
}

fn create(simulation: &mut Simulation, created: DateTime<Utc>) -> Task {
    simulation.tally.tasks += 1;
    let number = simulation.tally.tasks;
    let (dice, writer) = (&mut simulation.dice, &mut simulation.writer);
    let task_type = dice.weighted(&[0.3, 0.25, 0.15, 0.1, 0.12, 0.08]);
    let (project, team, repository) = *dice.pick(PROJECTS);
    let (part, trouble) = (*dice.pick(PARTS), *dice.pick(TROUBLES));
    let (before, after) = TITLES[task_type];
    let title = if task_type == 0 { format!("{before} {part} {trouble}") } else { format!("{before} {part}{after}") };
    let task = Task {
        id: writer.name("task", number),
        task_type,
        team,
        part,
        trouble,
        conversation: writer.name("thread", number),
    };
    let estimate = dice.around(90.0, 0.5).round();
    let data = json!({
        "task_id": task.id, "title": title, "type": TASK_TYPES[task_type], "project_id": project, "team": team,
        "repository": repository, "language": dice.pick(&["rust", "python", "typescript", "go"]),
        "text": format!("In {project}, the {part} {trouble}. Seen by the {team} team; see {repository}."),
        "priority": dice.between(0, 5), "estimate_minutes": estimate,
        "points": dice.pick(&[1, 2, 3, 5, 8]), "requester": format!("{team}-lead"),
    });
    writer.say_of("task.created", created, &task.id, data);
    task
}

/// Returns when the attempt ended and whether it was accepted.
fn attempt(
    simulation: &mut Simulation,
    task: &Task,
    agent: usize,
    number: u64,
    cause: &str,
    day: u32,
    begin: DateTime<Utc>,
) -> (DateTime<Utc>, bool) {
    let attempt_id = format!("{}-a{number}", task.id);
    let id = simulation.team.agents[agent].id.clone();
    let version = if simulation.team.agents[agent].drift.is_some_and(|(from, _)| day >= from) { "2" } else { "1" };
    let data = json!({
        "attempt_id": attempt_id, "agent_id": id, "agent_version": version, "role": "lead", "number": number, "cause": cause,
    });
    say(simulation, "attempt.started", begin, task, data);
    let out = simulation.team.is_out(agent, day);
    let calls = if out { 2 } else { simulation.dice.between(6, 15) };
    let mut at = begin;
    for call in 0..calls {
        at = interaction(simulation, task, agent, &attempt_id, call, out, at);
    }
    let p = simulation.team.ability(agent, task.task_type, day);
    let succeeded = !out && simulation.dice.chance(p);
    simulation.tally.attempt(&id, TASK_TYPES[task.task_type], succeeded, out);
    judge(simulation, task, &attempt_id, succeeded, out, at);
    (at + minutes(3.0), succeeded)
}

fn judge(simulation: &mut Simulation, task: &Task, attempt_id: &str, succeeded: bool, out: bool, at: DateTime<Utc>) {
    let result = if succeeded { "succeeded" } else { "failed" };
    let mut ended = json!({"attempt_id": attempt_id, "result": result});
    if !succeeded {
        ended["error_class"] = if out { json!("provider_unavailable") } else { json!(simulation.dice.pick(ERRORS)) };
        ended["retryable"] = json!(true);
    }
    simulation.writer.say_of("attempt.ended", at, &task.id, ended);
    if out {
        return;
    }
    let tests = json!({
        "attempt_id": attempt_id, "name": "tests", "success": succeeded, "evaluator": "code", "evaluator_id": "ci",
    });
    simulation.writer.say_of("outcome.recorded", at + minutes(1.0), &task.id, tests);
    if simulation.dice.chance(0.4) {
        let value = (simulation.dice.around(if succeeded { 0.85 } else { 0.35 }, 0.15)).min(1.0);
        let graded = json!({
            "attempt_id": attempt_id, "name": "quality", "value": (value * 100.0).round() / 100.0,
            "evaluator": "model", "evaluator_id": "grader", "evaluator_version": "3",
        });
        simulation.writer.say_of("outcome.recorded", at + minutes(1.5), &task.id, graded);
    }
    if simulation.dice.chance(0.2) {
        review(simulation, task, attempt_id, succeeded, at + minutes(2.0));
    }
    if succeeded {
        deliver(simulation, task, attempt_id, at);
    }
}

/// A person looks at the attempt, and does not always agree with its tests.
fn review(simulation: &mut Simulation, task: &Task, attempt_id: &str, succeeded: bool, at: DateTime<Utc>) {
    let agrees = !simulation.dice.chance(0.04);
    simulation.tally.reviews.0 += 1;
    simulation.tally.reviews.1 += u64::from(!agrees);
    let good = succeeded == agrees;
    let explanation = *simulation.dice.pick(if good { PRAISE } else { OBJECTIONS });
    let reviewed = json!({
        "attempt_id": attempt_id, "name": "review", "success": good, "label": if good { "approve" } else { "reject" },
        "evaluator": "human", "evaluator_id": format!("{}-lead", task.team),
        "explanation": format!("The {}: {explanation}", task.part),
    });
    simulation.writer.say_of("outcome.recorded", at, &task.id, reviewed);
}

/// The change is proposed, merged and, now and then, taken back.
fn deliver(simulation: &mut Simulation, task: &Task, attempt_id: &str, at: DateTime<Utc>) {
    let lines = simulation.dice.between(4, 240);
    let artifact_id = format!("{attempt_id}-pr");
    let artifact = json!({
        "artifact_id": artifact_id, "attempt_id": attempt_id, "kind": "pull_request",
        "uri": format!("https://git.example/{}", task.id), "lines_added": lines, "lines_removed": lines / 3,
    });
    simulation.writer.say_of("artifact.recorded", at + minutes(1.0), &task.id, artifact);
    let merged = json!({"artifact_id": artifact_id, "state": "merged"});
    simulation.writer.say_of("artifact.changed", at + minutes(2.5), &task.id, merged);
    let later = at + minutes(simulation.dice.around(400.0, 0.4));
    if simulation.dice.chance(0.02) && later < simulation.plan.until {
        simulation.tally.reverted += 1;
        let reverted = json!({"artifact_id": artifact_id, "state": "reverted"});
        simulation.writer.say_of("artifact.changed", later, &task.id, reverted);
    }
}

/// Writes one call and returns when it ended.
fn interaction(
    simulation: &mut Simulation,
    task: &Task,
    agent: usize,
    attempt_id: &str,
    call: u64,
    out: bool,
    at: DateTime<Utc>,
) -> DateTime<Utc> {
    let Simulation { team, dice, writer, tally, .. } = simulation;
    let agent = &team.agents[agent];
    let is_tool = call % 3 == 2;
    let latency = dice.around(if is_tool { 350.0 } else { agent.latency_ms }, 0.45).round();
    let mut data = json!({
        "interaction_id": format!("{attempt_id}-i{call}"), "kind": if is_tool { "tool" } else { "llm" },
        "agent_id": agent.id, "attempt_id": attempt_id, "task_id": task.id, "conversation_id": task.conversation,
        "started_at": super::event::rfc3339(at), "latency_ms": latency, "status": if out { "error" } else { "ok" },
    });
    if is_tool {
        let tool = *dice.pick(TOOLS);
        data["tool_name"] = json!(tool);
        let file = format!("src/{}.rs", task.part.replace(' ', "_"));
        data["input"] = json!(format!("{tool} {file}"));
        let found = *dice.pick(FINDINGS);
        data["output"] = json!(format!("{file}:{}: {found}", dice.between(12, 480)));
    } else {
        let (tokens_in, tokens_out) = (dice.around(6_000.0, 0.6) as u64, dice.around(700.0, 0.6) as u64);
        data["provider"] = json!(agent.provider);
        data["model"] = json!(agent.model);
        data["ttft_ms"] = json!((latency * 0.2).round());
        if out {
            data["error"] = json!("503 from the provider");
        } else {
            data["tokens_in"] = json!(tokens_in);
            data["tokens_out"] = json!(tokens_out);
            data["tokens_reasoning"] = json!(tokens_out / 4);
            data["finish_reason"] = json!("stop");
            let cost = tally.tokens(task.team, tokens_in, tokens_out, agent.price);
            data["cost"] = json!(cost);
            data["currency"] = json!("USD");
        }
        data["input"] = json!(format!("The {} {}. Find the cause and fix it.", task.part, task.trouble));
        data["output"] = json!(format!("I think we should change the {}: {}.", task.part, dice.pick(REMEDIES)));
    }
    writer.say_of("interaction.recorded", at, &task.id, data);
    tally.interactions += 1;
    at + Duration::milliseconds(latency as i64) + Duration::seconds(dice.between(2, 40) as i64)
}

fn hand_over(simulation: &mut Simulation, task: &Task, from: usize, at: DateTime<Utc>) -> usize {
    let to = choose(simulation, task.task_type, Some(from));
    simulation.tally.hand_overs += 1;
    let number = simulation.tally.hand_overs;
    let handoff_id = simulation.writer.name("handoff", number);
    let data = json!({
        "handoff_id": handoff_id, "to_agent": simulation.team.agents[to].id, "reason": "the attempt failed",
        "summary": format!("{} still {}", task.part, task.trouble),
    });
    say(simulation, "task.handed_off", at + minutes(1.0), task, data);
    to
}

/// Takes agents by how good people think they are: better ones more often, all of them sometimes.
fn choose(simulation: &mut Simulation, task_type: usize, not: Option<usize>) -> usize {
    let weight = |(at, agent): (usize, &super::team::Agent)| {
        if Some(at) == not && simulation.team.agents.len() > 1 { 0.0 } else { 0.15 + agent.ability[task_type].powi(2) }
    };
    let weights: Vec<f64> = simulation.team.agents.iter().enumerate().map(weight).collect();
    simulation.dice.weighted(&weights)
}

fn say(simulation: &mut Simulation, kind: &str, at: DateTime<Utc>, task: &Task, mut data: serde_json::Value) {
    data["task_id"] = json!(task.id);
    simulation.writer.say_of(kind, at, &task.id, data);
}

fn minutes(minutes: f64) -> Duration {
    Duration::milliseconds((minutes * 60_000.0) as i64)
}
