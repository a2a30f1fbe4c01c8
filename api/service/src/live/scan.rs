//! Searches the log for events that somebody wants, within limits of what is found and of what is passed over.

use partitura_event::{Position, Problem, Recorded};
use partitura_log::{EventLog, ReadLimit};

/// Events that one search passes over.
const SCAN_MAX: usize = 50_000;
/// One read of the log.
const STEP: ReadLimit = ReadLimit { events: 1_000, bytes: 4 << 20 };

/// What a search found.
pub struct Found {
    /// By position.
    pub events: Vec<Recorded>,
    /// Up to where it looked; where it began when nothing is there.
    pub to: Option<Position>,
}

/// Searches after a position. Blocks on disk reads. Finds at least one event if one is near, however large it is.
pub fn scan(
    log: &dyn EventLog,
    after: Option<Position>,
    events_max: usize,
    bytes_max: usize,
    wanted: impl Fn(&Recorded) -> bool,
) -> Result<Found, Problem> {
    let (mut events, mut bytes, mut scanned, mut to) = (Vec::new(), 0, 0, after);
    while scanned < SCAN_MAX {
        let step = log.read(to, STEP).map_err(Problem::from)?;
        if step.is_empty() {
            break;
        }
        for event in step {
            if events.len() >= events_max || bytes >= bytes_max {
                return Ok(Found { events, to });
            }
            scanned += 1;
            to = Some(event.position);
            if wanted(&event) {
                bytes += event.data.get().len();
                events.push(event);
            }
        }
    }
    Ok(Found { events, to })
}
