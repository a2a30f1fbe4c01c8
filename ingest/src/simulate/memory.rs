//! What the team writes down and says to each other.

use chrono::{DateTime, Duration, Utc};
use serde_json::json;

use super::Simulation;
use super::words::{FACTS, PARTS, REMEDIES, TROUBLES};

/// Writes a day's notes and questions.
pub fn run(simulation: &mut Simulation, day: u32, begin: DateTime<Utc>) {
    if let Some(fact) = FACTS.get(day as usize) {
        let data = json!({
            "knowledge_id": simulation.writer.name("fact", u64::from(day)), "text": fact, "kind": "fact",
            "tags": ["team"],
        });
        simulation.writer.say("knowledge.noted", begin + Duration::hours(8), data);
    }
    for number in 0..2 {
        let at = begin + Duration::hours(9 + 4 * number);
        note(simulation, day, number as u64, at);
        question(simulation, day, number as u64, at + Duration::minutes(20));
    }
}

fn note(simulation: &mut Simulation, day: u32, number: u64, at: DateTime<Utc>) {
    let Simulation { team, dice, writer, tally, .. } = simulation;
    let (part, trouble, remedy) = (dice.pick(PARTS), dice.pick(TROUBLES), dice.pick(REMEDIES));
    let data = json!({
        "knowledge_id": writer.name("note", u64::from(day) * 10 + number),
        "title": format!("When the {part} {trouble}"), "kind": "solution", "tags": [part],
        "text": format!("When the {part} {trouble}, it helped that we {remedy}."),
        "agent_id": dice.pick(&team.agents).id,
    });
    writer.say("knowledge.noted", at, data);
    tally.notes += 1;
}

fn question(simulation: &mut Simulation, day: u32, number: u64, at: DateTime<Utc>) {
    let Simulation { team, dice, writer, .. } = simulation;
    let place = u64::from(day) * 10 + number;
    let (thread, asked, answered) = (writer.name("talk", place), writer.name("q", place), writer.name("a", place));
    let (part, trouble, remedy) = (dice.pick(PARTS), dice.pick(TROUBLES), dice.pick(REMEDIES));
    let (from, to) = (dice.pick(&team.agents).id.clone(), dice.pick(&team.agents).id.clone());
    let ask = json!({
        "message_id": asked, "conversation_id": thread, "from": from, "to": [to],
        "text": format!("Has anybody seen that the {part} {trouble}?"),
    });
    writer.say("question.asked", at, ask);
    let answer = json!({
        "message_id": answered, "conversation_id": thread, "from": to, "to": [from], "reply_to": asked,
        "text": format!("Yes, last month. We {remedy}."),
    });
    writer.say("answer.given", at + Duration::minutes(9), answer);
}
