//! What is kept of a key's secret for SCRAM-SHA-256 (RFC 5802, RFC 7677): enough to check a proof, not to make one.
//!
//! The salt is made of the key's id, so that during a rotation one exchange is checked against both secrets.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::principal::Principal;
use crate::secret::Secret;

/// Rounds of the password hash; clients refuse fewer. Nobody guesses 256 bits, so more would only cost time.
pub const SCRAM_ITERATIONS: u32 = 4_096;
const SALT_USE: &str = "partitura 2026-11 scram salt";
/// Bytes of a proof, a key and a signature.
pub const SCRAM_BYTES: usize = 32;

type Sum = [u8; SCRAM_BYTES];

/// A secret's two keys, in hex.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Verifier {
    stored_key: String,
    server_key: String,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier(…)")
    }
}

impl Verifier {
    /// Makes it when a secret is drawn; the password is the key's whole text.
    pub fn of(secret: &Secret) -> Self {
        let salted = salted(secret.reveal().as_bytes(), &salt(&secret.id));
        let stored_key: Sum = Sha256::digest(sign(&salted, b"Client Key")).into();
        Self { stored_key: hex::encode(stored_key), server_key: hex::encode(sign(&salted, b"Server Key")) }
    }

    /// Returns the server's signature when `proof` was made with the secret for these messages.
    pub fn check(&self, messages: &[u8], proof: &Sum) -> Option<Sum> {
        let stored = hex::decode(&self.stored_key).ok()?;
        let signature = sign(&stored, messages);
        let mut client_key = *proof;
        client_key.iter_mut().zip(signature).for_each(|(byte, mask)| *byte ^= mask);
        let shown: Sum = Sha256::digest(client_key).into();
        // `blake3::Hash` compares in constant time.
        let same = blake3::Hash::from(shown) == blake3::Hash::from(Sum::try_from(stored).ok()?);
        same.then_some(sign(&hex::decode(&self.server_key).ok()?, messages))
    }
}

/// Returns the salt of a key. It is no secret: the server tells it to everybody who names the key.
pub fn salt(id: &str) -> [u8; 16] {
    let mut salt = [0; 16];
    salt.copy_from_slice(&blake3::derive_key(SALT_USE, id.as_bytes())[..16]);
    salt
}

/// One exchange that ended well.
#[derive(Debug)]
pub struct ScramProof {
    /// Who it was.
    pub principal: Principal,
    /// Shows the client that the server knew the secret too.
    pub signature: Sum,
}

/// PBKDF2 with one block, which is as long as what is wanted.
fn salted(password: &[u8], salt: &[u8]) -> Sum {
    let mut last = sign(password, &[salt, &1_u32.to_be_bytes()].concat());
    let mut sum = last;
    for _ in 1..SCRAM_ITERATIONS {
        last = sign(password, &last);
        sum.iter_mut().zip(last).for_each(|(byte, more)| *byte ^= more);
    }
    sum
}

fn sign(key: &[u8], message: &[u8]) -> Sum {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The client's side of RFC 5802.
    fn proof(password: &str, salt: &[u8], messages: &[u8]) -> Sum {
        let client_key = sign(&salted(password.as_bytes(), salt), b"Client Key");
        let stored: Sum = Sha256::digest(client_key).into();
        let mut proof = client_key;
        proof.iter_mut().zip(sign(&stored, messages)).for_each(|(byte, mask)| *byte ^= mask);
        proof
    }

    #[test]
    fn only_the_secret_makes_a_proof() {
        let secret = Secret::generate_for("00ff".into()).expect("random bytes");
        let other = Secret::generate_for("00ff".into()).expect("random bytes");
        let verifier = Verifier::of(&secret);
        let good = proof(&secret.reveal(), &salt("00ff"), b"messages");
        assert!(verifier.check(b"messages", &good).is_some());
        assert!(verifier.check(b"other messages", &good).is_none());
        assert!(verifier.check(b"messages", &proof(&other.reveal(), &salt("00ff"), b"messages")).is_none());
        assert!(verifier.check(b"messages", &[0; SCRAM_BYTES]).is_none());
    }

    /// RFC 7677, section 3.
    #[test]
    fn the_example_of_the_standard_holds() {
        let salt = hex::decode("5b6d99689d12358eeca04b141236fa81").expect("hex");
        let messages = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                        s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let made = proof("pencil", &salt, messages.as_bytes());
        assert_eq!(hex::encode(made), "747cdb65aa56224e2352137e52d7bdcad6a0f738df30782caa69a2cfb0277554");
    }
}
