//! The secret of a webhook and its signatures, as Standard Webhooks has them (standardwebhooks.com, version 1).
//!
//! The secret must be readable to sign, so it cannot be a hash as a key's is: it stands in `webhooks.json`, which is
//! readable by the folder's owner only, and nowhere else. It is shown once, and its `Debug` shows nothing.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use partitura_event::{ErrorClass, Problem, Timestamp};
use rand::TryRngCore;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// Bytes of a secret that is drawn here, and of one that is given.
const BYTES: usize = 32;
const BYTES_MIN: usize = 24;
const BYTES_MAX: usize = 64;
const PREFIX: &str = "whsec_";

/// `whsec_` and base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SigningSecret(String);

impl SigningSecret {
    /// Draws a new one.
    pub fn generate() -> Result<Self, Problem> {
        let mut bytes = [0; BYTES];
        OsRng.try_fill_bytes(&mut bytes).map_err(|error| {
            Problem::new(ErrorClass::Unavailable, format!("the system gives no random bytes: {error}"))
        })?;
        Ok(Self(format!("{PREFIX}{}", STANDARD.encode(bytes))))
    }

    /// Takes one that the receiver has already. Errors say how it must look, not what it was.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let bytes = text.strip_prefix(PREFIX).and_then(|encoded| STANDARD.decode(encoded).ok());
        match bytes {
            Some(bytes) if (BYTES_MIN..=BYTES_MAX).contains(&bytes.len()) => Ok(Self(text.to_owned())),
            _ => {
                let detail = format!("`secret` is `{PREFIX}` and the base64 of {BYTES_MIN} to {BYTES_MAX} bytes");
                Err(Problem::invalid_field("secret", "secret", detail).hint("leave it out, and one is made"))
            }
        }
    }

    /// Returns the text, to be shown once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Signs a message: `v1,` and the base64 of HMAC-SHA256 over id, seconds and body.
    pub fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> String {
        let key = STANDARD.decode(self.0.trim_start_matches(PREFIX)).unwrap_or_default();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{}.", seconds(at)).as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// A secret that another took the place of.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviousSecret {
    /// The secret.
    pub secret: SigningSecret,
    /// How long it signs beside the new one.
    pub until: Timestamp,
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("whsec_…")
    }
}

/// Returns seconds since the epoch, as `webhook-timestamp` has them.
pub const fn seconds(at: Timestamp) -> i64 {
    at.micros() / 1_000_000
}

#[cfg(test)]
mod tests {
    use partitura_event::Timestamp;

    use super::SigningSecret;

    /// The example of the specification.
    #[test]
    fn the_signature_is_that_of_the_specification() {
        let secret = SigningSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a secret");
        let at = Timestamp::from_micros(1_614_265_330_000_000).expect("a time");
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_is_not_shown_by_accident() {
        let secret = SigningSecret::generate().expect("random bytes");
        assert_eq!(format!("{secret:?}"), "whsec_…");
        for wrong in ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_%%%"] {
            let problem = SigningSecret::parse(wrong).expect_err("it is refused");
            assert!(problem.detail.starts_with("`secret` is `whsec_`"), "{}", problem.detail);
        }
    }
}
