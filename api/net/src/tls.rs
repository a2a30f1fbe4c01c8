//! The certificate of a listener, checked before anything is served: a server never falls back to plain text.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use partitura_event::{ErrorClass, Problem, Timestamp};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{Error, ServerConfig};
use tokio_rustls::server::TlsStream;

use crate::validity::Validity;

/// A certificate and its key, ready to accept connections.
#[derive(Clone)]
pub struct Tls(Arc<ServerConfig>);

impl Tls {
    /// Returns the same, naming a protocol to clients that ask for it by ALPN.
    #[must_use]
    pub fn speaks(&self, protocol: &[u8]) -> Self {
        let mut config = ServerConfig::clone(&self.0);
        config.alpn_protocols = vec![protocol.to_vec()];
        Self(Arc::new(config))
    }

    /// Agrees with a client within `limit`; `None` when it could not be agreed.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S, limit: Duration) -> Option<TlsStream<S>> {
        match tokio::time::timeout(limit, TlsAcceptor::from(Arc::clone(&self.0)).accept(stream)).await {
            Ok(Ok(stream)) => return Some(stream),
            Ok(Err(error)) => tracing::debug!(%error, "a client failed to agree on TLS"),
            Err(_) => tracing::debug!("a client took too long to agree on TLS"),
        }
        None
    }
}

/// Reads the files of the settings `tls_cert` and `tls_key`; `None` when neither is set. Errors name the file and the
/// remedy.
pub fn load(cert: Option<&PathBuf>, key: Option<&PathBuf>, now: Timestamp) -> Result<Option<Tls>, Problem> {
    let (cert, key) = match (cert, key) {
        (None, None) => return Ok(None),
        (Some(cert), Some(key)) => (cert, key),
        (Some(_), None) => return Err(alone("tls_cert", "tls_key")),
        (None, Some(_)) => return Err(alone("tls_key", "tls_cert")),
    };
    let chain = chain(cert)?;
    valid(cert, &chain, now)?;
    let private = private(key)?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private));
    let config = config.map_err(|error| match error {
        Error::InconsistentKeys(_) => {
            wrong(key, "is not the key of the certificate").hint(format!("{} needs its own key", cert.display()))
        }
        other => wrong(cert, &format!("cannot be used: {other}")),
    })?;
    Ok(Some(Tls(Arc::new(config))))
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let pem = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let chain = chain.map_err(|error| wrong(path, &format!("is no PEM file: {error}")))?;
    if chain.is_empty() {
        return Err(wrong(path, "holds no certificate").hint("it must be PEM: -----BEGIN CERTIFICATE-----"));
    }
    Ok(chain)
}

fn private(path: &Path) -> Result<PrivateKeyDer<'static>, Problem> {
    let pem = read(path)?;
    PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|_| wrong(path, "holds no private key that can be read").hint("it must be PEM, without a pass phrase"))
}

/// The first certificate is the server's own.
fn valid(path: &Path, chain: &[CertificateDer<'_>], now: Timestamp) -> Result<(), Problem> {
    let Some(validity) = chain.first().and_then(|own| Validity::of(own)) else {
        return Err(wrong(path, "holds a damaged certificate"));
    };
    if now > validity.to {
        return Err(wrong(path, &format!("expired at {}", validity.to)).hint("renew the certificate"));
    }
    if now < validity.from {
        let what = format!("is not valid before {}", validity.from);
        return Err(wrong(path, &what).hint("check the clock of this machine"));
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    std::fs::read(path)
        .map_err(|error| wrong(path, &format!("cannot be read: {error}")).hint("check the path and who may read it"))
}

fn wrong(path: &Path, what: &str) -> Problem {
    Problem::new(ErrorClass::Invalid, format!("{} {what}", path.display())).code("tls_files")
}

fn alone(given: &str, missing: &str) -> Problem {
    Problem::new(ErrorClass::Invalid, format!("`{given}` is set without `{missing}`"))
        .code("tls_files")
        .hint("TLS needs both the certificate and its key")
}
