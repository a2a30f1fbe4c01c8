//! Statements that a client prepared: their command, and what is known of values and rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use partitura_event::{ErrorClass, Problem};
use postgres_types::Type;

use crate::command::{Command, read};
use crate::lexer::{Kind, Token, statements};

/// Most statements of one session, and most bytes of their texts.
const STATEMENTS_MAX: usize = 1_000;
const BYTES_MAX: usize = 4 << 20;

/// One prepared statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// As it was sent, for places of errors.
    pub text: Arc<str>,
    /// None is the empty statement.
    pub command: Option<Command>,
    /// Types that the client gave; 0 where it left them open.
    pub given: Vec<u32>,
    /// Places of parameters that stand in `ANY ($1)`: what is open there is a list.
    lists: BTreeSet<usize>,
    /// What planning found.
    pub planned: Option<Planned>,
}

/// What a question takes and gives.
#[derive(Clone, Debug)]
pub struct Planned {
    pub parameters: Vec<Type>,
    pub schema: SchemaRef,
}

impl Statement {
    /// Looks at a text that must be one statement.
    pub fn new(text: String, given: Vec<u32>) -> Result<Self, Problem> {
        let all = statements(&text);
        let command = match all.as_slice() {
            [] => None,
            [one] => Some(read(&text, one)?),
            more => {
                let detail =
                    format!("cannot insert multiple commands into a prepared statement: there are {}", more.len());
                return Err(Problem::new(ErrorClass::Syntax, detail).hint("prepare each by itself"));
            }
        };
        let lists = all.first().map(|one| lists(&text, one)).unwrap_or_default();
        Ok(Self { text: text.into(), command, given, lists, planned: None })
    }

    /// Returns the type that the client gave a parameter.
    pub fn given(&self, at: usize) -> Option<Type> {
        let oid = self.given.get(at).copied().filter(|oid| *oid != 0);
        let given = oid.and_then(Type::from_oid).filter(|ty| *ty != Type::UNKNOWN);
        given.or_else(|| self.lists.contains(&at).then_some(Type::TEXT_ARRAY))
    }

    /// Returns up to which parameter types are known or guessed.
    pub fn known(&self) -> usize {
        self.given.len().max(self.lists.last().map_or(0, |last| last + 1))
    }
}

fn lists(sql: &str, tokens: &[Token]) -> BTreeSet<usize> {
    let places = tokens.windows(4).filter_map(|part| match part {
        [word, open, parameter, close]
            if ["any", "all", "some"].iter().any(|name| word.is(sql, name))
                && open.kind == Kind::Sign(b'(')
                && parameter.kind == Kind::Parameter
                && close.kind == Kind::Sign(b')') =>
        {
            parameter.of(sql)[1..].parse::<usize>().ok()?.checked_sub(1)
        }
        _ => None,
    });
    places.collect()
}

/// All of a session.
#[derive(Debug, Default)]
pub struct Statements {
    all: BTreeMap<String, Statement>,
    bytes: usize,
}

impl Statements {
    /// Keeps a statement; the one without a name replaces the one before.
    pub fn put(&mut self, name: String, statement: Statement) -> Result<(), Problem> {
        if name.is_empty() {
            self.remove("");
        } else if self.all.contains_key(&name) {
            let detail = format!("prepared statement \"{name:.60}\" already exists");
            return Err(Problem::new(ErrorClass::Conflict, detail).code("statement_taken"));
        }
        if self.all.len() >= STATEMENTS_MAX || self.bytes + statement.text.len() > BYTES_MAX {
            let detail = format!("a session keeps {STATEMENTS_MAX} statements of {BYTES_MAX} bytes together");
            let problem = Problem::new(ErrorClass::TooLarge, detail).code("too_many_statements");
            return Err(problem.hint("close those that are no longer needed"));
        }
        self.bytes += statement.text.len();
        self.all.insert(name, statement);
        Ok(())
    }

    /// Returns one. Errors with near names.
    pub fn get(&mut self, name: &str) -> Result<&mut Statement, Problem> {
        if self.all.contains_key(name) {
            return Ok(self.all.get_mut(name).unwrap_or_else(|| unreachable!("it was just found")));
        }
        let detail = format!("prepared statement \"{name:.60}\" does not exist");
        let problem = Problem::new(ErrorClass::NotFound, detail).code("unknown_statement");
        Err(problem.suggest(name, self.all.keys().map(String::as_str)))
    }

    /// Forgets one; tells whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let removed = self.all.remove(name);
        self.bytes -= removed.as_ref().map_or(0, |statement| statement.text.len());
        removed.is_some()
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}
