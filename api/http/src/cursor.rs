//! Opaque cursors of lists that follow positions: stable, because the log only grows.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use partitura_event::{ErrorClass, Position, Problem};

/// Writes a cursor that goes on after `position`.
pub fn write(position: Position) -> String {
    URL_SAFE_NO_PAD.encode(format!("p{position}"))
}

/// Reads a cursor.
pub fn read(text: &str) -> Result<Position, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let number = bytes.and_then(|text| text.strip_prefix('p')?.parse().ok());
    number.and_then(Position::new).ok_or_else(|| {
        Problem::new(ErrorClass::Invalid, "`cursor` is not one of this list")
            .code("invalid_cursor")
            .hint("send `next_cursor` of the page before, unchanged, or none")
    })
}
