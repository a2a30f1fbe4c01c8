//! The turns before a turn: what a line of a conversation is about stands in the lines before it.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use lru::LruCache;
use partitura_event::Problem;

use crate::text::query::cut;
use crate::text::{Document, TextView, Visible};

/// Conversations whose last turns are kept in memory.
const CONVERSATIONS: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");
/// Bytes of a turn that stand for it beside another.
const TURN_BYTES: usize = 600;
/// A longer pause begins a new subject, µs.
const PAUSE: i64 = 3_600_000_000;

/// One turn, short.
#[derive(Clone, Debug)]
struct Turn {
    seq: i64,
    doc_id: String,
    text: String,
}

/// Remembers the last turns of conversations.
pub(super) struct Turns {
    kept: usize,
    last: LruCache<String, Vec<Turn>>,
}

impl Turns {
    /// Gives each turn the `kept` turns before it.
    pub fn new(kept: usize) -> Self {
        Self { kept, last: LruCache::new(CONVERSATIONS) }
    }

    /// Fills the context of those `documents` that are turns. They come after what `view` holds, where turns that
    /// are not remembered are looked up.
    ///
    /// A turn that arrives late gets its place; what follows it keeps the context it had.
    pub fn fill(&mut self, view: &TextView, documents: &mut [Document]) -> Result<(), Problem> {
        if self.kept == 0 {
            return Ok(());
        }
        let mut turns: BTreeMap<String, BTreeSet<(i64, String, usize)>> = BTreeMap::new();
        for (at, document) in documents.iter().enumerate() {
            if let (Some(conversation), Some(seq)) = (&document.conversation_id, document.seq) {
                let known = turns.entry(conversation.clone()).or_default();
                known.insert((seq, document.doc_id.clone(), at));
            }
        }
        self.recall(view, turns.keys())?;
        for (conversation, fresh) in turns {
            let mut line = self.last.pop(&conversation).unwrap_or_default();
            for (seq, doc_id, at) in fresh {
                let place = line.partition_point(|turn| (turn.seq, &turn.doc_id) < (seq, &doc_id));
                let before = &line[place.saturating_sub(self.kept)..place];
                let near = before.iter().filter(|turn| seq - turn.seq <= PAUSE && turn.doc_id != doc_id);
                let context: Vec<_> = near.map(|turn| turn.text.as_str()).collect();
                documents[at].context = (!context.is_empty()).then(|| context.join("\n"));
                let text = cut(&documents[at].spoken(), TURN_BYTES).to_owned();
                line.insert(place, Turn { seq, doc_id, text });
            }
            line.drain(..line.len().saturating_sub(self.kept));
            self.last.put(conversation, line);
        }
        Ok(())
    }

    /// Looks up the last turns of conversations that are not remembered.
    fn recall<'a>(&mut self, view: &TextView, conversations: impl Iterator<Item = &'a String>) -> Result<(), Problem> {
        let Some(done) = view.position() else { return Ok(()) };
        let visible = Visible::new(done, view.closings().clone(), None);
        for conversation in conversations {
            if self.last.contains(conversation) {
                continue;
            }
            let turns = view.last_turns(conversation, &visible, self.kept)?;
            let turn = |document: Document| {
                let text = cut(&document.spoken(), TURN_BYTES).to_owned();
                Some(Turn { seq: document.seq?, doc_id: document.doc_id, text })
            };
            self.last.put(conversation.clone(), turns.into_iter().filter_map(turn).collect());
        }
        Ok(())
    }
}
