//! Judges requests and encodes what was accepted, one commit ahead of the disk.

use std::collections::VecDeque;
use std::sync::Arc;

use partitura_event::{Position, Revision, Timestamp};

use crate::answer::{self, Answer};
use crate::error::LogError;
use crate::frame::{FrameBuilder, Tip};
use crate::index::Layer;
use crate::judge::{Known, Past, judge};
use crate::key::Key;
use crate::record;
use crate::reply::AppendReply;
use crate::segment::Mark;
use crate::state::State;

use super::group::Group;
use super::submission::Submission;

/// Gathers one commit after the other.
pub(crate) struct Stage {
    state: Arc<State>,
    epoch: u64,
    number: u64,
    /// The log's end when all staged commits are durable.
    tip: Tip,
    /// Entries of commits that are not durable yet.
    pending: VecDeque<(u64, Arc<Layer>)>,
    draft: Draft,
}

/// The commit that is gathered.
#[derive(Default)]
struct Draft {
    bytes: Vec<u8>,
    frames: Vec<Mark>,
    frame: Option<FrameBuilder>,
    /// Events in the open frame.
    open_events: u64,
    events: usize,
    recorded_at: Option<Timestamp>,
    before: Option<Tip>,
    layer: Layer,
    replies: Vec<(super::Answering, Result<AppendReply, LogError>)>,
}

impl Stage {
    pub(crate) fn new(state: Arc<State>) -> Self {
        let (epoch, tip) = (state.epoch(), state.tip());
        Self { state, epoch, number: 1, tip, pending: VecDeque::new(), draft: Draft::default() }
    }

    /// Returns how long a commit waits for requests that are likely to come.
    pub(crate) fn patience(&self) -> std::time::Duration {
        self.state.settings.commit_wait
    }

    /// Returns how many requests were gathered.
    pub(crate) fn requests(&self) -> usize {
        self.draft.replies.len()
    }

    /// Returns whether the commit takes no more.
    pub(crate) fn is_full(&self) -> bool {
        let settings = &self.state.settings;
        self.draft.bytes.len() >= settings.commit_bytes || self.draft.events >= settings.commit_events
    }

    /// Judges a request and adds what was accepted to the commit.
    pub(crate) fn add(&mut self, submission: Submission) {
        if self.draft.replies.is_empty() {
            self.catch_up();
        }
        let reply = match self.state.check_sound().and_then(|()| self.state.layers.check_room()) {
            Ok(()) => self.judge(&submission),
            Err(error) => Err(error),
        };
        self.draft.replies.push((submission.answering, reply));
    }

    /// Forgets commits that are durable, and all of them if one failed.
    fn catch_up(&mut self) {
        let epoch = self.state.epoch();
        if epoch != self.epoch {
            self.pending.clear();
            self.tip = self.state.tip();
            self.epoch = epoch;
        }
        let durable = self.state.durable_group();
        while self.pending.front().is_some_and(|(number, _)| *number <= durable) {
            self.pending.pop_front();
        }
    }

    fn judge(&mut self, submission: &Submission) -> Result<AppendReply, LogError> {
        if let Some(reply) = self.replay(submission)? {
            return Ok(reply);
        }
        let verdict = judge(self, self.head(), &submission.case())?;
        for accepted in &verdict.accepted {
            self.append(submission, accepted.item, accepted.known);
        }
        let (results, failed_checks) = (verdict.results, verdict.failed_checks);
        if let Some(request) = &submission.request {
            let (results, failed_checks) = (results.clone(), failed_checks.clone());
            let answer = Answer { body: request.body, results, failed_checks, context: request.context.clone() };
            self.remember(submission, &request.key, answer.to_bytes().into());
        }
        let full = |frame: &FrameBuilder| frame.payload_bytes(&self.draft.bytes) >= self.state.settings.frame_bytes;
        if self.draft.frame.as_ref().is_some_and(full) {
            self.close_frame();
        }
        Ok(AppendReply { head: self.head(), results, failed_checks, replayed: None })
    }

    /// Returns the stored answer, if the request was answered before.
    fn replay(&self, submission: &Submission) -> Result<Option<AppendReply>, LogError> {
        let Some(request) = &submission.request else { return Ok(None) };
        let key = Key::request(&submission.workspace, &request.key);
        let staged = self.newest(|layer| layer.answers.get(&key).cloned());
        let stored = match staged {
            Some(answer) => Some(answer),
            None => self.state.layers.answer(key)?,
        };
        let Some(stored) = stored else { return Ok(None) };
        let answer = Answer::from_bytes(&stored)
            .ok_or_else(|| LogError::Index { detail: "a stored answer is damaged".to_owned() })?;
        if answer.body != request.body {
            return Err(LogError::KeyReused { key: request.key.clone() });
        }
        let Answer { results, failed_checks, context, .. } = answer;
        Ok(Some(AppendReply { head: self.head(), results, failed_checks, replayed: Some(context) }))
    }

    fn append(&mut self, submission: &Submission, item: usize, known: Known) {
        self.open_frame();
        let draft = &mut self.draft;
        let start = draft.bytes.len();
        draft.bytes.extend_from_slice(submission.record(item));
        record::set_revision(&mut draft.bytes[start..], known.revision);
        if let Some(frame) = &mut draft.frame {
            frame.add_event();
        }
        draft.open_events += 1;
        draft.events += 1;
        let keys = &submission.items[item];
        draft.layer.add_event(keys.event, keys.stream, known);
    }

    fn remember(&mut self, submission: &Submission, key: &str, stored: Arc<[u8]>) {
        self.open_frame();
        if let Some(frame) = &mut self.draft.frame {
            frame.add_request(|out| answer::encode(&submission.workspace, key, &stored, out));
        }
        self.draft.layer.add_answer(Key::request(&submission.workspace, key), stored);
    }

    fn open_frame(&mut self) {
        let draft = &mut self.draft;
        if draft.frame.is_none() {
            draft.before.get_or_insert(self.tip);
            let (state, number) = (&self.state, self.number);
            draft.recorded_at.get_or_insert_with(|| state.recording.begin(number, state.clock.now()));
            draft.frame = Some(FrameBuilder::begin(&mut draft.bytes));
        }
    }

    fn close_frame(&mut self) {
        let draft = &mut self.draft;
        let (Some(frame), Some(recorded_at)) = (draft.frame.take(), draft.recorded_at) else { return };
        let start = frame.start();
        let durable = self.state.tip().sequence;
        let log = self.state.shelf.log_low();
        let (header, tip) = frame.finish(&mut draft.bytes, log, &self.tip, durable, recorded_at);
        draft.frames.push(Mark { offset: start as u64, first: header.first, recorded_at: header.recorded_at });
        draft.open_events = 0;
        self.tip = tip;
    }

    /// Returns the gathered commit, and starts the next.
    pub(crate) fn take(&mut self) -> Group {
        self.close_frame();
        let draft = std::mem::take(&mut self.draft);
        let (number, layer) = (self.number, Arc::new(draft.layer));
        self.number += 1;
        if !draft.bytes.is_empty() {
            self.pending.push_back((number, Arc::clone(&layer)));
        }
        Group {
            number,
            epoch: self.epoch,
            bytes: draft.bytes,
            frames: draft.frames,
            recorded_at: draft.recorded_at,
            before: draft.before.unwrap_or(self.tip),
            after: self.tip,
            layer,
            replies: draft.replies,
        }
    }

    fn head(&self) -> Option<Position> {
        Position::new(self.tip.position + self.draft.open_events)
    }

    fn newest<T>(&self, look: impl Fn(&Layer) -> Option<T>) -> Option<T> {
        look(&self.draft.layer).or_else(|| self.pending.iter().rev().find_map(|(_, layer)| look(layer)))
    }
}

impl Past for Stage {
    fn event(&self, key: Key) -> Result<Option<Known>, LogError> {
        match self.newest(|layer| layer.events.get(&key).copied()) {
            Some(known) => Ok(Some(known)),
            None => self.state.layers.event(key),
        }
    }

    fn revision(&self, stream: Key) -> Result<Option<Revision>, LogError> {
        match self.newest(|layer| layer.revision(stream)) {
            Some(revision) => Ok(Some(revision)),
            None => self.state.layers.revision(stream),
        }
    }
}
