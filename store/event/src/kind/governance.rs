//! Governance: keys and erasure. Secrets and their hashes are never in an event.

use crate::field::{Name, shape, words};
use crate::id::KeyId;
use crate::time::Timestamp;

words! {
    /// What a key may do.
    KeyScope {
        /// Write events.
        Ingest = "ingest",
        /// Read.
        Read = "read",
        /// Decide: assign, accept, set breakers.
        Act = "act",
        /// Manage keys, policies and the engine.
        Admin = "admin",
    }
}

shape! {
    /// A key was made.
    KeyCreated {
        /// The key.
        key_id: KeyId,
        /// Name for people.
        name: Option<Name>,
        /// What it may do.
        scopes: Vec<KeyScope>,
        /// The default source of events written with it; it survives a rotation.
        source: Option<Name>,
        /// Other workspaces that it reads.
        workspaces: Option<Vec<Name>>,
        /// Until when it is valid.
        expires_at: Option<Timestamp>,
        /// Who made it.
        by: Option<Name>,
    }

    /// A key got a new secret.
    KeyRotated {
        /// The key.
        key_id: KeyId,
        /// The key that takes its place, when it is another one.
        replaced_by: Option<KeyId>,
        /// Until when the old secret is valid.
        grace_until: Option<Timestamp>,
        /// Who did it.
        by: Option<Name>,
    }

    /// A key is valid no more.
    KeyRevoked {
        /// The key.
        key_id: KeyId,
        /// Who did it.
        by: Option<Name>,
        /// Why.
        reason: Option<String>,
    }

    /// What is known of a person was erased.
    SubjectErased {
        /// The pseudonym of the person; never a name.
        subject_id: Name,
        /// Why.
        reason: Option<String>,
        /// Who did it.
        by: Option<Name>,
        /// When it was asked for.
        requested_at: Option<Timestamp>,
    }
}
