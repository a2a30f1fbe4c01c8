//! The one writer: queue → stage (judge, encode) → tail (write, sync, acknowledge).
//!
//! Stage and tail have a thread each, so that the next commit is judged and encoded while this one
//! is synced. A commit that is judged on top of one that then finds the disk full is refused with it.

mod group;
mod queue;
mod recording;
mod stage;
mod submission;
mod tail;
pub(crate) mod turn;

pub(crate) use group::Group;
pub(crate) use queue::{Queue, Taken};
pub(crate) use recording::Recording;
pub(crate) use stage::Stage;
pub(crate) use submission::{Answering, Submission};
pub(crate) use tail::Tail;
