//! The text of a key, `pt_<id>_<secret>`: 256 random bits, kept only as a BLAKE3 hash.
//!
//! A slow password hash is not needed: nobody guesses 256 bits, and a request must not cost 50 ms.

use std::fmt;

use partitura_event::{ErrorClass, Problem};
use rand::TryRngCore;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};

/// A new or presented key. Its `Debug` never shows the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// The public half, by which the key is found.
    pub id: String,
    secret: String,
}

/// What is stored of a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretHash(String);

impl Secret {
    /// Draws a new secret for a new id.
    pub fn generate() -> Result<Self, Problem> {
        Self::generate_for(random_hex::<8>()?)
    }

    /// Draws a new secret for an id that exists.
    pub fn generate_for(id: String) -> Result<Self, Problem> {
        Ok(Self { id, secret: random_hex::<32>()? })
    }

    /// Reads `pt_<id>_<secret>`; `None` when it is not of that form.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.trim().strip_prefix("pt_")?.split_once('_')?;
        let is_hex = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_hexdigit());
        (is_hex(id) && is_hex(secret) && secret.len() == 64).then(|| Self { id: id.into(), secret: secret.into() })
    }

    /// Returns the whole text, to be shown once.
    pub fn reveal(&self) -> String {
        format!("pt_{}_{}", self.id, self.secret)
    }

    /// Returns whether `text` is this secret, in constant time.
    pub fn is(&self, text: &str) -> bool {
        blake3::hash(self.reveal().as_bytes()) == blake3::hash(text.trim().as_bytes())
    }

    /// Returns what may be stored.
    pub fn hash(&self) -> SecretHash {
        SecretHash(blake3::hash(self.reveal().as_bytes()).to_hex().to_string())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pt_{}_…", self.id)
    }
}

impl SecretHash {
    /// Compares in constant time.
    pub fn matches(&self, secret: &Secret) -> bool {
        let given = blake3::hash(secret.reveal().as_bytes());
        // `blake3::Hash` compares in constant time.
        blake3::Hash::from_hex(&self.0).is_ok_and(|stored| stored == given)
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

fn random_hex<const N: usize>() -> Result<String, Problem> {
    let mut bytes = [0; N];
    OsRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| Problem::new(ErrorClass::Unavailable, format!("the system gives no random bytes: {error}")))?;
    Ok(hex::encode(bytes))
}
