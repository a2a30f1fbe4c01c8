//! Request bodies: counted against the memory of all bodies, inflated within limits, never read without end.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_compression::tokio::bufread::{GzipDecoder, ZstdDecoder};
use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use flate2::{Decompress, FlushDecompress, Status};
use futures::{StreamExt, TryStreamExt};
use partitura_event::{ErrorClass, Problem};
use partitura_service::{BodyShare, Settings, show_bytes};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::Instant;
use tokio_util::io::StreamReader;

/// Bytes a second that a client sends on average, at least: else a thousand of them could hold the memory of all.
const RATE_MIN: u64 = 4 << 10;
/// Room that is made before anything has come; more is made as it comes.
const ROOM: u64 = 1 << 20;
/// Small bodies may inflate by any factor: the absolute limit is enough.
const RATIO_FROM: u64 = 1 << 20;

/// How much of a refused body is still read, and how long.
const DRAIN_MAX: usize = 128 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// How a body may be coded.
const CODINGS: &str = "gzip, deflate, zstd";

/// A body in memory, and its share of the budget.
#[derive(Debug)]
pub struct Received {
    /// The inflated bytes.
    pub bytes: Bytes,
    /// Given back when the request is answered.
    pub share: BodyShare,
}

/// Reads a body of at most `max` bytes after inflation.
pub async fn receive(
    headers: &HeaderMap,
    body: Body,
    settings: &Settings,
    max: u64,
    share: BodyShare,
) -> Result<Received, Problem> {
    let length = content_length(headers);
    let mut stream = body.into_data_stream();
    let coding = match length {
        Some(length) if length > max => Err(too_large(max)),
        _ => coding(headers),
    };
    let pace = Pace { pause: settings.stall_timeout, started: Instant::now() };
    // A client that asks before it sends has sent nothing yet that would have to be taken from the line.
    let unsent = coding.is_err() && headers.contains_key(header::EXPECT);
    let received = match coding {
        Ok(Coding::Identity) => plain(&mut stream, length, max, &pace, share).await,
        Ok(coding) => inflated(&mut stream, coding, settings, max, &pace, share).await,
        Err(problem) => Err(problem),
    };
    if received.is_err() && !unsent {
        drain(stream).await;
    }
    received
}

/// Reads a body that is not coded. What comes in one piece is not copied.
async fn plain(
    stream: &mut BodyDataStream,
    length: Option<u64>,
    max: u64,
    pace: &Pace,
    mut share: BodyShare,
) -> Result<Received, Problem> {
    let mut all = BytesMut::new();
    loop {
        let Some(piece) = pace.next(all.len(), stream.next()).await? else {
            return Ok(Received { bytes: all.freeze(), share });
        };
        let piece = piece.map_err(|error| broken(&error, false))?;
        share.grow(piece.len() as u64)?;
        if all.is_empty() && length == Some(piece.len() as u64) {
            return Ok(Received { bytes: piece, share });
        }
        if (all.len() + piece.len()) as u64 > max {
            return Err(too_large(max));
        }
        if all.is_empty() {
            all.reserve(length.unwrap_or(0).min(ROOM) as usize);
        }
        all.extend_from_slice(&piece);
    }
}

/// Reads a compressed body: what comes out is limited, absolutely and by its ratio to what went in.
async fn inflated(
    stream: &mut BodyDataStream,
    coding: Coding,
    settings: &Settings,
    max: u64,
    pace: &Pace,
    share: BodyShare,
) -> Result<Received, Problem> {
    if matches!(coding, Coding::Deflate) {
        let limits = Limits { max, ratio: settings.inflation_max as u64, raw: Arc::default() };
        return limits.collect_zlib(stream, pace, share).await;
    }
    let raw = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&raw);
    let stream = stream.map_err(io::Error::other).inspect_ok(move |piece| {
        counted.fetch_add(piece.len() as u64, Ordering::Relaxed);
    });
    let reader = StreamReader::new(stream);
    let limits = Limits { max, ratio: settings.inflation_max as u64, raw };
    match coding {
        Coding::Zstd => limits.collect(ZstdDecoder::new(reader), pace, share).await,
        _ => {
            let mut decoder = GzipDecoder::new(reader);
            decoder.multiple_members(true);
            limits.collect(decoder, pace, share).await
        }
    }
}

/// How slowly a client may send: with pauses, but not without end.
struct Pace {
    pause: Duration,
    started: Instant,
}

impl Pace {
    /// Waits for the next piece after `read` bytes.
    async fn next<T>(&self, read: usize, piece: impl Future<Output = T>) -> Result<T, Problem> {
        let slowest = self.started + self.pause + Duration::from_secs(read as u64 / RATE_MIN);
        let until = slowest.min(Instant::now() + self.pause);
        tokio::time::timeout_at(until, piece).await.map_err(|_| stalled(self.pause))
    }
}

/// Reads on a little after a refusal: a client that is still sending would otherwise never see the answer.
async fn drain(mut stream: BodyDataStream) {
    let discard = async {
        let mut drained = 0;
        while let Some(Ok(piece)) = stream.next().await {
            drained += piece.len();
            if drained > DRAIN_MAX {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(DRAIN_TIME, discard).await;
}

#[derive(Clone, Copy)]
enum Coding {
    Identity,
    Gzip,
    /// The zlib format, as HTTP means it.
    Deflate,
    Zstd,
}

fn coding(headers: &HeaderMap) -> Result<Coding, Problem> {
    let Some(value) = headers.get(header::CONTENT_ENCODING) else { return Ok(Coding::Identity) };
    let name = value.to_str().unwrap_or("?").trim().to_ascii_lowercase();
    match name.as_str() {
        "" | "identity" => Ok(Coding::Identity),
        "gzip" | "x-gzip" => Ok(Coding::Gzip),
        "deflate" => Ok(Coding::Deflate),
        "zstd" => Ok(Coding::Zstd),
        _ => Err(Problem::new(
            ErrorClass::UnsupportedMedia,
            format!("Content-Encoding {name:.40} is not supported; one of {CODINGS} is"),
        )
        .code("unsupported_encoding")
        .hint(format!("send the body plain, or coded once as one of {CODINGS}"))),
    }
}

struct Limits {
    max: u64,
    ratio: u64,
    raw: Arc<AtomicU64>,
}

impl Limits {
    async fn collect(self, reader: impl AsyncRead, pace: &Pace, mut share: BodyShare) -> Result<Received, Problem> {
        let mut reader = Box::pin(reader);
        let mut bytes = BytesMut::new();
        loop {
            if bytes.capacity() == bytes.len() {
                bytes.reserve(bytes.len().clamp(8 << 10, 1 << 20));
            }
            let read = pace.next(bytes.len(), reader.read_buf(&mut bytes)).await?;
            let n = read.map_err(|error| broken(&error, true))?;
            if n == 0 {
                return Ok(Received { bytes: bytes.freeze(), share });
            }
            share.grow(n as u64)?;
            self.check(bytes.len() as u64)?;
        }
    }

    /// Does the same for the zlib format, whose decoder has no reader of its own here.
    async fn collect_zlib(
        self,
        stream: &mut BodyDataStream,
        pace: &Pace,
        mut share: BodyShare,
    ) -> Result<Received, Problem> {
        let (mut inflater, mut bytes) = (Decompress::new(true), BytesMut::new());
        let mut buffer = vec![0; 32 << 10];
        let mut ended = false;
        while let Some(piece) = pace.next(bytes.len(), stream.next()).await? {
            let piece = piece.map_err(|error| broken(&error, false))?;
            let mut rest: &[u8] = &piece;
            // A full buffer may hold back more.
            let mut is_full = false;
            while (is_full || !rest.is_empty()) && !ended {
                let (read, written) = (inflater.total_in(), inflater.total_out());
                let status = inflater.decompress(rest, &mut buffer, FlushDecompress::None);
                ended = status.map_err(|error| broken(&error, true))? == Status::StreamEnd;
                let (read, written) = (inflater.total_in() - read, inflater.total_out() - written);
                rest = &rest[read as usize..];
                is_full = written as usize == buffer.len();
                self.raw.fetch_add(read, Ordering::Relaxed);
                share.grow(written)?;
                bytes.extend_from_slice(&buffer[..written as usize]);
                self.check(bytes.len() as u64)?;
                if read == 0 && written == 0 && !rest.is_empty() {
                    return Err(broken(&"its blocks make no sense", true));
                }
            }
        }
        if ended { Ok(Received { bytes: bytes.freeze(), share }) } else { Err(broken(&"it ends too early", true)) }
    }

    fn check(&self, out: u64) -> Result<(), Problem> {
        if out > self.max {
            return Err(too_large(self.max));
        }
        if out > RATIO_FROM && out / self.raw.load(Ordering::Relaxed).max(1) > self.ratio {
            return Err(bomb(self.ratio));
        }
        Ok(())
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(max: u64) -> Problem {
    Problem::new(ErrorClass::TooLarge, format!("the body is larger than {} ({max} bytes)", show_bytes(max)))
        .code("body_too_large")
        .hint("send it in parts; /v1/limits shows every limit")
}

fn bomb(ratio: u64) -> Problem {
    Problem::new(ErrorClass::TooLarge, format!("the body inflates to more than {ratio} times its size"))
        .code("inflation")
        .hint("compress what is worth compressing; /v1/limits shows every limit")
}

fn stalled(pause: Duration) -> Problem {
    let detail = format!("the body stopped coming for {} s, or comes too slowly", pause.as_secs_f64());
    Problem::new(ErrorClass::Malformed, detail).code("body_stalled").hint("send it again, in smaller parts")
}

fn broken(error: &impl std::fmt::Display, inflated: bool) -> Problem {
    let what = if inflated { "cannot be inflated" } else { "ended too early" };
    Problem::new(ErrorClass::Malformed, format!("the body {what}: {error}")).code("broken_body")
}
