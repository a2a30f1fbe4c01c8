//! JSON bodies: one event, an array of events, or events with checks.

use partitura_event::problem::nearest;
use partitura_event::{ErrorClass, Issue, Problem, StreamName};

use super::Collector;
use crate::context::{Check, Context, Decoded};
use crate::envelope::Form;
use crate::expected;
use crate::json::{self, Cursor, Fault, Node};

/// What the content type allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Any,
    One,
    Many,
}

/// Most checks of one request.
const MAX_CHECKS: usize = 1_000;

pub(super) fn decode(text: &str, form: Form, shape: Shape, context: &Context<'_>) -> Result<Decoded, Problem> {
    let mut collector = Collector::new(text, context);
    let mut cursor = Cursor::new(text);
    // The whole body is checked before its first event is read: half a body is no body.
    if cursor.peek() == Some(b'[') && shape != Shape::One {
        let parts = split(&mut cursor, context.limits.events).map_err(|fault| fault.problem(text, 0, ""))?;
        for (n, part) in parts.into_iter().enumerate() {
            collector.event(part, form, &format!("events[{n}]"))?;
        }
        return match collector.decoded.items.is_empty() {
            true => Err(Problem::new(ErrorClass::Invalid, "the array holds no event").code("no_events")),
            false => Ok(collector.finish()),
        };
    }
    let whole = cursor.skip_value().and_then(|whole| cursor.end().map(|()| whole));
    let whole = whole.map_err(|fault| fault.problem(text, 0, ""))?;
    if !whole.starts_with('{') || shape == Shape::Many {
        let wanted = match shape {
            Shape::Any => "an event (an object), an array of events, or {\"events\":[…],\"checks\":[…]}",
            Shape::One => "one CloudEvent (an object)",
            Shape::Many => "an array of CloudEvents",
        };
        return Err(Problem::new(ErrorClass::Invalid, format!("the body must be {wanted}")).code("body_shape"));
    }
    if shape == Shape::Any && member(whole, "events").is_some() {
        return wrapper(whole, collector);
    }
    collector.event(whole, form, "")?;
    collector.decoded.single = true;
    Ok(collector.finish())
}

/// Takes an array that is the whole body and returns the texts of its items, one more than `most` at the
/// most: the collector then says that they are too many.
fn split<'t>(cursor: &mut Cursor<'t>, most: usize) -> Result<Vec<&'t str>, Fault> {
    let mut parts = Vec::new();
    cursor.expect(b'[', "an array")?;
    if cursor.eat(b']') {
        return cursor.end().map(|()| parts);
    }
    loop {
        parts.push(cursor.skip_value()?);
        if parts.len() > most {
            return Ok(parts);
        }
        if !cursor.eat(b',') {
            break;
        }
    }
    cursor.expect(b']', "`,` or `]`")?;
    cursor.end().map(|()| parts)
}

/// Reads each item of a checked array as an event.
fn items(array: &str, form: Form, collector: &mut Collector<'_>) -> Result<(), Problem> {
    let mut n = 0;
    each_item(array, |item| {
        collector.event(item, form, &format!("events[{n}]"))?;
        n += 1;
        Ok(())
    })
}

/// Calls `take` with the text of each item of a checked array.
fn each_item<'t>(array: &'t str, mut take: impl FnMut(&'t str) -> Result<(), Problem>) -> Result<(), Problem> {
    let unsound = |fault: Fault| fault.problem(array, 0, "");
    let mut cursor = Cursor::new(array);
    cursor.expect(b'[', "an array").map_err(unsound)?;
    while !cursor.eat(b']') {
        take(cursor.skip_value().map_err(unsound)?)?;
        cursor.eat(b',');
    }
    Ok(())
}

/// Calls `take` with the raw key and the text of each member of a checked object, until it says stop.
fn each_member<'t>(object: &'t str, mut take: impl FnMut(&'t str, &'t str) -> bool) {
    let mut cursor = Cursor::new(object);
    cursor.eat(b'{');
    while !cursor.eat(b'}') {
        let Ok(key) = cursor.key() else { return };
        let Ok(value) = cursor.skip_value() else { return };
        if !take(key, value) {
            return;
        }
        cursor.eat(b',');
    }
}

fn member<'t>(object: &'t str, name: &str) -> Option<&'t str> {
    let mut found = None;
    each_member(object, |key, value| {
        if key == name {
            found = Some(value);
        }
        found.is_none()
    });
    found
}

/// Reads `{"events":[…],"checks":[…]}`.
fn wrapper(whole: &str, mut collector: Collector<'_>) -> Result<Decoded, Problem> {
    let (mut events, mut checks) = (None, None);
    let mut wrong = None;
    each_member(whole, |key, value| {
        let place = match key {
            "events" => &mut events,
            "checks" => &mut checks,
            _ => {
                wrong = Some((key, false));
                return false;
            }
        };
        if place.replace(value).is_some() {
            wrong = Some((key, true));
        }
        wrong.is_none()
    });
    match wrong {
        Some((key, true)) => {
            let problem = Problem::new(ErrorClass::Malformed, format!("the key {key:?} stands twice in one object"));
            return Err(problem.code("duplicate_key"));
        }
        Some((key, false)) => {
            let key: String = key.chars().take(80).collect();
            let detail = format!("`{key}` is no field of a batch; it has `events` and `checks`");
            let problem = Problem::invalid_field(&key, "unknown_field", detail);
            let near = nearest(&key, ["events", "checks"], 1);
            return Err(Problem { suggestions: near, ..problem });
        }
        None => {}
    }
    collector.decoded.checks = match checks {
        Some(text) => read_checks(text, &mut collector)?,
        None => Vec::new(),
    };
    let events = events.filter(|text| text.starts_with('['));
    let events =
        events.ok_or_else(|| Problem::invalid_field("events", "type", "`events` must be an array of events"))?;
    items(events, Form::Plain, &mut collector)?;
    if collector.decoded.items.is_empty() && collector.decoded.checks.is_empty() {
        return Err(Problem::new(ErrorClass::Invalid, "the batch holds no event and no check").code("no_events"));
    }
    Ok(collector.finish())
}

fn read_checks(text: &str, collector: &mut Collector<'_>) -> Result<Vec<Check>, Problem> {
    if !text.starts_with('[') {
        return Err(Problem::invalid_field("checks", "type", "`checks` must be an array of {stream, expected}"));
    }
    let mut checks = Vec::new();
    let mut issues = Vec::new();
    let mut n = 0;
    each_item(text, |item| {
        if n == MAX_CHECKS {
            let detail = format!("more than {MAX_CHECKS} checks in one request");
            return Err(Problem::new(ErrorClass::TooLarge, detail).code("too_many_checks"));
        }
        let path = format!("checks[{n}]");
        let mut node =
            json::build(item, &collector.context.limits).map_err(|fault| collector.fault(fault, item, &path))?;
        collector.context.redactor.node(&mut node, Default::default(), &mut Default::default());
        match read_check(&node, &path) {
            Ok(check) => checks.push(check),
            Err(problem) => issues.extend(problem.issues),
        }
        n += 1;
        Ok(())
    })?;
    match issues.first() {
        None => Ok(checks),
        Some(first) => {
            let detail = first.message.clone();
            Err(Problem { issues, ..Problem::new(ErrorClass::Invalid, detail) })
        }
    }
}

fn read_check(node: &Node<'_>, path: &str) -> Result<Check, Problem> {
    let fault =
        |name: &str, code: &str, message: String| Problem::invalid_field(&format!("{path}.{name}"), code, message);
    let Node::Object(members) = node else {
        return Err(Problem::invalid_field(
            path,
            "type",
            format!("`{path}` must be an object, this is {}", node.kind()),
        ));
    };
    if let Some((key, _)) = members.iter().find(|(key, _)| key != "stream" && key != "expected") {
        return Err(fault(
            key,
            "unknown_field",
            format!("`{key}` is no field of a check; it has `stream` and `expected`"),
        ));
    }
    let stream = node.get("stream").and_then(Node::as_text);
    let stream =
        stream.ok_or_else(|| fault("stream", "required", format!("`{path}.stream` must be a stream's name")))?;
    let stream = StreamName::new(stream).map_err(|problem| Problem {
        issues: vec![Issue {
            path: format!("{path}.stream"),
            code: "stream".to_owned(),
            message: problem.detail.clone(),
        }],
        ..problem
    })?;
    let given = node.get("expected").filter(|given| **given != Node::Null);
    let expected = given.ok_or_else(|| fault("expected", "required", format!("`{path}.expected` is missing")))?;
    Ok(Check { stream, expected: expected::read(&format!("{path}.expected"), expected)? })
}
