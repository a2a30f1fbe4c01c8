//! One event per line: a line that is no JSON does not stop the others.

use partitura_event::{ErrorClass, Problem};

use super::Collector;
use crate::context::{Context, Decoded, Rejected};
use crate::envelope::Form;
use crate::json::Cursor;

pub(super) fn decode(text: &str, context: &Context<'_>) -> Result<Decoded, Problem> {
    let mut collector = Collector::new(text, context);
    for line in text.lines().filter(|line| !line.trim_ascii().is_empty()) {
        let path = format!("events[{}]", collector.decoded.items.len());
        let mut cursor = Cursor::new(line);
        let whole = cursor.skip_value().and_then(|whole| cursor.end().map(|()| whole));
        match whole {
            Ok(whole) => collector.event(whole, Form::Plain, &path)?,
            Err(fault) => {
                if collector.decoded.items.len() >= context.limits.events {
                    let detail = format!("more than {} events in one request", context.limits.events);
                    return Err(Problem::new(ErrorClass::TooLarge, detail).code("too_many_events"));
                }
                let problem = collector.fault(fault, line, &path);
                collector.decoded.items.push(Err(Rejected { id: None, problem }));
            }
        }
    }
    Ok(collector.finish())
}
