//! Posts one message to a receiver: within a time, without redirects, and to public addresses only.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use partitura_event::{ErrorClass, Problem};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use tokio::sync::Semaphore;

use super::address::is_public;
use super::record::URL_BYTES_MAX;

/// Longest time until a connection is there.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// What is read of an answer, and what is kept of it.
const ANSWER_BYTES_MAX: usize = 16 << 10;
const ANSWER_CHARS_KEPT: usize = 300;
/// Messages under way at the same time.
const SENDING_MAX: usize = 64;
/// Longest wait that a receiver may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3_600);

/// Posts messages.
pub struct Sender {
    client: Client,
    allow_private: bool,
    places: Semaphore,
}

/// A signed message.
#[derive(Clone, Debug)]
pub struct Message {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`.
    pub seconds: i64,
    /// `webhook-signature`.
    pub signature: String,
    /// The event.
    pub body: bytes::Bytes,
}

/// What a receiver said.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// It took the message.
    pub delivered: bool,
    /// Its status, if it answered.
    pub status: Option<u16>,
    /// Why it counts as a failure.
    pub error: Option<String>,
    /// How its answer began.
    pub answer: Option<String>,
    /// How long it wants to be left alone.
    pub retry_after: Option<Duration>,
}

impl Sender {
    /// Makes one. `timeout` holds for a whole exchange.
    pub fn new(timeout: Duration, allow_private: bool) -> Result<Self, Problem> {
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_MAX.min(timeout))
            .timeout(timeout)
            .pool_max_idle_per_host(1)
            .user_agent(concat!("partitura/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Arc::new(Guarded { allow_private }))
            .build()
            .map_err(|error| Problem::new(ErrorClass::Internal, format!("webhooks have no HTTP client: {error}")))?;
        Ok(Self { client, allow_private, places: Semaphore::new(SENDING_MAX) })
    }

    /// Checks a URL, and the addresses behind its name when they can be found now. Errors say what is allowed.
    pub async fn check(&self, text: &str) -> Result<Url, Problem> {
        let wrong = |code: &str, detail: String| Problem::invalid_field("url", code, detail);
        if text.len() > URL_BYTES_MAX {
            return Err(wrong(
                "too_long",
                format!("`url` has {} bytes; at most {URL_BYTES_MAX} are allowed", text.len()),
            ));
        }
        let url = Url::parse(text).map_err(|error| wrong("url", format!("`url` is not a URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(wrong("url", "`url` begins with https:// (or http://) and a host".into()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("credentials", "`url` carries a name or a password; the signature is the proof".into()));
        }
        let addresses = match literal(&url) {
            Some(address) => vec![address],
            // A name that cannot be found now may be found later; it is looked up again for every connection.
            None => lookup(url.host_str().unwrap_or_default()).await.unwrap_or_default(),
        };
        match addresses.into_iter().find(|address| !self.allow_private && !is_public(*address)) {
            None => Ok(url),
            Some(address) => {
                Err(wrong("private_address", format!("`url` leads to {address}, not the public internet"))
                    .code("private_address")
                    .hint("whoever runs the server can allow it with the setting `webhooks_allow_private`"))
            }
        }
    }

    /// Posts a message. A failure is told, not raised.
    pub async fn post(&self, url: &str, message: &Message) -> Said {
        let _place = self.places.acquire().await;
        let failed = |error: String| Said { error: Some(error), ..Said::default() };
        let url = match Url::parse(url) {
            Ok(url) => url,
            Err(error) => return failed(format!("the URL cannot be read: {error}")),
        };
        if let Some(address) = literal(&url)
            && !self.allow_private
            && !is_public(address)
        {
            return failed(format!("{address} is not of the public internet"));
        }
        let request = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", message.seconds)
            .header("webhook-signature", &message.signature)
            .body(message.body.clone());
        match request.send().await {
            Ok(response) => judged(response).await,
            Err(error) => failed(told(&error.without_url())),
        }
    }
}

async fn judged(mut response: reqwest::Response) -> Said {
    let status = response.status();
    let seconds = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let mut answer = Vec::new();
    // What is longer is nobody's to read; the connection is closed over it.
    while answer.len() < ANSWER_BYTES_MAX {
        match response.chunk().await {
            Ok(Some(chunk)) => answer.extend_from_slice(&chunk[..chunk.len().min(ANSWER_BYTES_MAX - answer.len())]),
            _ => break,
        }
    }
    let delivered = status.is_success();
    let error = (!delivered).then(|| match status.is_redirection() {
        true => format!("the receiver answered {status}: redirects are not followed"),
        false => format!("the receiver answered {status}"),
    });
    let text: String = String::from_utf8_lossy(&answer).chars().take(ANSWER_CHARS_KEPT).collect();
    Said {
        delivered,
        status: Some(status.as_u16()),
        error,
        answer: (!delivered && !text.is_empty()).then_some(text),
        retry_after: seconds.map(|seconds| Duration::from_secs(seconds).min(RETRY_AFTER_MAX)),
    }
}

/// Returns the address of a URL that names no host.
fn literal(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

async fn lookup(host: &str) -> std::io::Result<Vec<IpAddr>> {
    Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
}

/// Finds addresses for the client, which connects to no other: what is checked is what is used.
struct Guarded {
    allow_private: bool,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found = lookup(name.as_str()).await?;
            // One private address among public ones is no accident.
            if let Some(private) = found.iter().find(|address| !allow_private && !is_public(**address)) {
                let detail = format!("{} leads to {private}, not the public internet", name.as_str());
                return Err(std::io::Error::new(std::io::ErrorKind::PermissionDenied, detail).into());
            }
            Ok(Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

/// Returns an error with what is behind it: the client's own words say only that it failed.
fn told(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "the receiver did not answer in time".to_owned();
    }
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}
