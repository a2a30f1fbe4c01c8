//! Bytes of one content type → events, one result each.

pub mod arrow;
mod binary;
mod body;
mod ndjson;

use partitura_event::{ErrorClass, Problem};

use crate::content::ContentType;
use crate::context::{Context, Decoded, Rejected};
use crate::envelope::{self, Form, Shared};
use crate::json::{self, Fault, Lines, text_of};

/// Splits and checks a body. `headers` are name and value pairs, names in any case; only `ce-*` ones
/// matter, and only for [`ContentType::CloudEventBinary`].
///
/// The answer is a `Problem` where the body as a whole cannot be taken (400, 413, 422); faults of
/// single events are in [`Decoded::items`].
pub fn decode(
    content: ContentType,
    headers: &[(&str, &str)],
    body: &[u8],
    context: &Context<'_>,
) -> Result<Decoded, Problem> {
    if body.len() > context.limits.batch_bytes {
        let detail = format!("the body has {} bytes; at most {} are allowed", body.len(), context.limits.batch_bytes);
        return Err(Problem::new(ErrorClass::TooLarge, detail).hint("send the events in several requests"));
    }
    if content == ContentType::ArrowStream {
        return arrow::decode(body, context);
    }
    let text = text_of(body)?;
    if content != ContentType::CloudEventBinary && text.trim_ascii().is_empty() {
        let problem = Problem::new(ErrorClass::Malformed, "the body is empty; it must hold at least one event");
        return Err(problem.code("empty_body"));
    }
    let decoded = match content {
        ContentType::Json => body::decode(text, Form::Plain, body::Shape::Any, context),
        ContentType::CloudEvent => body::decode(text, Form::CloudEvent, body::Shape::One, context),
        ContentType::CloudEventBatch => body::decode(text, Form::CloudEvent, body::Shape::Many, context),
        ContentType::CloudEventBinary => binary::decode(headers, text, context),
        ContentType::Ndjson | ContentType::ArrowStream => ndjson::decode(text, context),
    };
    // A message may quote a key of the body, and a key may be a secret.
    decoded.map_err(|problem| clean(problem, context))
}

/// Reads the events of a text one by one and keeps their results.
struct Collector<'c> {
    body: &'c str,
    context: &'c Context<'c>,
    decoded: Decoded,
    shared: Shared,
    lines: Lines,
}

impl<'c> Collector<'c> {
    fn new(body: &'c str, context: &'c Context<'c>) -> Self {
        Self { body, context, decoded: Decoded::default(), shared: Shared::default(), lines: Lines::default() }
    }

    fn finish(mut self) -> Decoded {
        self.decoded.redactions = self.shared.found;
        self.decoded
    }

    /// Takes the event whose text is `part` of the body (its grammar is sound), at `path`.
    fn event(&mut self, part: &str, form: Form, path: &str) -> Result<(), Problem> {
        let most = self.context.limits.events;
        if self.decoded.items.len() >= most {
            let problem = Problem::new(ErrorClass::TooLarge, format!("more than {most} events in one request"));
            return Err(problem.code("too_many_events").hint("send them in several requests"));
        }
        let item = match self.too_long(part, path) {
            Some(problem) => Err(Rejected { id: None, problem }),
            None => match json::build(part, &self.context.limits) {
                Ok(node) => envelope::accept(node, form, path, self.context, &mut self.shared),
                Err(fault) => Err(Rejected { id: None, problem: self.fault(fault, part, path) }),
            },
        };
        self.decoded.items.push(item);
        Ok(())
    }

    fn too_long(&self, part: &str, path: &str) -> Option<Problem> {
        let limit = self.context.limits.event_bytes;
        (part.len() > limit).then(|| {
            let name = if path.is_empty() { "the event" } else { path };
            let detail = format!("{name} has {} bytes; an event may have at most {limit}", part.len());
            let problem = Problem::new(ErrorClass::TooLarge, detail).code("event_too_large");
            problem.hint("keep large content elsewhere and send its address")
        })
    }

    /// Places a fault that was found inside of `part`.
    fn fault(&mut self, fault: Fault, part: &str, path: &str) -> Problem {
        let start = offset_in(self.body, part);
        clean(fault.problem_after(&mut self.lines, self.body, start, path), self.context)
    }
}

/// Returns where `part`, a piece of `body`, begins in it.
fn offset_in(body: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(body.as_ptr() as usize)
}

fn clean(mut problem: Problem, context: &Context<'_>) -> Problem {
    problem.detail = context.redactor.shown(&problem.detail);
    for issue in &mut problem.issues {
        issue.path = context.redactor.shown(&issue.path);
        issue.message = context.redactor.shown(&issue.message);
    }
    problem
}
