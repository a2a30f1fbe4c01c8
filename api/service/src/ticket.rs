//! What a client keeps for the server: signed, so that only who got it can use it, and only unchanged.
//!
//! A ticket holds no authority of its own: whoever brings it shows a key as well. It is bound to that key and its
//! workspace. The secret lies in the data folder, so a ticket outlives a restart, and is worth nothing elsewhere.

use std::path::Path;

use partitura_event::{ErrorClass, Problem};
use rand::TryRngCore;
use rand::rngs::OsRng;

use crate::durable_file;
use crate::folder::unwritable;
use crate::principal::Principal;
use crate::service::Service;

const VERSION: u8 = 1;
const HEAD: usize = 1 + blake3::OUT_LEN;
const KEY_USE: &str = "partitura 2026-11 tickets";

/// Signs tickets.
pub(crate) struct TicketKey([u8; blake3::KEY_LEN]);

impl TicketKey {
    /// Reads the secret of a data folder, or draws it.
    pub fn open(path: &Path) -> Result<Self, Problem> {
        let stored = match std::fs::read(path) {
            Ok(stored) => stored,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(unwritable(path, &error)),
        };
        if stored.len() == blake3::KEY_LEN {
            return Ok(Self(blake3::derive_key(KEY_USE, &stored)));
        }
        let mut fresh = [0; blake3::KEY_LEN];
        OsRng.try_fill_bytes(&mut fresh).map_err(|error| {
            Problem::new(ErrorClass::Unavailable, format!("the system gives no random bytes: {error}"))
        })?;
        durable_file::replace(path, &fresh).map_err(|error| unwritable(path, &error))?;
        Ok(Self(blake3::derive_key(KEY_USE, &fresh)))
    }

    fn sign(&self, principal: &Principal, content: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in [&[VERSION][..], principal.workspace.as_str().as_bytes(), principal.actor.as_bytes(), content] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.finalize()
    }
}

impl Service {
    /// Signs `content` for its bearer.
    pub fn seal(&self, principal: &Principal, content: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(HEAD + content.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(self.ticket_key().sign(principal, content).as_bytes());
        sealed.extend_from_slice(content);
        sealed
    }

    /// Returns the content of what this server sealed for this caller. Errors for everything else.
    pub fn unseal<'s>(&self, principal: &Principal, sealed: &'s [u8]) -> Result<&'s [u8], Problem> {
        let refused = || {
            Problem::new(ErrorClass::Forbidden, "this ticket or statement was not given to you by this server")
                .code("foreign_ticket")
                .hint("ask again, with the same key and workspace as you will fetch the rows")
        };
        let (head, content) = sealed.split_at_checked(HEAD).ok_or_else(refused)?;
        let signature = <[u8; blake3::OUT_LEN]>::try_from(&head[1..]).map_err(|_| refused())?;
        // `blake3::Hash` compares in constant time.
        if head[0] != VERSION || blake3::Hash::from(signature) != self.ticket_key().sign(principal, content) {
            return Err(refused());
        }
        Ok(content)
    }
}
