//! Keys as users manage them: each change is an event of the key's workspace, without its secret.

use std::time::Duration;

use partitura_event::{ErrorClass, Problem, Source, Workspace};
use serde_json::{Value, json};

use crate::keys::{KeyInfo, NewKey};
use crate::principal::{Principal, Scope};
use crate::quantity;
use crate::secret::Secret;
use crate::service::Service;

/// How long the secret before works, when nothing is said.
const OVERLAP_DEFAULT: Duration = Duration::from_secs(86_400);

/// A key to be made, as it was asked for.
#[derive(Clone, Debug, Default)]
pub struct KeyCall {
    /// A word for people.
    pub name: Option<String>,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Where; by default the caller's workspace.
    pub workspace: Option<String>,
    /// Further workspaces it may read.
    pub reads: Vec<String>,
    /// The producer id of its events.
    pub source: Option<String>,
    /// Administers the whole server.
    pub server: bool,
}

impl Service {
    /// Makes a key. The secret is in this answer only.
    pub async fn create_key(&self, principal: &Principal, call: KeyCall) -> Result<Value, Problem> {
        self.accepting()?;
        let workspace = call.workspace.map(Workspace::new).transpose()?.unwrap_or_else(|| principal.workspace.clone());
        let reaches_out = workspace != principal.workspace || !call.reads.is_empty() || call.server;
        if reaches_out && !principal.is_operator() {
            return Err(operators_only("a key that reaches beyond this workspace"));
        }
        let scopes = call.scopes.iter().map(|name| Scope::parse(name)).collect::<Result<Vec<_>, _>>()?;
        if call.server && !scopes.contains(&Scope::Admin) {
            let detail = "a key that administers the server needs the scope admin";
            return Err(Problem::invalid_field("server", "contradiction", detail));
        }
        let new = NewKey {
            name: call.name,
            workspace,
            reads: call.reads.into_iter().map(Workspace::new).collect::<Result<_, _>>()?,
            scopes,
            source: call.source.map(Source::new).transpose()?,
            server: call.server,
        };
        let (info, secret) = self.keys().create(new)?;
        let mut data = json!({"key_id": info.id, "scopes": info.scopes, "source": info.source, "by": principal.actor});
        if let Some(name) = &info.name {
            data["name"] = json!(name);
        }
        if !info.reads.is_empty() {
            data["workspaces"] = json!(info.reads);
        }
        self.audit(&info, "key.created", data).await?;
        Ok(with_secret(&info, &secret))
    }

    /// Lists keys: all for an operator, else those of the workspace.
    pub fn list_keys(&self, principal: &Principal) -> Vec<KeyInfo> {
        self.keys().list(reach(principal))
    }

    /// Gives a key another secret; the one before works for `overlap` more.
    pub async fn rotate_key(&self, principal: &Principal, id: &str, overlap: Option<&str>) -> Result<Value, Problem> {
        self.accepting()?;
        let overlap = match overlap {
            None => OVERLAP_DEFAULT,
            Some(text) => quantity::duration(text).ok_or_else(|| {
                let detail = format!("`overlap` = `{text:.40}` is not a duration such as 24h");
                Problem::invalid_field("overlap", "duration", detail)
            })?,
        };
        let (info, secret) = self.keys().rotate(id, reach(principal), overlap)?;
        let mut data = json!({"key_id": info.id, "by": principal.actor});
        if let Some(end) = info.previous_expires_at {
            data["grace_until"] = json!(end);
        }
        self.audit(&info, "key.rotated", data).await?;
        Ok(with_secret(&info, &secret))
    }

    /// Ends a key at once.
    pub async fn revoke_key(&self, principal: &Principal, id: &str) -> Result<KeyInfo, Problem> {
        self.accepting()?;
        let info = self.keys().revoke(id, reach(principal))?;
        self.audit(&info, "key.revoked", json!({"key_id": info.id, "by": principal.actor})).await?;
        Ok(info)
    }

    /// Writes a governance event into the workspace of the key.
    async fn audit(&self, key: &KeyInfo, kind: &str, data: Value) -> Result<(), Problem> {
        let principal = Self::own_principal(key.workspace.clone());
        let appended = self.say(&principal, kind, data, None).await?;
        if appended.status == 201 {
            return Ok(());
        }
        tracing::error!(kind, status = appended.status, "the change of a key could not be written to the log");
        Err(Problem::new(ErrorClass::Internal, "the key was changed, but the log did not take the event of it"))
    }
}

/// Returns the one workspace whose keys the caller manages, or `None` for all.
fn reach(principal: &Principal) -> Option<&Workspace> {
    if principal.is_operator() { None } else { Some(&principal.workspace) }
}

fn with_secret(info: &KeyInfo, secret: &Secret) -> Value {
    let mut shown = json!(info);
    shown["key"] = json!(secret.reveal());
    shown
}

/// Returns the problem of one who administers a workspace, not the server.
pub(crate) fn operators_only(what: &str) -> Problem {
    Problem::new(ErrorClass::Forbidden, format!("{what} needs a server key; this one is of one workspace"))
        .code("server_key_needed")
        .hint("run it with --data on the server's machine, or with a key made by `partitura keys create --server`")
}
