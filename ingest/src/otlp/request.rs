//! A request, split into its items without building any of them.

use std::borrow::Cow;

use partitura_event::json::Node;
use partitura_event::{ErrorClass, Problem};

use super::protobuf::{Fields, Wire};
use super::schema::Message;
use super::{Encoding, ITEMS_MAX, Signal, json, protobuf};
use crate::json::{Cursor, parse, text_of};
use crate::limits::Limits;

/// Messages within messages: what is deeper could not be read back as JSON.
pub(super) const MESSAGES_DEEP: usize = 36;
/// Values of one item, nested ones included.
const VALUES_MAX: usize = 200_000;

/// What is wrong with an item, to be read after its name: `has a number that is none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault(pub &'static str);

/// How many values an item may still have.
pub(super) struct Budget(usize);

impl Budget {
    pub fn take(&mut self) -> Result<(), Fault> {
        self.0 = self.0.checked_sub(1).ok_or(Fault("has too many values"))?;
        Ok(())
    }
}

/// A message that is not read yet.
#[derive(Clone, Copy, Debug)]
pub(super) enum Raw<'a> {
    Protobuf(&'a [u8]),
    Json(&'a str),
}

impl<'a> Raw<'a> {
    /// Reads it into its canonical form.
    pub fn node(self, message: &'static Message) -> Result<Node<'a>, Fault> {
        let mut budget = Budget(VALUES_MAX);
        match self {
            Self::Protobuf(bytes) => protobuf::node(bytes, message, 0, &mut budget),
            Self::Json(text) => {
                let limits =
                    Limits { values_per_event: VALUES_MAX * 4, keys_per_object: VALUES_MAX, ..Limits::default() };
                let given = parse(text, &limits).map_err(|fault| match fault.code {
                    "nul_character" => Fault("has a text with the character NUL"),
                    "number_range" => Fault("has a number out of its range"),
                    "duplicate_key" => Fault("has a key twice"),
                    _ => Fault("has too many values, or is nested too deeply"),
                })?;
                json::node(given, message, 0, &mut budget)
            }
        }
    }
}

/// Everything that one resource sent.
#[derive(Debug, Default)]
pub(super) struct Group<'a> {
    pub resource: Option<Raw<'a>>,
    pub schema_url: Cow<'a, str>,
    pub scopes: Vec<ScopeGroup<'a>>,
}

/// Everything that one library of it sent.
#[derive(Debug, Default)]
pub(super) struct ScopeGroup<'a> {
    pub scope: Option<Raw<'a>>,
    pub schema_url: Cow<'a, str>,
    pub items: Vec<Raw<'a>>,
}

/// Splits a request.
pub(super) fn split<'a>(signal: Signal, encoding: Encoding, body: &'a [u8]) -> Result<Vec<Group<'a>>, Problem> {
    let groups = match encoding {
        Encoding::Protobuf => of_protobuf(body).map_err(|Fault(what)| {
            let detail = format!("the body {what}: it is no export request for {}", signal.items());
            Problem::new(ErrorClass::Malformed, detail).code("otlp_undecodable")
        })?,
        Encoding::Json => of_json(signal, body)?,
    };
    let items: usize = groups.iter().flat_map(|group| &group.scopes).map(|scope| scope.items.len()).sum();
    if items > ITEMS_MAX {
        let detail = format!("the request has {items} {}; at most {ITEMS_MAX} are taken", signal.items());
        return Err(Problem::new(ErrorClass::TooLarge, detail).code("too_many_items").hint("export smaller batches"));
    }
    Ok(groups)
}

fn of_protobuf(body: &[u8]) -> Result<Vec<Group<'_>>, Fault> {
    let mut groups = Vec::new();
    each(body, |number, wire| {
        if number == 1 {
            groups.push(group(bytes(wire)?)?);
        }
        Ok(())
    })?;
    Ok(groups)
}

// The three requests have the same numbers: 1 is the head, 2 the list, 3 the schema.
fn group(body: &[u8]) -> Result<Group<'_>, Fault> {
    let mut group = Group::default();
    each(body, |number, wire| {
        match number {
            1 => group.resource = Some(Raw::Protobuf(bytes(wire)?)),
            2 => group.scopes.push(scope(bytes(wire)?)?),
            3 => group.schema_url = String::from_utf8_lossy(bytes(wire)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(group)
}

fn scope(body: &[u8]) -> Result<ScopeGroup<'_>, Fault> {
    let mut scope = ScopeGroup::default();
    each(body, |number, wire| {
        match number {
            1 => scope.scope = Some(Raw::Protobuf(bytes(wire)?)),
            2 => scope.items.push(Raw::Protobuf(bytes(wire)?)),
            3 => scope.schema_url = String::from_utf8_lossy(bytes(wire)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(scope)
}

fn each<'a>(body: &'a [u8], mut see: impl FnMut(u32, Wire<'a>) -> Result<(), Fault>) -> Result<(), Fault> {
    let mut fields = Fields(body);
    while let Some((number, wire)) = fields.next()? {
        see(number, wire)?;
    }
    Ok(())
}

const fn bytes(wire: Wire<'_>) -> Result<&[u8], Fault> {
    match wire {
        Wire::Bytes(bytes) => Ok(bytes),
        _ => Err(Fault("has a number where a message should be")),
    }
}

fn of_json(signal: Signal, body: &[u8]) -> Result<Vec<Group<'_>>, Problem> {
    let text = text_of(body)?;
    let mut cursor = Cursor::new(text);
    let whole = cursor.skip_value().and_then(|whole| cursor.end().map(|()| whole));
    let whole = whole.map_err(|fault| fault.problem(text, 0, ""))?;
    let [resources, scopes, items] = signal.names();
    let mut groups = Vec::new();
    for (name, value) in members(whole)? {
        if let Some(other) = Signal::ALL.iter().find(|other| **other != signal && other.names()[0] == name) {
            let detail = format!("the body holds `{name}`: these are {}, no {}", other.items(), signal.items());
            return Err(Problem::new(ErrorClass::Malformed, detail)
                .code("otlp_other_signal")
                .hint(format!("send it to {}", other.path())));
        }
        if name == resources {
            for part in list(value, resources)? {
                groups.push(json_group(part, scopes, items)?);
            }
        }
    }
    Ok(groups)
}

fn json_group<'a>(text: &'a str, scopes: &str, items: &str) -> Result<Group<'a>, Problem> {
    let mut group = Group::default();
    for (name, value) in members(text)? {
        match name.as_ref() {
            "resource" if value != "null" => group.resource = Some(Raw::Json(value)),
            "schemaUrl" => group.schema_url = plain(value),
            name if name == scopes => {
                for part in list(value, scopes)? {
                    group.scopes.push(json_scope(part, items)?);
                }
            }
            _ => {}
        }
    }
    Ok(group)
}

fn json_scope<'a>(text: &'a str, items: &str) -> Result<ScopeGroup<'a>, Problem> {
    let mut scope = ScopeGroup::default();
    for (name, value) in members(text)? {
        match name.as_ref() {
            "scope" if value != "null" => scope.scope = Some(Raw::Json(value)),
            "schemaUrl" => scope.schema_url = plain(value),
            name if name == items => scope.items = list(value, items)?.into_iter().map(Raw::Json).collect(),
            _ => {}
        }
    }
    Ok(scope)
}

/// Returns names and texts of the members of an object whose grammar is sound.
fn members(text: &str) -> Result<Vec<(Cow<'_, str>, &str)>, Problem> {
    let mut cursor = Cursor::new(text);
    let mut found = Vec::new();
    let mut read = || {
        cursor.expect(b'{', "an object")?;
        if cursor.eat(b'}') {
            return Ok(());
        }
        loop {
            let name = cursor.key()?;
            found.push((Cow::Borrowed(name), cursor.skip_value()?));
            if !cursor.eat(b',') {
                return cursor.expect(b'}', "`}`");
            }
        }
    };
    read().map_err(|fault: crate::json::Fault| fault.problem(text, 0, ""))?;
    Ok(found)
}

/// Returns the texts of the items of a list; `null` is an empty one.
fn list<'a>(text: &'a str, name: &str) -> Result<Vec<&'a str>, Problem> {
    if text == "null" {
        return Ok(Vec::new());
    }
    let mut cursor = Cursor::new(text);
    let mut found = Vec::new();
    let mut read = || {
        cursor.expect(b'[', "an array")?;
        if cursor.eat(b']') {
            return Ok(());
        }
        loop {
            found.push(cursor.skip_value()?);
            if !cursor.eat(b',') {
                return cursor.expect(b']', "`]`");
            }
        }
    };
    read().map_err(|fault: crate::json::Fault| fault.problem(text, 0, name))?;
    Ok(found)
}

fn plain(text: &str) -> Cow<'_, str> {
    let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default();
    Cow::Borrowed(if bare.contains('\\') { "" } else { bare })
}
