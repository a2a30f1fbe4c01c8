//! Sizes and durations as people write them: `8MiB`, `500ms`, `30d`.

use std::time::Duration;

use partitura_event::Problem;

/// A number of bytes.
pub type Bytes = u64;

/// Reads a size; `None` when it is not one.
pub fn bytes(text: &str) -> Option<Bytes> {
    let (number, unit) = split(text)?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" | "k" => 1_000,
        "mb" | "m" => 1_000_000,
        "gb" | "g" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return None,
    };
    let scaled = number * factor as f64;
    (scaled.is_finite() && scaled < 1e15).then_some(scaled as Bytes)
}

/// Reads a size of a field. Errors name the field and what it takes.
pub fn read_bytes(field: &str, text: &str) -> Result<Bytes, Problem> {
    bytes(text).filter(|bytes| *bytes > 0).ok_or_else(|| {
        let detail = format!("`{field}` takes a size such as 256MiB, not {text:?}");
        Problem::invalid_field(field, "wrong_type", detail)
    })
}

/// Reads a duration, of at most a hundred years; `None` when it is not one.
pub fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let seconds = match unit {
        "us" | "µs" => number / 1e6,
        "ms" => number / 1e3,
        "s" | "" => number,
        "m" | "min" => number * 60.0,
        "h" => number * 3_600.0,
        "d" => number * 86_400.0,
        "w" => number * 604_800.0,
        _ => return None,
    };
    if seconds > 100.0 * 366.0 * 86_400.0 {
        return None;
    }
    Duration::try_from_secs_f64(seconds).ok()
}

/// Writes a size with the unit that divides it, for messages.
pub fn show_bytes(bytes: Bytes) -> String {
    let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match units.iter().find(|(_, size)| bytes >= *size && bytes.is_multiple_of(*size)) {
        Some((unit, size)) => format!("{} {unit}", bytes / size),
        None => format!("{bytes} bytes"),
    }
}

fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    Some((number, text[end..].trim()))
}
