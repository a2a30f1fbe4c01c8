//! The header `Range` (RFC 9110, 14.2): one part of a file.

use std::ops::Range;

/// What of a file is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ranged {
    /// All of it: nothing was said, or what a server may ignore (several parts, another unit, no numbers).
    Whole,
    /// One part.
    Part(Part),
}

/// One part, before the length is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// From the first byte up to and with the last.
    Between(u64, u64),
    /// From a byte to the end.
    From(u64),
    /// The last bytes.
    Last(u64),
}

impl Ranged {
    /// Reads the header.
    pub fn read(text: &str) -> Self {
        Self::part(text).map_or(Self::Whole, Self::Part)
    }

    fn part(text: &str) -> Option<Part> {
        let (unit, set) = text.split_once('=')?;
        let (first, last) = set.trim().split_once('-')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        match (digits(first)?, digits(last)?) {
            (Some(first), Some(last)) if first <= last => Some(Part::Between(first, last)),
            (Some(first), None) => Some(Part::From(first)),
            (None, Some(last)) => Some(Part::Last(last)),
            _ => None,
        }
    }
}

/// Reads a number that may be left out; `None` when it is something else, such as the rest of a second part.
fn digits(text: &str) -> Option<Option<u64>> {
    let text = text.trim();
    if text.is_empty() {
        return Some(None);
    }
    // A number beyond 64 bits is beyond every file as well.
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| Some(text.parse().unwrap_or(u64::MAX)))
}

impl Part {
    /// Returns the bytes of a file of this length; `None` when it has none of them.
    pub fn within(self, length: u64) -> Option<Range<u64>> {
        let part = match self {
            Self::Between(first, last) => first..last.saturating_add(1).min(length),
            Self::From(first) => first..length,
            Self::Last(count) => length.saturating_sub(count)..length,
        };
        (part.start < part.end).then_some(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_part_is_read_and_what_may_be_ignored_is() {
        let cases: &[(&str, Option<Range<u64>>, bool)] = &[
            ("bytes=0-9", Some(0..10), true),
            ("bytes=5-", Some(5..100), true),
            ("bytes=-8", Some(92..100), true),
            ("bytes=-800", Some(0..100), true),
            ("bytes=90-800", Some(90..100), true),
            ("BYTES = 1-1", Some(1..2), true),
            ("bytes=99-99999999999999999999999", Some(99..100), true),
            ("bytes=100-", None, true),
            ("bytes=-0", None, true),
            ("bytes=9-5", None, false),
            ("bytes=0-1,4-5", None, false),
            ("bytes=-", None, false),
            ("rows=0-9", None, false),
            ("bytes=a-b", None, false),
            ("", None, false),
        ];
        for (text, part, is_part) in cases {
            match Ranged::read(text) {
                Ranged::Whole => assert!(!is_part, "{text}"),
                Ranged::Part(found) => assert!(*is_part && found.within(100) == *part, "{text}: {found:?}"),
            }
        }
        assert_eq!(Part::Last(8).within(0), None, "an empty file has no part");
    }
}
