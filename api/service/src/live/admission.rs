//! Whether who was let in is still welcome: a stream lasts longer than a key may.

use std::sync::Arc;

use partitura_event::{ErrorClass, Problem};

use crate::keys::KeyRing;
use crate::principal::Principal;

/// One caller who stays.
pub struct Admission {
    keys: Arc<KeyRing>,
    /// The id of the key; none for who came without.
    key: Option<String>,
    is_operator_of_folder: bool,
}

impl Admission {
    /// Remembers how a caller was let in.
    pub fn new(keys: Arc<KeyRing>, principal: &Principal) -> Self {
        let key = principal.actor.strip_prefix("key/").map(str::to_owned);
        Self { keys, key, is_operator_of_folder: principal.actor == "operator" }
    }

    /// Refuses once the key is revoked, or once there are keys and the caller has none.
    pub fn check(&self) -> Result<(), Problem> {
        let holds = match &self.key {
            Some(id) => self.keys.is_live(id),
            None => self.is_operator_of_folder || !self.keys.is_used(),
        };
        if holds {
            return Ok(());
        }
        Err(Problem::new(ErrorClass::Unauthenticated, "the key of this stream is valid no more")
            .code("invalid_key")
            .hint("open it again with a live key; it goes on after the position that you saw last"))
    }
}
