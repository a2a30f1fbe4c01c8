//! Finds the principal of a presented key; creates, rotates and revokes keys without a restart.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use partitura_event::{Clock, ErrorClass, Problem, Timestamp, Workspace};

use super::file::{KeyFile, KeyInfo, KeyRecord, NewKey, SecretRecord};
use super::scram::{SCRAM_BYTES, ScramProof};
use crate::durable_file;
use crate::folder::unwritable;
use crate::principal::Principal;
use crate::secret::Secret;

/// All keys of the server.
pub struct KeyRing {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    current: ArcSwap<KeyFile>,
    change: Mutex<()>,
}

const FORMAT: u32 = 1;

impl KeyRing {
    /// Reads the file; none means no keys.
    pub fn open(path: PathBuf, clock: Arc<dyn Clock>) -> Result<Self, Problem> {
        let file = match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => KeyFile { format: FORMAT, keys: Vec::new() },
            Err(error) => return Err(unwritable(&path, &error)),
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                Problem::new(ErrorClass::Corrupt, format!("{} cannot be read: {error}", path.display()))
                    .hint("restore keys.json from a backup; without it nobody is let in")
            })?,
        };
        if file.format != FORMAT {
            let detail = format!("{} is of format {}; this program reads {FORMAT}", path.display(), file.format);
            return Err(Problem::new(ErrorClass::Unavailable, detail).code("format_newer"));
        }
        Ok(Self { path, clock, current: ArcSwap::from_pointee(file), change: Mutex::new(()) })
    }

    /// Returns whether any key was ever made. From then on nobody is let in without one, not even on loopback,
    /// so that revoking the last key never opens the door.
    pub fn is_used(&self) -> bool {
        !self.current.load().keys.is_empty()
    }

    /// Returns whether a key exists that still works.
    pub fn has_live_key(&self) -> bool {
        self.current.load().keys.iter().any(|key| key.revoked_at.is_none())
    }

    /// Returns whether the key of this id still works.
    pub fn is_live(&self, id: &str) -> bool {
        self.current.load().keys.iter().any(|key| key.id == id && key.revoked_at.is_none())
    }

    /// Returns who presents `text`; `wanted` chooses among the workspaces that the key may read.
    pub fn authenticate(&self, text: &str, wanted: Option<&Workspace>) -> Result<Principal, Problem> {
        let now = self.clock.now();
        let ring = self.current.load();
        let key = Secret::parse(text)
            .and_then(|secret| ring.keys.iter().find(|key| key.id == secret.id && key.opens(&secret, now)))
            .ok_or_else(refused)?;
        principal(key, wanted)
    }

    /// Returns whether proofs of the key `id` can be checked.
    pub fn takes_proofs(&self, id: &str) -> bool {
        let now = self.clock.now();
        self.current.load().keys.iter().any(|key| key.id == id && key.verifiers(now).next().is_some())
    }

    /// Returns who made `proof` for `messages` as the key `id`.
    pub fn prove(
        &self,
        id: &str,
        messages: &[u8],
        proof: &[u8; SCRAM_BYTES],
        wanted: Option<&Workspace>,
    ) -> Result<ScramProof, Problem> {
        let now = self.clock.now();
        let ring = self.current.load();
        let key = ring.keys.iter().find(|key| key.id == id).ok_or_else(refused)?;
        let signature = key.verifiers(now).find_map(|verifier| verifier.check(messages, proof)).ok_or_else(refused)?;
        Ok(ScramProof { principal: principal(key, wanted)?, signature })
    }

    /// Returns all keys; of one workspace, if given.
    pub fn list(&self, workspace: Option<&Workspace>) -> Vec<KeyInfo> {
        let ring = self.current.load();
        ring.keys.iter().filter(|key| workspace.is_none_or(|ws| key.workspace == *ws)).map(KeyRecord::info).collect()
    }

    /// Makes a key. The secret is shown once and never stored.
    pub fn create(&self, key: NewKey) -> Result<(KeyInfo, Secret), Problem> {
        let secret = Secret::generate()?;
        let record = KeyRecord::new(key, &secret, self.clock.now())?;
        let info = record.info();
        self.change(|file| {
            file.keys.push(record);
            Ok(())
        })?;
        Ok((info, secret))
    }

    /// Gives a key another secret; the one before works for `overlap` more.
    pub fn rotate(
        &self,
        id: &str,
        workspace: Option<&Workspace>,
        overlap: Duration,
    ) -> Result<(KeyInfo, Secret), Problem> {
        let secret = Secret::generate_for(id.to_owned())?;
        let now = self.clock.now();
        let micros = i64::try_from(overlap.as_micros()).unwrap_or(i64::MAX);
        let end = Timestamp::from_micros(now.micros().saturating_add(micros)).unwrap_or(Timestamp::MAX);
        let mut info = None;
        self.change(|file| {
            let key = find(file, id, workspace)?;
            key.secrets.retain(|old| old.expires_at.is_none_or(|expiry| now < expiry));
            for old in &mut key.secrets {
                old.expires_at = Some(old.expires_at.map_or(end, |expiry| expiry.min(end)));
            }
            key.secrets.push(SecretRecord::new(&secret));
            info = Some(key.info());
            Ok(())
        })?;
        info.map(|info| (info, secret)).ok_or_else(|| unknown(id))
    }

    /// Ends a key at once. Its record stays, so that its id is never given again.
    pub fn revoke(&self, id: &str, workspace: Option<&Workspace>) -> Result<KeyInfo, Problem> {
        let now = self.clock.now();
        let mut info = None;
        self.change(|file| {
            let key = find(file, id, workspace)?;
            key.revoked_at = Some(now);
            key.secrets.clear();
            info = Some(key.info());
            Ok(())
        })?;
        info.ok_or_else(|| unknown(id))
    }

    fn change(&self, edit: impl FnOnce(&mut KeyFile) -> Result<(), Problem>) -> Result<(), Problem> {
        let _one_at_a_time = self.change.lock();
        let mut file = KeyFile::clone(&self.current.load());
        edit(&mut file)?;
        let text = serde_json::to_vec_pretty(&file).map_err(|e| Problem::new(ErrorClass::Internal, e.to_string()))?;
        durable_file::replace(&self.path, &text).map_err(|error| unwritable(&self.path, &error))?;
        self.current.store(Arc::new(file));
        Ok(())
    }
}

/// Makes the principal of a key; `wanted` chooses among the workspaces that it may read.
fn principal(key: &KeyRecord, wanted: Option<&Workspace>) -> Result<Principal, Problem> {
    let actor = format!("key/{}", key.id);
    match wanted {
        // Who administers the server goes where they like.
        Some(other) if *other != key.workspace && key.server => {
            let (source, scopes) = (key.source.clone(), key.scopes.clone());
            Ok(Principal::of_key(other.clone(), source, actor, scopes).of_server(true))
        }
        Some(other) if *other != key.workspace => {
            if !key.reads.contains(other) {
                return Err(not_its_workspace());
            }
            let scopes = key.scopes.iter().copied().filter(|scope| scope.is_reading()).collect();
            Ok(Principal::of_key(other.clone(), key.source.clone(), actor, scopes))
        }
        _ => {
            let (workspace, source) = (key.workspace.clone(), key.source.clone());
            Ok(Principal::of_key(workspace, source, actor, key.scopes.clone()).of_server(key.server))
        }
    }
}

fn find<'a>(file: &'a mut KeyFile, id: &str, workspace: Option<&Workspace>) -> Result<&'a mut KeyRecord, Problem> {
    let id = id.strip_prefix("key/").unwrap_or(id);
    file.keys
        .iter_mut()
        .find(|key| key.id == id && key.revoked_at.is_none() && workspace.is_none_or(|ws| key.workspace == *ws))
        .ok_or_else(|| unknown(id))
}

fn unknown(id: &str) -> Problem {
    Problem::new(ErrorClass::NotFound, format!("there is no live key `{id:.40}`"))
        .code("unknown_key")
        .hint("`partitura keys list` shows the keys")
}

fn refused() -> Problem {
    Problem::new(ErrorClass::Unauthenticated, "the key is not valid: unknown, expired or revoked")
        .code("invalid_key")
        .hint("send a live key as `Authorization: Bearer pt_…`; `partitura keys list` shows them")
}

fn not_its_workspace() -> Problem {
    Problem::new(ErrorClass::Forbidden, "this key does not read the workspace that X-Partitura-Workspace names")
        .code("other_workspace")
        .hint("leave the header out, or create the key with `--reads`")
}
