//! Words: closed sets of values, refused with the nearest one.

use super::finding::{Findings, Path};
use crate::json::Node;
use crate::problem::nearest;

/// Reads one of `words`, exactly as it is spelt there, and returns its index.
pub fn read_word(words: &[&str], value: &Node<'_>, at: &Path<'_>, found: &mut Findings) -> Option<usize> {
    let Node::Text(text) = value else {
        found.wrong_type(at, &format!("one of {}", words.join(", ")), value);
        return None;
    };
    let index = words.iter().position(|word| word == text);
    if index.is_none() {
        found.issue(at, "word", |path| {
            let meant = match nearest(text, words.iter().copied(), 1).first() {
                Some(near) => format!("; did you mean {near:?}?"),
                None => String::new(),
            };
            format!("`{path}` = {text:.40?} must be one of {}{meant}", words.join(", "))
        });
    }
    index
}

/// Declares enums of words: `Name { /// meaning Variant = "word", … }`.
macro_rules! words {
    ($($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $meaning:literal])+ $variant:ident = $word:literal,)+ })+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[doc = $meaning])+ $variant,)+
        }

        impl $name {
            /// All of them, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            /// Their spelling in JSON.
            pub const WORDS: &'static [&'static str] = &[$($word,)+];

            /// Returns the spelling in JSON and in tables.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::field::FieldValue for $name {
            const TYPE: $crate::field::FieldType = $crate::field::FieldType::Word(Self::WORDS);

            fn read(
                value: &$crate::json::Node<'_>,
                at: &$crate::field::Path<'_>,
                found: &mut $crate::field::Findings,
            ) -> Option<Self> {
                $crate::field::read_word(Self::WORDS, value, at, found).map(|index| Self::ALL[index])
            }

            fn write(&self) -> serde_json::Value {
                serde_json::Value::String(self.as_str().to_owned())
            }
        }
    )+};
}
pub(crate) use words;
