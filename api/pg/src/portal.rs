//! Portals: statements with values, and cursors, which are portals with a name in SQL.

use std::sync::Arc;

use partitura_event::{ErrorClass, Problem};

use crate::answer::Answer;
use crate::command::Command;
use crate::params::Params;
use crate::session::Session;

/// Open portals of one session: each may hold a place among the running queries.
const PORTALS_MAX: usize = 64;

/// One portal.
pub struct Portal {
    /// The message in which its SQL stands.
    pub text: Arc<str>,
    pub command: Option<Command>,
    pub params: Params,
    pub formats: Vec<i16>,
    pub state: State,
    /// It outlives its transaction.
    pub held: bool,
}

/// How far a portal is.
pub enum State {
    /// Nothing was asked yet.
    Bound,
    /// Rows are being fetched.
    Open(Answer),
    /// There is nothing more.
    Spent,
}

impl Portal {
    /// Makes the portal of a cursor.
    pub fn cursor(answer: Answer, held: bool) -> Self {
        let state = State::Open(answer);
        Self { text: "".into(), command: None, params: Params::default(), formats: Vec::new(), state, held }
    }

    /// Returns whether it outlives its transaction.
    pub const fn is_held(&self) -> bool {
        self.held
    }
}

impl Session {
    /// Opens a portal; the one without a name replaces the one before.
    pub fn put_portal(&mut self, name: String, portal: Portal) -> Result<(), Problem> {
        if !name.is_empty() && self.portals.contains_key(&name) {
            let detail = format!("cursor \"{name:.60}\" already exists");
            return Err(Problem::new(ErrorClass::Conflict, detail).code("portal_taken"));
        }
        if self.portals.len() >= PORTALS_MAX {
            let detail = format!("a session has {PORTALS_MAX} open cursors and portals at most");
            let problem = Problem::new(ErrorClass::TooLarge, detail).code("too_many_statements");
            return Err(problem.hint("close those that are no longer needed"));
        }
        self.portals.insert(name, portal);
        Ok(())
    }

    /// Returns a portal. Errors with near names.
    pub fn portal(&mut self, name: &str) -> Result<&mut Portal, Problem> {
        if !self.portals.contains_key(name) {
            return Err(self.unknown_portal(name));
        }
        Ok(self.portals.get_mut(name).unwrap_or_else(|| unreachable!("it was just found")))
    }

    /// Reports a portal that is not there.
    pub fn unknown_portal(&self, name: &str) -> Problem {
        let detail = format!("cursor \"{name:.60}\" does not exist");
        let problem = Problem::new(ErrorClass::NotFound, detail).code("unknown_portal");
        let problem = problem.hint("cursors and portals live until the end of their transaction");
        problem.suggest(name, self.portals.keys().map(String::as_str).filter(|name| !name.is_empty()))
    }
}
