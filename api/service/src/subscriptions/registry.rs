//! All subscriptions of the server, each in its file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::RwLock;
use partitura_event::{ErrorClass, Problem, Workspace};

use super::definition::Definition;
use super::subscription::{Ground, Subscription};
use crate::durable_file;
use crate::folder::unwritable;

/// Subscriptions of one workspace.
pub const SUBSCRIPTIONS_MAX: usize = 200;

/// Workspace and name.
type Key = (Workspace, String);

/// All subscriptions.
pub struct Registry {
    folder: PathBuf,
    ground: Ground,
    all: RwLock<BTreeMap<Key, Arc<Subscription>>>,
    /// Held while one is made or removed.
    change: tokio::sync::Mutex<()>,
}

impl Registry {
    /// Reads every file of the folder: `<workspace>/<name>.json`.
    pub fn open(folder: PathBuf, ground: Ground) -> Result<Self, Problem> {
        let mut all = BTreeMap::new();
        for workspace in entries(&folder)? {
            let Some(name) = workspace.file_name().and_then(|name| name.to_str()) else { continue };
            let owner = Workspace::new(name)?;
            for path in entries(&workspace)? {
                if path.extension().is_some_and(|ending| ending == "json") {
                    let one = Subscription::open(owner.clone(), path, ground.clone())?;
                    all.insert((owner.clone(), one.definition.name.clone()), Arc::new(one));
                }
            }
        }
        Ok(Self { folder, ground, all: RwLock::new(all), change: tokio::sync::Mutex::default() })
    }

    /// Makes one, or finds the same one. Returns whether it is new. Errors when the name means another one.
    pub async fn create(
        &self,
        workspace: &Workspace,
        definition: Definition,
    ) -> Result<(bool, Arc<Subscription>), Problem> {
        let _one_at_a_time = self.change.lock().await;
        let key = (workspace.clone(), definition.name.clone());
        if let Some(found) = self.all.read().get(&key) {
            return if found.definition.is_like(&definition) {
                Ok((false, Arc::clone(found)))
            } else {
                Err(taken(&key))
            };
        }
        if self.list(workspace).len() >= SUBSCRIPTIONS_MAX {
            let detail = format!("this workspace has {SUBSCRIPTIONS_MAX} subscriptions: that is the limit");
            return Err(Problem::new(ErrorClass::Conflict, detail)
                .code("too_many_subscriptions")
                .hint("delete one that nobody pulls from; several consumers may share one"));
        }
        let folder = self.folder.join(workspace.as_str());
        durable_file::make_folder(&folder).map_err(|error| unwritable(&folder, &error))?;
        let path = folder.join(format!("{}.json", definition.name));
        let made = Subscription::create(workspace.clone(), definition, path, self.ground.clone()).await?;
        let made = Arc::new(made);
        self.all.write().insert(key, Arc::clone(&made));
        Ok((true, made))
    }

    /// Returns one. Errors with near names of the workspace.
    pub fn get(&self, workspace: &Workspace, name: &str) -> Result<Arc<Subscription>, Problem> {
        let all = self.all.read();
        all.get(&(workspace.clone(), name.to_owned())).cloned().ok_or_else(|| {
            let known = all.keys().filter(|(owner, _)| owner == workspace).map(|(_, name)| name.as_str());
            Problem::new(ErrorClass::NotFound, format!("there is no subscription `{name:.80}`"))
                .code("unknown_subscription")
                .suggest(name, known)
                .hint("GET /v1/subscriptions lists them; POST /v1/subscriptions makes one")
        })
    }

    /// Returns those of a workspace, by name.
    pub fn list(&self, workspace: &Workspace) -> Vec<Arc<Subscription>> {
        let all = self.all.read();
        all.iter().filter(|((owner, _), _)| owner == workspace).map(|(_, one)| Arc::clone(one)).collect()
    }

    /// Returns those of all workspaces.
    pub fn all(&self) -> Vec<Arc<Subscription>> {
        self.all.read().values().cloned().collect()
    }

    /// Ends one.
    pub async fn delete(&self, workspace: &Workspace, name: &str) -> Result<Arc<Subscription>, Problem> {
        let _one_at_a_time = self.change.lock().await;
        let found = self.get(workspace, name)?;
        found.delete().await?;
        self.all.write().remove(&(workspace.clone(), name.to_owned()));
        Ok(found)
    }

    /// Writes down what changed since the last write.
    pub async fn save(&self) {
        for one in self.all() {
            if let Err(problem) = one.save().await {
                tracing::warn!(detail = problem.detail, "a subscription could not be written; some events come again");
            }
        }
    }
}

/// Returns what is in a folder, sorted; nothing when it is not there.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let listed = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed.and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect()),
    };
    let mut paths: Vec<PathBuf> = listed.map_err(|error| unwritable(folder, &error))?;
    paths.sort();
    Ok(paths)
}

fn taken((_, name): &Key) -> Problem {
    Problem::new(ErrorClass::Conflict, format!("the subscription `{name}` exists, and is another one"))
        .code("subscription_exists")
        .hint("delete it first, or choose another name; GET /v1/subscriptions shows what it is")
}
