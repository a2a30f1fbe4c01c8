//! Measures appends and reads of a log on this disk, beside a bare loop of write and fdatasync.
//!
//! `cargo run --release -p partitura-log --example throughput -- [folder] [seconds] [writers]x[events]x[bytes]`

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use partitura_event::{
    Draft, EventId, EventType, Expected, Fingerprint, Payload, Source, StreamName, SystemClock, Timestamp, Workspace,
};
use partitura_log::{AppendRequest, Disk, EventLog, LogSettings, OsDisk, ReadLimit, SegmentLog};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| "throughput-data".to_owned()));
    let seconds = Duration::from_secs(arguments.next().map_or(Ok(5), |text| text.parse())?);
    let asked = arguments.next();
    std::fs::create_dir_all(&folder)?;
    println!("{:<44} {:>12} {:>10} {:>9}", "what", "events/s", "syncs/s", "MB/s");
    match asked.as_deref().map(load).transpose()? {
        Some((writers, batch, bytes)) => append(&folder, writers, batch, bytes, seconds)?,
        None => {
            for (writers, batch, bytes) in [(32, 100, 1024), (64, 1, 1024), (1, 1, 1024), (32, 100, 100)] {
                append(&folder, writers, batch, bytes, seconds)?;
            }
            for bytes in [64 << 10, 1 << 20, 4 << 20] {
                raw(&folder, bytes, seconds)?;
            }
        }
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// Reads `32x100x1024`: writers, events of a request, bytes of an event.
fn load(text: &str) -> Result<(u64, u64, usize), Box<dyn std::error::Error>> {
    let mut numbers = text.split('x');
    let mut next = || numbers.next().ok_or("a load is written as writers x events x bytes: 32x100x1024");
    Ok((next()?.parse()?, next()?.parse()?, next()?.parse()?))
}

fn append(
    folder: &Path,
    writers: u64,
    batch: u64,
    bytes: usize,
    length: Duration,
) -> Result<(), Box<dyn std::error::Error>> {
    let folder = folder.join(format!("log-{writers}-{batch}-{bytes}"));
    let log = Arc::new(SegmentLog::open(&folder, LogSettings::default(), Arc::new(SystemClock))?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    let (stop, appended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let filler = "x".repeat(bytes);
    let start = Instant::now();
    let tasks: Vec<_> = (0..writers)
        .map(|writer| {
            let (log, stop, appended, filler) =
                (Arc::clone(&log), Arc::clone(&stop), Arc::clone(&appended), filler.clone());
            runtime.spawn(async move {
                let mut round = 0;
                while !stop.load(Ordering::Relaxed) {
                    let events = (0..batch).map(|n| event(writer, round * batch + n, &filler)).collect();
                    let reply = log.append(AppendRequest::new(Workspace::local(), events)).await;
                    appended.fetch_add(reply.map_or(0, |reply| reply.results.len() as u64), Ordering::Relaxed);
                    round += 1;
                }
            })
        })
        .collect();
    std::thread::sleep(length);
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        runtime.block_on(task)?;
    }
    let (events, took) = (appended.load(Ordering::Relaxed) as f64, start.elapsed().as_secs_f64());
    let what = format!("append, {writers} writers x {batch} x {bytes} B");
    println!("{what:<44} {:>12.0} {:>10} {:>9.1}", events / took, "", events * bytes as f64 / took / 1e6);
    println!("  {} MiB resident", resident_mib());
    read(&*log)?;
    let start = Instant::now();
    drop(log);
    let closed = start.elapsed();
    let start = Instant::now();
    let log = SegmentLog::open(&folder, LogSettings::default(), Arc::new(SystemClock))?;
    println!(
        "  closed in {closed:?}, opened in {:?} with {} events, {} MiB resident",
        start.elapsed(),
        log.head().map_or(0, |head| head.get()),
        resident_mib()
    );
    Ok(())
}

/// Returns the memory that the process holds, where the system tells.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    kib.map_or(0, |kib: u64| kib / 1024)
}

fn read(log: &dyn EventLog) -> Result<(), Box<dyn std::error::Error>> {
    let (start, mut last, mut bytes, mut events) = (Instant::now(), None, 0, 0);
    loop {
        let batch = log.read(last, ReadLimit::default())?;
        let Some(end) = batch.last() else { break };
        last = Some(end.position);
        events += batch.len();
        bytes += batch.iter().map(|event| event.data.get().len()).sum::<usize>();
    }
    let took = start.elapsed().as_secs_f64();
    println!("{:<44} {:>12.0} {:>10} {:>9.1}", "  read in order", events as f64 / took, "", bytes as f64 / took / 1e6);
    let start = Instant::now();
    let verified = log.verify()?;
    let took = start.elapsed().as_secs_f64();
    println!(
        "{:<44} {:>12.0} {:>10} {:>9.1}",
        "  verify",
        verified.events as f64 / took,
        "",
        verified.bytes as f64 / took / 1e6
    );
    println!("  {} frames, {} bytes stored per event", verified.frames, verified.bytes / verified.events.max(1));
    Ok(())
}

fn raw(folder: &Path, bytes: usize, length: Duration) -> Result<(), Box<dyn std::error::Error>> {
    let disk = OsDisk::open(folder)?;
    let file = disk.create("raw")?;
    let (buffer, total) = (vec![b'x'; bytes], 1_u64 << 30);
    file.preallocate(total)?;
    file.sync()?;
    let (start, mut syncs) = (Instant::now(), 0_u64);
    while start.elapsed() < length && (syncs + 1) * (bytes as u64) < total {
        file.write_at(syncs * bytes as u64, &buffer)?;
        file.sync()?;
        syncs += 1;
    }
    let took = start.elapsed().as_secs_f64();
    let rate = syncs as f64 / took;
    let what = format!("bare write and fdatasync of {} KiB", bytes >> 10);
    println!("{what:<44} {:>12.0} {rate:>10.0} {:>9.1}", rate * bytes as f64 / 1024.0, rate * bytes as f64 / 1e6);
    disk.remove("raw")?;
    Ok(())
}

fn event(writer: u64, n: u64, filler: &str) -> Draft {
    let name = "a valid name";
    let id = format!("{writer}-{n}");
    Draft {
        workspace: Workspace::local(),
        source: Source::new("throughput").expect(name),
        fingerprint: Fingerprint::of(id.as_bytes()),
        id: EventId::new(id).expect(name),
        kind: EventType::new("task.progressed").expect(name),
        subject: None,
        stream: StreamName::new(format!("task/{writer}")).expect(name),
        time: Timestamp::MIN,
        actor: None,
        causation: None,
        correlation: None,
        traceparent: None,
        data: Payload::new(serde_json::json!({ "note": filler }).to_string()).expect("JSON"),
        expected: Expected::Any,
    }
}
