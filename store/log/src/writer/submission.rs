//! A request on its way to the writer: hashed and encoded by the caller's thread.

use std::ops::Range;

use partitura_event::Workspace;
use tokio::sync::oneshot;

use crate::error::LogError;
use crate::judge::{Case, Item};
use crate::record;
use crate::reply::AppendReply;
use crate::request::{AppendRequest, RequestKey, StreamCheck};

/// Most bytes of one request's records: it has to fit in one frame.
const REQUEST_BYTES_MAX: usize = 256 << 20;
/// Most bytes of a request key.
const KEY_BYTES_MAX: usize = 4 << 10;
/// Most bytes of a request's context.
const CONTEXT_BYTES_MAX: usize = 16 << 20;

/// Where an answer goes.
pub(crate) type Answering = oneshot::Sender<Result<AppendReply, LogError>>;

/// A request, ready to be judged and copied into a frame.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) workspace: Workspace,
    pub(crate) items: Vec<Item>,
    /// The records, one after the other, and where each is.
    records: Vec<u8>,
    ranges: Vec<Range<usize>>,
    pub(crate) checks: Vec<StreamCheck>,
    pub(crate) atomic: bool,
    pub(crate) request: Option<RequestKey>,
    pub(crate) answering: Answering,
}

impl Submission {
    /// Encodes a request, or says which limit it breaks.
    pub(crate) fn new(request: AppendRequest, compress_from: usize, answering: Answering) -> Result<Self, LogError> {
        let AppendRequest { workspace, events, checks, atomic, request } = request;
        if let Some(request) = &request {
            check_size("the idempotency key", request.key.len(), KEY_BYTES_MAX)?;
            check_size("the request's context", request.context.len(), CONTEXT_BYTES_MAX)?;
        }
        let items = Item::all_of(&workspace, &events)?;
        let data: usize = events.iter().map(|event| event.data.get().len() + 256).sum();
        let mut records = Vec::with_capacity(data.min(REQUEST_BYTES_MAX));
        let mut ranges = Vec::with_capacity(events.len());
        for event in &events {
            let start = records.len();
            record::encode(event, compress_from, &mut records)?;
            ranges.push(start..records.len());
            check_size("the request", records.len(), REQUEST_BYTES_MAX)?;
        }
        Ok(Self { workspace, items, records, ranges, checks, atomic, request, answering })
    }

    /// Returns the bytes that it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.records.len() + self.request.as_ref().map_or(0, |request| request.context.len()) + 256
    }

    /// Returns the record of an event.
    pub(crate) fn record(&self, item: usize) -> &[u8] {
        &self.records[self.ranges[item].clone()]
    }

    /// Returns what the judge needs.
    pub(crate) fn case(&self) -> Case<'_> {
        Case { workspace: &self.workspace, items: &self.items, checks: &self.checks, atomic: self.atomic }
    }
}

fn check_size(what: &'static str, bytes: usize, limit: usize) -> Result<(), LogError> {
    if bytes > limit { Err(LogError::TooLarge { what, bytes, limit }) } else { Ok(()) }
}
