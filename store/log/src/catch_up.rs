//! Brings the index up to the log at opening: entries that it does not have yet, or all of them.

use partitura_event::Position;

use crate::answer;
use crate::cursor::Cursor;
use crate::error::LogError;
use crate::frame::Tip;
use crate::index::{Checkpoint, Index, Layer};
use crate::judge::Known;
use crate::record;
use crate::segment::{DATA_START, Frame, Segment, Walk};
use crate::state::State;

/// Entries that are gathered before they go on.
const LAYER_EVENTS: usize = 8_192;

/// Puts all entries above the index's checkpoint into the layers.
pub(crate) fn catch_up(state: &State, index: &dyn Index) -> Result<(), LogError> {
    let checkpoint = index.checkpoint()?;
    let (number, offset) = match &checkpoint {
        Some(checkpoint) if is_of(state, checkpoint)? => (checkpoint.segment, checkpoint.offset),
        _ => {
            if checkpoint.is_some() {
                tracing::warn!("log index is of another log, and is rebuilt");
            }
            index.clear()?;
            (1, DATA_START)
        }
    };
    for segment in state.shelf.all().iter().skip_while(|segment| segment.number < number) {
        let start = if segment.number == number { offset } else { DATA_START };
        put_segment(state, segment, start)?;
    }
    Ok(())
}

/// Returns whether the checkpoint is a place of this log, by its hash.
fn is_of(state: &State, checkpoint: &Checkpoint) -> Result<bool, LogError> {
    let tip = state.tip();
    let Some(segment) = state.shelf.numbered(checkpoint.segment) else { return Ok(false) };
    if checkpoint.offset < DATA_START || checkpoint.offset > segment.end() {
        return Ok(false);
    }
    if checkpoint.sequence == tip.sequence {
        return Ok(checkpoint.hash == tip.hash);
    }
    let file = state.shelf.file(&segment)?;
    let mut walk =
        Walk::new(&segment, &*file, state.shelf.log_low(), checkpoint.offset, segment.end()).with_chunk(4096);
    match walk.peek_header() {
        Ok(Some((_, next))) => Ok(next.sequence == checkpoint.sequence + 1 && next.previous == checkpoint.hash),
        Ok(None) => Ok(segment.trailer().is_some_and(|trailer| trailer.tip.hash == checkpoint.hash)),
        Err(LogError::Corrupt { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

fn put_segment(state: &State, segment: &Segment, start: u64) -> Result<(), LogError> {
    let file = state.shelf.file(segment)?;
    let bytes = segment.end() - start.min(segment.end());
    tracing::debug!(segment = segment.number, bytes, "log index catches up");
    let mut walk = Walk::new(segment, &*file, state.shelf.log_low(), start, segment.end());
    let mut layer = Layer::default();
    let mut end = None;
    while let Some(frame) = walk.next_frame()? {
        put_frame(&frame, &mut layer).map_err(|detail| segment.corrupt(frame.offset, detail))?;
        let tip: Tip = frame.header.tip(frame.header_bytes(), frame.payload());
        end = Some(State::checkpoint(segment.number, frame.end(), &tip));
        if layer.weight() >= LAYER_EVENTS {
            put_layer(state, &mut layer, end);
        }
    }
    put_layer(state, &mut layer, end);
    Ok(())
}

fn put_layer(state: &State, layer: &mut Layer, end: Option<Checkpoint>) {
    if let Some(checkpoint) = end {
        state.layers.add(&std::mem::take(layer), checkpoint);
        while state.layers.store_one() {}
    }
}

fn put_frame(frame: &Frame, layer: &mut Layer) -> Result<(), &'static str> {
    let mut payload = Cursor(frame.payload());
    for position in frame.header.first..=frame.header.last() {
        let entry = record::entry(record::next(&mut payload)?)?;
        let position = Position::new(position).ok_or("position 0")?;
        let known = Known { position, revision: entry.revision, fingerprint: entry.fingerprint };
        layer.add_event(entry.event, entry.stream, known);
    }
    for _ in 0..frame.header.requests {
        let (key, stored) = answer::next(&mut payload).ok_or("a request record is damaged")?;
        layer.add_answer(key, stored.into());
    }
    Ok(())
}
