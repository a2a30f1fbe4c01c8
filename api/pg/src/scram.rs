//! The texts of a SCRAM-SHA-256 exchange (RFC 5802); proofs are checked by the service.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use partitura_event::{ErrorClass, Problem};
use partitura_service::{SCRAM_BYTES, SCRAM_ITERATIONS, scram_salt};

/// Its name among the mechanisms.
pub const MECHANISM: &str = "SCRAM-SHA-256";

/// An exchange after the client's first message.
pub struct Exchange {
    /// What the client said of channel binding, which it must repeat.
    header: String,
    nonce: String,
    first: String,
    /// What the server says first.
    pub challenge: String,
}

/// What the client showed.
pub struct Shown {
    /// All messages but the proof.
    pub messages: Vec<u8>,
    pub proof: [u8; SCRAM_BYTES],
}

impl Exchange {
    /// Reads the client's first message: `n,,n=user,r=nonce`.
    pub fn begin(message: &str, key_id: &str) -> Result<Self, Problem> {
        let (binding, rest) = message.split_once(',').ok_or_else(|| wrong("it has no header"))?;
        let (authority, bare) = rest.split_once(',').ok_or_else(|| wrong("it has no header"))?;
        if binding.starts_with("p=") {
            return Err(wrong("it asks for channel binding, which was not offered"));
        }
        let client = field(bare, "r=").filter(|nonce| !nonce.is_empty()).ok_or_else(|| wrong("it has no nonce"))?;
        let nonce = format!("{client}{}", STANDARD.encode(rand::random::<[u8; 18]>()));
        let salt = STANDARD.encode(scram_salt(key_id));
        let challenge = format!("r={nonce},s={salt},i={SCRAM_ITERATIONS}");
        let first = format!("{bare},{challenge}");
        Ok(Self { header: format!("{binding},{authority},"), nonce, first, challenge })
    }

    /// Reads the client's last message: `c=…,r=nonce,p=proof`.
    pub fn shown(&self, message: &str) -> Result<Shown, Problem> {
        let (without_proof, proof) = message.rsplit_once(",p=").ok_or_else(|| wrong("it has no proof"))?;
        let proof = STANDARD.decode(proof).ok().and_then(|proof| proof.try_into().ok());
        let proof = proof.ok_or_else(|| wrong("its proof is none"))?;
        if field(without_proof, "r=") != Some(&self.nonce) {
            return Err(wrong("it answers another challenge"));
        }
        if field(without_proof, "c=") != Some(&STANDARD.encode(&self.header)) {
            return Err(wrong("it says otherwise of channel binding than before"));
        }
        Ok(Shown { messages: format!("{},{without_proof}", self.first).into_bytes(), proof })
    }
}

/// Returns what the server says last.
pub fn signed(signature: &[u8]) -> String {
    format!("v={}", STANDARD.encode(signature))
}

fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.split(',').find_map(|part| part.strip_prefix(name))
}

fn wrong(what: &str) -> Problem {
    Problem::new(ErrorClass::Malformed, format!("the SCRAM message cannot be used: {what}")).code("pg_message")
}
