//! What `keys.json` holds: one record per key, revoked ones too, so that an id is never used again.

use partitura_event::{Problem, Source, Timestamp, Workspace};
use serde::{Deserialize, Serialize};

use super::scram::Verifier;
use crate::principal::Scope;
use crate::secret::{Secret, SecretHash};

/// The whole file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyFile {
    pub format: u32,
    pub keys: Vec<KeyRecord>,
}

/// One key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyRecord {
    pub id: String,
    pub name: Option<String>,
    pub workspace: Workspace,
    pub reads: Vec<Workspace>,
    pub scopes: Vec<Scope>,
    pub source: Source,
    #[serde(default)]
    pub server: bool,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
    pub secrets: Vec<SecretRecord>,
}

/// One secret of a key; during a rotation there are two.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SecretRecord {
    pub hash: SecretHash,
    pub expires_at: Option<Timestamp>,
    /// What proofs are checked with; secrets drawn before there were proofs have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scram: Option<Verifier>,
}

impl SecretRecord {
    /// Makes the record of a secret that works until it is replaced.
    pub(super) fn new(secret: &Secret) -> Self {
        Self { hash: secret.hash(), expires_at: None, scram: Some(Verifier::of(secret)) }
    }

    fn is_alive(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// What a new key shall be.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// A word for people.
    pub name: Option<String>,
    /// Where it reads and writes.
    pub workspace: Workspace,
    /// Further workspaces it may read.
    pub reads: Vec<Workspace>,
    /// What it may do; at least one.
    pub scopes: Vec<Scope>,
    /// The stable producer id; by default the key's id, which rotation keeps.
    pub source: Option<Source>,
    /// Administers the whole server.
    pub server: bool,
}

/// What is shown of a key: never a secret or a hash.
#[derive(Clone, Debug, Serialize)]
pub struct KeyInfo {
    /// The public half.
    pub id: String,
    /// A word for people.
    pub name: Option<String>,
    /// Where it reads and writes.
    pub workspace: Workspace,
    /// Further workspaces it may read.
    pub reads: Vec<Workspace>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The producer id of its events.
    pub source: Source,
    /// Administers the whole server.
    pub server: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When the secret before the last rotation stops working.
    pub previous_expires_at: Option<Timestamp>,
}

impl KeyRecord {
    pub(super) fn new(key: NewKey, secret: &Secret, now: Timestamp) -> Result<Self, Problem> {
        if key.scopes.is_empty() {
            return Err(Problem::invalid_field("scopes", "empty", "a key needs at least one scope")
                .hint("scopes are ingest, read, act, admin"));
        }
        let source = key.source.map_or_else(|| Source::new(format!("key-{}", secret.id)), Ok)?;
        let mut scopes = key.scopes;
        scopes.sort();
        scopes.dedup();
        Ok(Self {
            id: secret.id.clone(),
            name: key.name,
            workspace: key.workspace,
            reads: key.reads,
            scopes,
            source,
            server: key.server,
            created_at: now,
            revoked_at: None,
            secrets: vec![SecretRecord::new(secret)],
        })
    }

    /// Returns whether `secret` opens it now.
    pub(super) fn opens(&self, secret: &Secret, now: Timestamp) -> bool {
        let mut open = false;
        for record in &self.secrets {
            let alive = record.is_alive(now);
            // No short cut: every secret is compared, whatever the first comparison said.
            open |= record.hash.matches(secret) && alive;
        }
        open && self.revoked_at.is_none()
    }

    /// Returns what proofs of it are checked with now.
    pub(super) fn verifiers(&self, now: Timestamp) -> impl Iterator<Item = &Verifier> {
        let alive = self.secrets.iter().filter(move |record| self.revoked_at.is_none() && record.is_alive(now));
        alive.filter_map(|record| record.scram.as_ref())
    }

    pub(super) fn info(&self) -> KeyInfo {
        KeyInfo {
            id: self.id.clone(),
            name: self.name.clone(),
            workspace: self.workspace.clone(),
            reads: self.reads.clone(),
            scopes: self.scopes.clone(),
            source: self.source.clone(),
            server: self.server,
            created_at: self.created_at,
            revoked_at: self.revoked_at,
            previous_expires_at: self.secrets.iter().filter_map(|secret| secret.expires_at).max(),
        }
    }
}
