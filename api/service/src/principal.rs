//! Who asks: a workspace, what they may do there, and under which source they write.

use std::fmt;

use partitura_event::{ErrorClass, Problem, Source, Workspace};
use serde::{Deserialize, Serialize};

/// One permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Append events.
    Ingest,
    /// Read events, tables and search.
    Read,
    /// Decide: accept assignments, set breakers, conclude experiments.
    Act,
    /// Manage keys, back up, rebuild.
    Admin,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 4] = [Self::Ingest, Self::Read, Self::Act, Self::Admin];

    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Act => "act",
            Self::Admin => "admin",
        }
    }

    /// Returns whether it changes nothing, so that it may hold in further workspaces.
    pub const fn is_reading(self) -> bool {
        matches!(self, Self::Read)
    }

    /// Reads a name. Errors list the scopes.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        Self::ALL.into_iter().find(|scope| scope.name() == text.trim()).ok_or_else(|| {
            let known = Self::ALL.map(Self::name);
            Problem::invalid_field("scopes", "unknown_scope", format!("there is no scope `{text:.40}`"))
                .suggest(text, known)
                .hint(format!("scopes are {}", known.join(", ")))
        })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Actor of a loopback caller while no key exists.
pub(crate) const LOCAL: &str = "local";

/// An authenticated caller.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Where they read and write.
    pub workspace: Workspace,
    /// The stable producer id that their events get by default.
    pub source: Source,
    /// Written as the actor of governance events: the key's id, `local` or `operator`.
    pub actor: String,
    scopes: Vec<Scope>,
    everywhere: bool,
}

impl Principal {
    /// Makes the principal of a key.
    pub fn of_key(workspace: Workspace, source: Source, actor: String, scopes: Vec<Scope>) -> Self {
        Self { workspace, source, actor, scopes, everywhere: false }
    }

    /// Makes it administer the whole server.
    #[must_use]
    pub fn of_server(mut self, everywhere: bool) -> Self {
        self.everywhere = everywhere;
        self
    }

    /// Makes the principal of a loopback caller while no key exists.
    pub fn local() -> Self {
        let source = Source::new("local").expect("a constant id is valid");
        Self {
            workspace: Workspace::local(),
            source,
            actor: LOCAL.into(),
            scopes: Scope::ALL.to_vec(),
            everywhere: true,
        }
    }

    /// Makes the principal of whoever owns the data folder: they could read its files anyway.
    pub fn operator(workspace: Workspace) -> Self {
        Self { workspace, actor: "operator".into(), ..Self::local() }
    }

    /// Refuses unless the caller has `scope`.
    pub fn require(&self, scope: Scope) -> Result<(), Problem> {
        if self.scopes.contains(&scope) {
            return Ok(());
        }
        let have: Vec<_> = self.scopes.iter().map(|scope| scope.name()).collect();
        Err(Problem::new(
            ErrorClass::Forbidden,
            format!("this needs the scope `{scope}`; the key has {}", have.join(", ")),
        )
        .hint(format!("create a key with `partitura keys create --scopes {scope}`")))
    }

    /// Returns whether the caller may do `scope`.
    pub fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Returns whether the caller administers the whole server, not one workspace of it.
    pub const fn is_operator(&self) -> bool {
        self.everywhere
    }
}
