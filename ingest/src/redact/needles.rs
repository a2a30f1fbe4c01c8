//! Finds which rules could match a text at all, in one pass and without caring for case.
//!
//! The pass takes two bytes at a time and asks a set of 8 KiB whether the pair deserves a closer look: a
//! needle has at least three bytes, so one of the two pairs that its rarest three bytes begin with stands
//! on an even offset. Rules for values that a name announces (`api_key: …`) have no needle, as `key` and
//! `token` are in half of all texts about models; they are found from the `:` or `=` backwards.

use super::rule::Trigger;

/// The triggers of all rules.
#[derive(Debug)]
pub(super) struct Needles {
    /// One bit for each pair of bytes, letters in lower case, that deserves a closer look.
    pairs: Box<[u64; PAIRS / 64]>,
    /// One bit for each hash of a window: most pairs that deserve a closer look are no part of one.
    windows: Box<[u64; PAIRS / 64]>,
    /// By their windows.
    words: Vec<Word>,
    /// Endings of names that announce a secret, in lower case.
    endings: Vec<(&'static [u8], u64)>,
}

const PAIRS: usize = 1 << 16;

/// One needle.
#[derive(Debug)]
struct Word {
    /// Its rarest three bytes, in lower case.
    window: [u8; 3],
    /// Where they stand in it.
    offset: usize,
    text: &'static [u8],
    /// It must begin a word.
    begins: bool,
    /// The rules that need it.
    rules: u64,
}

impl Needles {
    /// Takes the trigger of each rule and the rule's bit.
    pub(super) fn new(triggers: impl IntoIterator<Item = (Trigger, u64)>) -> Self {
        let none = || Box::new([0; PAIRS / 64]);
        let mut all = Self { pairs: none(), windows: none(), words: Vec::new(), endings: Vec::new() };
        for (trigger, rules) in triggers {
            match trigger {
                Trigger::Always => {}
                Trigger::Begins(words) => all.add(words, true, rules),
                Trigger::Holds(words) => all.add(words, false, rules),
                Trigger::Announced(names) => all.endings.extend(names.iter().map(|name| (name.as_bytes(), rules))),
            }
        }
        if !all.endings.is_empty() {
            for (sign, other) in [b':', b'='].into_iter().flat_map(|sign| (0..=u8::MAX).map(move |byte| (sign, byte))) {
                all.mark([sign, other]);
                all.mark([other, sign]);
            }
        }
        all.words.sort_by_key(|word| word.window);
        all
    }

    fn add(&mut self, words: &'static [&'static str], begins: bool, rules: u64) {
        for text in words.iter().map(|word| word.as_bytes()) {
            let windows = text.windows(3).enumerate();
            let Some((offset, rarest)) = windows.max_by_key(|(_, window)| window.iter().map(rarity).sum::<u32>())
            else {
                continue;
            };
            let window = [rarest[0], rarest[1], rarest[2]].map(|byte| byte.to_ascii_lowercase());
            self.words.push(Word { window, offset, text, begins, rules });
            self.mark([window[0], window[1]]);
            self.mark([window[1], window[2]]);
            let hash = hash(window);
            self.windows[hash / 64] |= 1 << (hash % 64);
        }
    }

    fn mark(&mut self, pair: [u8; 2]) {
        let place = place(pair);
        self.pairs[place / 64] |= 1 << (place % 64);
    }

    /// Returns the bit set of the rules whose triggers stand in `text`.
    pub(super) fn rules_in(&self, text: &str) -> u64 {
        let bytes = text.as_bytes();
        let mut rules = 0;
        for (n, pair) in bytes.chunks_exact(2).enumerate() {
            let place = place([pair[0], pair[1]]);
            if self.pairs[place / 64] >> (place % 64) & 1 == 1 {
                rules |= self.look(bytes, n * 2);
            }
        }
        rules
    }

    /// Looks closer at the pair at `at`: it may be the end of a window too.
    #[inline(never)]
    fn look(&self, bytes: &[u8], at: usize) -> u64 {
        let mut rules = 0;
        for start in at.saturating_sub(1)..=at {
            if let Some([a, b, c]) = bytes.get(start..start + 3) {
                let window = [*a, *b, *c].map(|byte| byte.to_ascii_lowercase());
                let hash = hash(window);
                if self.windows[hash / 64] >> (hash % 64) & 1 == 0 {
                    continue;
                }
                let first = self.words.partition_point(|word| word.window < window);
                let same = self.words[first..].iter().take_while(|word| word.window == window);
                let found = same.filter(|word| start.checked_sub(word.offset).is_some_and(|at| word.is_at(bytes, at)));
                rules = found.fold(rules, |rules, word| rules | word.rules);
            }
        }
        for sign in at..(at + 2).min(bytes.len()) {
            if matches!(bytes[sign], b':' | b'=') {
                rules |= self.announced(&bytes[..sign]);
            }
        }
        rules
    }

    /// Returns the rules of the name that ends in front of a `:` or `=`: `token`, `"token" `, `\"token\"`.
    fn announced(&self, before: &[u8]) -> u64 {
        let blanks = before.iter().rev().take(3).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let mut name = &before[..before.len() - blanks];
        for marks in [b"\"'".as_slice(), b"\\"] {
            if let [rest @ .., last] = name
                && marks.contains(last)
            {
                name = rest;
            }
        }
        let is_end = |ending: &[u8]| {
            name.len().checked_sub(ending.len()).is_some_and(|from| name[from..].eq_ignore_ascii_case(ending))
        };
        self.endings.iter().filter(|(ending, _)| is_end(ending)).fold(0, |rules, (_, more)| rules | more)
    }
}

impl Word {
    fn is_at(&self, bytes: &[u8], at: usize) -> bool {
        let inside = |before: &u8| before.is_ascii_alphanumeric() || *before == b'_';
        bytes.get(at..at + self.text.len()).is_some_and(|here| here.eq_ignore_ascii_case(self.text))
            && !(self.begins && at > 0 && inside(&bytes[at - 1]))
    }
}

/// Place of a pair in the set. Bit 5 is set, so that letters of both cases are the same.
const fn place(pair: [u8; 2]) -> usize {
    (u16::from_le_bytes(pair) | 0x2020) as usize
}

/// Place of a window in the set of windows.
const fn hash([a, b, c]: [u8; 3]) -> usize {
    (u32::from_le_bytes([a, b, c, 0]).wrapping_mul(0x9E37_79B1) >> 16) as usize
}

/// How seldom a byte is in running text, roughly.
const fn rarity(byte: &u8) -> u32 {
    match byte.to_ascii_lowercase() {
        b'j' | b'q' | b'x' | b'z' | b'0'..=b'9' => 3,
        b'_' | b'-' | b'.' | b':' | b'/' => 2,
        b'b' | b'g' | b'k' | b'p' | b'v' | b'w' | b'y' => 1,
        _ => 0,
    }
}
