//! When a certificate is valid: the two times in its DER, without a library for the rest of X.509.

use partitura_event::Timestamp;

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// The version stands before all else, where it is not the oldest.
const VERSION: u8 = 0xA0;

/// The first and the last moment of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// Not before.
    pub from: Timestamp,
    /// Not after.
    pub to: Timestamp,
}

impl Validity {
    /// Reads them; `None` when `der` is no certificate.
    pub fn of(der: &[u8]) -> Option<Self> {
        let (certificate, _) = value(der, SEQUENCE)?;
        let (mut body, _) = value(certificate, SEQUENCE)?;
        if let Some((_, rest)) = value(body, VERSION) {
            body = rest;
        }
        // Serial number, algorithm, issuer.
        for _ in 0..3 {
            (_, _, body) = element(body)?;
        }
        let (validity, _) = value(body, SEQUENCE)?;
        let (kind, from, rest) = element(validity)?;
        let (other, to, _) = element(rest)?;
        Some(Self { from: time(kind, from)?, to: time(other, to)? })
    }
}

fn value(der: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = element(der)?;
    (tag == wanted).then_some((content, rest))
}

/// Splits one element off: its tag, its content, what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..0x80 => (usize::from(first), rest),
        _ => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7F)).filter(|(d, _)| d.len() <= 4)?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// Reads `YYMMDDHHMMSSZ`, whose years are 1950 to 2049, or `YYYYMMDDHHMMSSZ`.
fn time(kind: u8, text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?;
    let (year, rest) = match kind {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let short: u32 = year.parse().ok()?;
            (if short < 50 { 2_000 + short } else { 1_900 + short }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let digits = rest.strip_suffix('Z').filter(|d| d.len() == 10 && d.bytes().all(|b| b.is_ascii_digit()))?;
    let part = |at: usize| &digits[at..at + 2];
    let written = format!("{year:04}-{}-{}T{}:{}:{}Z", part(0), part(2), part(4), part(6), part(8));
    Timestamp::parse("validity", &written).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_both_spellings() {
        let read = |kind, text: &str| time(kind, text.as_bytes()).map(|time| time.to_string());
        assert_eq!(read(UTC_TIME, "260101000000Z").as_deref(), Some("2026-01-01T00:00:00Z"));
        assert_eq!(read(UTC_TIME, "991231235959Z").as_deref(), Some("1999-12-31T23:59:59Z"));
        assert_eq!(read(GENERALIZED_TIME, "20510203040506Z").as_deref(), Some("2051-02-03T04:05:06Z"));
        for (kind, text) in [(UTC_TIME, "26010100000Z"), (UTC_TIME, "2601010000é"), (GENERALIZED_TIME, "x"), (2, "")] {
            assert_eq!(read(kind, text), None, "{text}");
        }
    }

    #[test]
    fn damaged_certificates_are_no_certificates() {
        for der in [&b""[..], b"\x30", b"\x30\x84\xFF\xFF\xFF\xFF", b"\x30\x02\x30\x00", b"\x30\x89\x01", b"hello"] {
            assert_eq!(Validity::of(der), None, "{der:?}");
        }
    }
}
