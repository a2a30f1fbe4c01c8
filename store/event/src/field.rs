//! Fields: what a value of an event's `data` may be, how it is read and what is said when it is wrong.
//!
//! A *shape* is a struct whose fields carry their documentation; the [`shape!`] macro makes of it the
//! static field table, the reader (with the exact path of each fault), the canonical writer and the JSON
//! Schema, so that these four cannot differ. `T` is a required field, `Option<T>` an optional one; JSON
//! `null` is the same as absent.

mod example;
mod finding;
mod number;
mod shape;
mod spec;
mod text;
mod word;

pub mod condition;
pub mod content;
pub mod labels;
pub mod period;
pub mod priority;
pub mod span;

pub use condition::Condition;
pub use content::Content;
pub use finding::{Checked, Findings, Path, Warning};
pub use labels::Labels;
pub use number::{Fraction, Measure, Percent, Price};
pub use period::Period;
pub use priority::Priority;
pub use shape::{FieldValue, Shape, Slot, attributes, member, missing};
pub use span::Span;
pub use spec::{FieldSpec, FieldType};
pub use text::{Name, short_text};

pub(crate) use example::example;
pub(crate) use shape::{field_name, shape};
pub use word::read_word;
pub(crate) use word::words;

/// Most items of a list inside an event.
pub const MAX_LIST_ITEMS: usize = 1_000;
