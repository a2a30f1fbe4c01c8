//! No body costs more than four times its size, and a constant: measured at the allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

use partitura_event::{Source, Timestamp, Workspace};
use partitura_ingest::{ContentType, Context, IdGenerator, Limits, RedactSettings, Redactor, decode};

/// What a request may cost besides: answers to 10,000 events, or the tree of one event of 50,000 values.
const CONSTANT: usize = 16 << 20;

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator with the same arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(live, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn bodies() -> Vec<(&'static str, ContentType, Vec<u8>)> {
    let full = 8 << 20;
    let fill = |unit: &str| unit.repeat(full / unit.len());
    let keys = |count: usize| (0..count).map(|n| format!("\"k{n}\":1")).collect::<Vec<_>>().join(",");
    let event = |data: String| format!(r#"{{"type":"x.y","id":"1","data":{data}}}"#).into_bytes();
    let json = ContentType::Json;
    vec![
        ("brackets", json, fill("[").into_bytes()),
        ("objects", json, fill("{\"a\":").into_bytes()),
        ("a million keys", json, event(format!("{{{}}}", keys(600_000)))),
        ("keys at the top", json, format!("{{{}}}", keys(600_000)).into_bytes()),
        ("zeros", json, format!("[{}0]", "0,".repeat(4_000_000)).into_bytes()),
        ("zeros in an event", json, event(format!("{{\"l\":[{}0]}}", "0,".repeat(49_000)))),
        ("too many zeros", json, event(format!("{{\"l\":[{}0]}}", "0,".repeat(500_000)))),
        ("empty events", json, format!("[{}{{}}]", "{},".repeat(9_999)).into_bytes()),
        ("too many empty events", json, format!("[{}{{}}]", "{},".repeat(2_000_000)).into_bytes()),
        ("lines that are nothing", ContentType::Ndjson, fill("x\n").into_bytes()),
        ("empty lines", ContentType::Ndjson, format!("{}x", "\n".repeat(full - 1)).into_bytes()),
        ("escapes", json, event(format!("{{\"t\":\"{}\"}}", "\\u0001".repeat(170_000)))),
        ("a long text", json, event(format!("{{\"t\":\"{}\"}}", "x".repeat(1_000_000)))),
        (
            "large events",
            json,
            format!(
                "[{}]",
                vec![format!(r#"{{"type":"x.y","data":{{"t":"{}"}}}}"#, "y".repeat(1_000_000)); 8].join(",")
            )
            .into_bytes(),
        ),
        ("secrets", json, event(format!("{{\"t\":\"{}\"}}", "password=hunter2! ".repeat(50_000)))),
        ("long keys", json, event(format!("{{\"{}\":{{\"{}\":NaN}}}}", "k".repeat(400_000), "k".repeat(400_000)))),
        ("a long id", json, format!(r#"{{"type":"x.y","id":"{}"}}"#, "i".repeat(1_000_000)).into_bytes()),
        ("no UTF-8", json, vec![0xFF; full]),
    ]
}

#[test]
fn four_times_is_enough() {
    let redactor = Redactor::new(RedactSettings::default()).expect("rules");
    let (workspace, source) = (Workspace::local(), Source::new("local").expect("a source"));
    let ids = IdGenerator::new(|| [7; 10]);
    let (ids, redactor, workspace, source) = (&ids, &redactor, &workspace, &source);
    let (now, limits, strict, idempotent) = (Timestamp::MIN, Limits::default(), false, false);
    let context = Context { workspace, source, now, ids, redactor, limits, strict, idempotent };
    // Regular expressions keep caches of their own, made at the first use.
    let _ = decode(ContentType::Json, &[], br#"{"type":"x.y","data":{"t":"password=hunter2!"}}"#, &context);
    for (name, content, body) in bodies() {
        let before = LIVE.load(Ordering::Relaxed);
        PEAK.store(before, Ordering::Relaxed);
        let decoded = black_box(decode(content, &[], &body, &context));
        let cost = PEAK.load(Ordering::Relaxed) - before;
        drop(decoded);
        // The body itself is held by the caller: three times its size is left.
        let allowed = body.len() * 3 + CONSTANT;
        println!("{name}: {} KiB for a body of {} KiB", cost >> 10, body.len() >> 10);
        assert!(cost <= allowed, "{name}: {cost} bytes for a body of {} bytes", body.len());
    }
}
