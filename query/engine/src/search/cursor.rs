//! Ranked lists that are kept for their next pages.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use partitura_event::{ErrorClass, Problem, Workspace};
use partitura_table::text::{TextQuery, TextView};

use super::fusion::Ranked;
use super::reply::SearchReply;

/// How long a list is kept after its first page.
pub(super) const KEPT: Duration = Duration::from_secs(300);
/// Most lists that are kept; the oldest go first.
const LISTS: usize = 1_000;

/// What later pages need. It holds the index as it was, so that the hits are those of the first page's moment.
pub(super) struct List {
    pub workspace: Workspace,
    pub view: Arc<TextView>,
    pub query: TextQuery,
    pub ranked: Vec<Ranked>,
    /// Without hits: what all pages share.
    pub head: SearchReply,
    pub highlight: bool,
    pub explain: bool,
}

/// The kept lists.
#[derive(Default)]
pub(super) struct Cursors(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    next: u64,
    lists: HashMap<u64, (Instant, Arc<List>)>,
}

impl Cursors {
    /// Keeps a list and returns its number.
    pub fn keep(&self, list: Arc<List>, now: Instant) -> u64 {
        let mut kept = self.0.lock();
        kept.lists.retain(|_, (since, _)| now.duration_since(*since) < KEPT);
        while kept.lists.len() >= LISTS {
            let Some(oldest) = kept.lists.keys().min().copied() else { break };
            kept.lists.remove(&oldest);
        }
        kept.next += 1;
        let number = kept.next;
        kept.lists.insert(number, (now, list));
        number
    }

    /// Returns the list that a cursor of this workspace names, its number and the place in it.
    pub fn find(&self, workspace: &Workspace, cursor: &str, now: Instant) -> Result<(Arc<List>, u64, usize), Problem> {
        let parsed = cursor.split_once('.').and_then(|(number, offset)| {
            Some((u64::from_str_radix(number, 16).ok()?, usize::from_str_radix(offset, 16).ok()?))
        });
        let (number, offset) = parsed.ok_or_else(|| {
            Problem::invalid_field("cursor", "format", "`cursor` is not one that a search gave")
                .hint("send `next_cursor` as it was answered")
        })?;
        let kept = self.0.lock();
        let fresh = kept.lists.get(&number).filter(|(since, list)| {
            now.duration_since(*since) < KEPT && list.workspace == *workspace && offset <= list.ranked.len()
        });
        fresh.map(|(_, list)| (list.clone(), number, offset)).ok_or_else(|| {
            Problem::new(ErrorClass::Gone, "the search that this cursor goes on with is no longer kept")
                .code("cursor_gone")
                .hint("search again without a cursor; a list is kept for five minutes")
        })
    }
}

/// Writes a cursor.
pub(super) fn write(number: u64, offset: usize) -> String {
    format!("{number:x}.{offset:x}")
}

#[cfg(test)]
mod tests {
    use partitura_table::text::TextIndex;

    use super::*;

    #[test]
    fn a_list_is_kept_for_five_minutes_and_for_its_workspace() {
        let dir = tempfile::tempdir().expect("a folder");
        let view = TextIndex::open(dir.path(), "1").expect("an index").view();
        let (ours, other) = (Workspace::local(), Workspace::new("other").expect("a name"));
        let ranked = vec![Ranked { version: 1, score: 1.0, scores: Default::default(), near: None }];
        let (workspace, query) = (ours.clone(), TextQuery::default());
        let head = SearchReply {
            took_ms: 0,
            position: None,
            hits: vec![],
            facets: Default::default(),
            next_cursor: None,
            warnings: vec![],
        };
        let list = Arc::new(List { workspace, view, query, ranked, head, highlight: false, explain: false });
        let (cursors, begun) = (Cursors::default(), Instant::now());
        let cursor = write(cursors.keep(list.clone(), begun), 1);
        let after = |seconds: u64| begun + Duration::from_secs(seconds);
        let class = |workspace: &Workspace, cursor: &str, now: Instant| {
            cursors.find(workspace, cursor, now).err().map(|problem| problem.class)
        };
        assert_eq!(class(&ours, &cursor, after(299)), None);
        assert_eq!(class(&ours, &cursor, after(300)), Some(ErrorClass::Gone));
        assert_eq!(class(&other, &cursor, begun), Some(ErrorClass::Gone));
        assert_eq!(class(&ours, "0.0.0", begun), Some(ErrorClass::Invalid));
        for _ in 0..LISTS {
            cursors.keep(list.clone(), after(1));
        }
        assert_eq!(class(&ours, &cursor, after(2)), Some(ErrorClass::Gone), "the oldest went");
    }
}
