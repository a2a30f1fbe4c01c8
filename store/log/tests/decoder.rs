//! Random and broken bytes through the frame decoder: refused without a panic or a large allocation.

use partitura_event::{ManualClock, Timestamp};
use partitura_log::sample::{event, keyed, many};
use partitura_log::{EventLog, LogSettings, MemoryIndex, SegmentLog, SimDisk};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// The frames of a sound log with every kind of record.
fn frames() -> Vec<u8> {
    let disk = SimDisk::new(0);
    let clock = Arc::new(ManualClock::new(Timestamp::MIN));
    let settings = LogSettings { segment_bytes: 16 << 10, compress_from_bytes: 32, ..LogSettings::default() };
    let log = SegmentLog::open_on(Arc::new(disk.clone()), Arc::<MemoryIndex>::default(), settings, clock);
    let log = log.expect("a log");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for n in 0..10 {
        let request = many(vec![event("a", &format!("e{n}")), event("a", "e0")]);
        runtime.block_on(log.append(keyed(request, &format!("k{n}"), "body"))).expect("taken");
    }
    disk.bytes("0000000001.seg").expect("there")[4_096..].to_vec()
}

#[test]
fn broken_frames_are_refused() {
    let sound = frames();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..100_000 {
        let start = rng.random_range(0..sound.len() / 2);
        let mut bytes = sound[start..start + rng.random_range(0..1_000)].to_vec();
        for _ in 0..rng.random_range(0..8) {
            let at = rng.random_range(0..bytes.len().max(1));
            if let Some(byte) = bytes.get_mut(at) {
                *byte = rng.random();
            }
        }
        partitura_log::fuzz::frame(&bytes);
    }
    for length in 0..2_000 {
        let bytes: Vec<u8> = (0..length).map(|_| rng.random()).collect();
        partitura_log::fuzz::frame(&bytes);
    }
}
