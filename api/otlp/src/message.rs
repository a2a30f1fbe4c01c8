//! The one message of a call: counted against the memory of all bodies, inflated within limits, never read without end.

use std::io::Read;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use http_body_util::BodyExt;
use hyper::HeaderMap;
use hyper::body::Incoming;
use partitura_event::{ErrorClass, Problem};
use partitura_service::{BodyShare, Settings, show_bytes};
use tokio::time::Instant;

/// A message stands behind a flag and its length.
const HEAD_BYTES: usize = 5;
/// Bytes a second that a client sends on average, at least: else a thousand of them could hold the memory of all.
const RATE_MIN: u64 = 4 << 10;
/// Small messages may inflate by any factor: the absolute limit is enough.
const RATIO_FROM: u64 = 1 << 20;
/// Messages up to this size are inflated where they arrive.
const INLINE_MAX: usize = 256 << 10;
/// Largest window that a message in zstd may ask for, as a power of two: that of the largest message.
const ZSTD_WINDOW_MAX: u32 = 26;
/// How a message may be coded.
const CODINGS: &str = "gzip, deflate, zstd";

/// A message in memory, and its share of the budget.
#[derive(Debug)]
pub struct Message {
    /// The inflated bytes.
    pub bytes: Bytes,
    /// Given back when the call is answered.
    _share: BodyShare,
}

/// What a message may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes, before and after inflation.
    max: u64,
    /// Factor by which it may inflate.
    ratio: u64,
    /// Longest pause of the client.
    pause: Duration,
}

impl Limits {
    /// Takes the limits of the settings for messages of at most `max` bytes.
    pub const fn of(settings: &Settings, max: u64) -> Self {
        Self { max, ratio: settings.inflation_max as u64, pause: settings.stall_timeout }
    }

    fn check(&self, raw: u64, inflated: u64) -> Result<(), Problem> {
        if inflated > self.max {
            return Err(too_large(self.max));
        }
        if inflated > RATIO_FROM && inflated / raw.max(1) > self.ratio {
            let detail = format!("the message inflates to more than {} times its size", self.ratio);
            return Err(Problem::new(ErrorClass::TooLarge, detail)
                .code("inflation")
                .hint("compress what is worth compressing; /v1/limits shows every limit"));
        }
        Ok(())
    }
}

/// Reads the message of a unary call.
pub async fn read(
    headers: &HeaderMap,
    body: Incoming,
    limits: Limits,
    mut share: BodyShare,
) -> Result<Message, Problem> {
    let coding = Coding::of(headers)?;
    let mut raw = collect(body, limits, &mut share).await?;
    let is_coded = raw.first() == Some(&1);
    let bytes = raw.split_off(HEAD_BYTES).freeze();
    let bytes = match coding {
        _ if !is_coded => bytes,
        Coding::Identity => {
            return Err(broken("is marked as compressed, but `grpc-encoding` does not say how"));
        }
        coding if bytes.len() <= INLINE_MAX => inflate(&bytes, coding, limits, &mut share)?,
        // A large message keeps a thread busy for long: the others must go on meanwhile.
        coding => tokio::task::block_in_place(|| inflate(&bytes, coding, limits, &mut share))?,
    };
    Ok(Message { bytes, _share: share })
}

/// Reads flag, length and message as they come, and nothing behind them.
async fn collect(mut body: Incoming, limits: Limits, share: &mut BodyShare) -> Result<BytesMut, Problem> {
    let (mut raw, started) = (BytesMut::new(), Instant::now());
    loop {
        let slowest = started + limits.pause + Duration::from_secs(raw.len() as u64 / RATE_MIN);
        let frame = tokio::time::timeout_at(slowest.min(Instant::now() + limits.pause), body.frame()).await;
        let Some(frame) = frame.map_err(|_| stalled(limits.pause))? else { break };
        let frame = frame.map_err(|error| broken(&format!("ended too early: {error}")))?;
        let Ok(piece) = frame.into_data() else { continue };
        share.grow(piece.len() as u64)?;
        raw.extend_from_slice(&piece);
        let Some(length) = length(&raw) else { continue };
        if length > limits.max {
            return Err(too_large(limits.max));
        }
        if raw.len() as u64 > HEAD_BYTES as u64 + length {
            return Err(broken("is followed by another one; an export is one message"));
        }
    }
    match (length(&raw), raw.first()) {
        (Some(length), Some(0 | 1)) if raw.len() as u64 == HEAD_BYTES as u64 + length => Ok(raw),
        (Some(_), Some(0 | 1)) => Err(broken("ends before the length that it names")),
        (Some(_), _) => Err(broken("has a flag that gRPC does not know")),
        _ => Err(broken("is missing")),
    }
}

/// Returns the length that stands before a message.
fn length(raw: &[u8]) -> Option<u64> {
    let digits = raw.get(1..HEAD_BYTES)?;
    Some(digits.iter().fold(0, |length, digit| length << 8 | u64::from(*digit)))
}

#[derive(Clone, Copy)]
enum Coding {
    Identity,
    Gzip,
    /// The zlib format, as HTTP means it.
    Deflate,
    Zstd,
}

impl Coding {
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(value) = headers.get("grpc-encoding") else { return Ok(Self::Identity) };
        match value.to_str().unwrap_or("?").trim() {
            "identity" => Ok(Self::Identity),
            "gzip" => Ok(Self::Gzip),
            "deflate" => Ok(Self::Deflate),
            "zstd" => Ok(Self::Zstd),
            // gRPC asks for UNIMPLEMENTED, which is that of a method that is not there.
            name => Err(Problem::new(
                ErrorClass::MethodNotAllowed,
                format!("the compression {name:.40} is not supported; one of {CODINGS} is"),
            )
            .code("unsupported_encoding")
            .hint(format!("send messages plain, or coded as one of {CODINGS}"))),
        }
    }
}

fn inflate(raw: &[u8], coding: Coding, limits: Limits, share: &mut BodyShare) -> Result<Bytes, Problem> {
    let inflating = |error: std::io::Error| broken(&format!("cannot be inflated: {error}"));
    let mut reader: Box<dyn Read + '_> = match coding {
        Coding::Identity => Box::new(raw),
        Coding::Gzip => Box::new(MultiGzDecoder::new(raw)),
        Coding::Deflate => Box::new(ZlibDecoder::new(raw)),
        Coding::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::new(raw).map_err(inflating)?;
            decoder.window_log_max(ZSTD_WINDOW_MAX).map_err(inflating)?;
            Box::new(decoder)
        }
    };
    let (mut bytes, mut buffer) = (BytesMut::new(), vec![0; 32 << 10]);
    loop {
        let read = reader.read(&mut buffer).map_err(inflating)?;
        if read == 0 {
            return Ok(bytes.freeze());
        }
        share.grow(read as u64)?;
        bytes.extend_from_slice(&buffer[..read]);
        limits.check(raw.len() as u64, bytes.len() as u64)?;
    }
}

fn too_large(max: u64) -> Problem {
    Problem::new(ErrorClass::TooLarge, format!("the message is larger than {} ({max} bytes)", show_bytes(max)))
        .code("body_too_large")
        .hint("export smaller batches; /v1/limits shows every limit")
}

fn stalled(pause: Duration) -> Problem {
    let detail = format!("the message stopped coming for {} s, or comes too slowly", pause.as_secs_f64());
    Problem::new(ErrorClass::Malformed, detail).code("body_stalled").hint("send it again, in smaller batches")
}

fn broken(what: &str) -> Problem {
    Problem::new(ErrorClass::Malformed, format!("the message {what}")).code("broken_body")
}
