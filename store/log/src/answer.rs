//! The stored answer to a request with a key: a record of its own in the frame of its events.

use partitura_event::{Expected, Fingerprint, Position, Revision, StreamName, Workspace};

use crate::cursor::{Cursor, Put};
use crate::key::Key;
use crate::reply::{FailedCheck, ItemResult, Refusal};

/// What is remembered of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) body: Fingerprint,
    pub(crate) results: Vec<ItemResult>,
    pub(crate) failed_checks: Vec<FailedCheck>,
    pub(crate) context: Vec<u8>,
}

impl Answer {
    /// Returns the answer as the index keeps it.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.results.len() * 17 + self.context.len());
        out.put(&self.body.0);
        out.put_u32(self.results.len() as u32);
        self.results.iter().for_each(|result| put_result(&mut out, result));
        out.put_u32(self.failed_checks.len() as u32);
        for check in &self.failed_checks {
            out.put_u32(check.index as u32);
            put_expectation(&mut out, &check.stream, check.expected, check.current);
        }
        out.put_long(&self.context);
        out
    }

    /// Reads what [`Self::to_bytes`] wrote.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = Cursor(bytes);
        let body = Fingerprint(rest.array()?);
        let results = (0..rest.u32()?).map(|_| result(&mut rest)).collect::<Option<_>>()?;
        let failed_checks = (0..rest.u32()?).map(|_| failed_check(&mut rest)).collect::<Option<_>>()?;
        let context = rest.long()?.to_vec();
        rest.0.is_empty().then_some(Self { body, results, failed_checks, context })
    }
}

/// Appends the request record: size, workspace, key, answer.
pub(crate) fn encode(workspace: &Workspace, key: &str, answer: &[u8], out: &mut Vec<u8>) {
    let size = 2 + workspace.as_str().len() + 4 + key.len() + answer.len();
    out.put_u32(size as u32);
    out.put_short(workspace.as_str().as_bytes());
    out.put_long(key.as_bytes());
    out.put(answer);
}

/// Takes one request record off the front: its key in the index and the bytes of its answer.
pub(crate) fn next<'a>(payload: &mut Cursor<'a>) -> Option<(Key, &'a [u8])> {
    let mut record = Cursor(payload.long()?);
    let workspace = std::str::from_utf8(record.short()?).ok()?;
    let key = std::str::from_utf8(record.long()?).ok()?;
    Some((Key::request(&Workspace::new(workspace).ok()?, key), record.0))
}

const APPENDED: u8 = 0;
const DUPLICATE: u8 = 1;
const ID_REUSED: u8 = 2;
const REVISION: u8 = 3;
const NOT_APPLIED: u8 = 4;

fn put_result(out: &mut Vec<u8>, result: &ItemResult) {
    let mut place = |tag: u8, position: Position, revision: Revision| {
        out.push(tag);
        out.put_u64(position.get());
        out.put_u64(revision.get());
    };
    match result {
        ItemResult::Appended { position, stream_revision } => place(APPENDED, *position, *stream_revision),
        ItemResult::Duplicate { position, stream_revision } => place(DUPLICATE, *position, *stream_revision),
        ItemResult::Refused(Refusal::IdReused { position }) => {
            out.push(ID_REUSED);
            out.put_u64(position.get());
        }
        ItemResult::Refused(Refusal::Revision { stream, expected, current }) => {
            out.push(REVISION);
            put_expectation(out, stream, *expected, *current);
        }
        ItemResult::Refused(Refusal::NotApplied) => out.push(NOT_APPLIED),
    }
}

fn result(bytes: &mut Cursor<'_>) -> Option<ItemResult> {
    let tag = bytes.u8()?;
    Some(match tag {
        APPENDED | DUPLICATE => {
            let (position, stream_revision) = (Position::new(bytes.u64()?)?, Revision::new(bytes.u64()?)?);
            match tag {
                APPENDED => ItemResult::Appended { position, stream_revision },
                _ => ItemResult::Duplicate { position, stream_revision },
            }
        }
        ID_REUSED => ItemResult::Refused(Refusal::IdReused { position: Position::new(bytes.u64()?)? }),
        REVISION => {
            let (stream, expected, current) = expectation(bytes)?;
            ItemResult::Refused(Refusal::Revision { stream, expected, current })
        }
        NOT_APPLIED => ItemResult::Refused(Refusal::NotApplied),
        _ => return None,
    })
}

fn failed_check(bytes: &mut Cursor<'_>) -> Option<FailedCheck> {
    let index = usize::try_from(bytes.u32()?).ok()?;
    let (stream, expected, current) = expectation(bytes)?;
    Some(FailedCheck { index, stream, expected, current })
}

/// Writes an expectation as a tag, a revision for `exactly`, and the current revision (0 = none).
fn put_expectation(out: &mut Vec<u8>, stream: &StreamName, expected: Expected, current: Option<Revision>) {
    out.put_short(stream.as_str().as_bytes());
    match expected {
        Expected::Any => out.push(0),
        Expected::None => out.push(1),
        Expected::Exists => out.push(2),
        Expected::Exactly(revision) => {
            out.push(3);
            out.put_u64(revision.get());
        }
    }
    out.put_u64(current.map_or(0, Revision::get));
}

fn expectation(bytes: &mut Cursor<'_>) -> Option<(StreamName, Expected, Option<Revision>)> {
    let stream = StreamName::new(std::str::from_utf8(bytes.short()?).ok()?).ok()?;
    let expected = match bytes.u8()? {
        0 => Expected::Any,
        1 => Expected::None,
        2 => Expected::Exists,
        3 => Expected::Exactly(Revision::new(bytes.u64()?)?),
        _ => return None,
    };
    Some((stream, expected, Revision::new(bytes.u64()?)))
}
