//! Running over the inside of strings, eight bytes at a time.

const ONES: u64 = u64::MAX / 0xFF;
const HIGH: u64 = ONES << 7;

/// Returns how many bytes of `text` stand for themselves in a JSON string: up to the first quote, backslash
/// or control character, or all.
pub fn plain(text: &[u8]) -> usize {
    let mut words = text.chunks_exact(8);
    let mut at = 0;
    for word in words.by_ref() {
        let special = special(word.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        if special != 0 {
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let tail = words.remainder().iter();
    at + tail.take_while(|byte| **byte >= 0x20 && !matches!(**byte, b'"' | b'\\')).count()
}

/// Returns a word whose lowest set bit is in the first byte that is special, or zero. (Bytes behind that
/// one may be marked wrongly: a borrow runs through them.)
const fn special(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (control | (quote.wrapping_sub(ONES) & !quote) | (backslash.wrapping_sub(ONES) & !backslash)) & HIGH
}
