//! The static description of one kind.

use crate::field::{FieldSpec, Findings, Path, member, missing};
use crate::json::Node;

/// Whose history a kind belongs to, which makes its default stream `name/id`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entity {
    /// First part of the stream's name.
    pub name: &'static str,
    /// Fields that may hold the id; the first one that is there counts.
    pub fields: &'static [&'static str],
    /// The id where none of them is there.
    pub otherwise: Option<&'static str>,
}

/// What must hold between fields.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// These must be there, although the shape that the kind shares with others does not need them.
    Needs(&'static [&'static str]),
    /// Exactly one of these must be there.
    ExactlyOne(&'static [&'static str]),
    /// At least one of these must be there.
    AtLeastOne(&'static [&'static str]),
}

/// One kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KindSpec {
    /// Its name: `task.completed`.
    pub type_name: &'static str,
    /// The family it is documented under.
    pub family: &'static str,
    /// Its version. A kind is frozen; another meaning is another kind.
    pub version: u16,
    /// Its fields.
    pub fields: &'static [FieldSpec],
    /// What it says.
    pub doc: &'static str,
    /// Its place among the events of one entity that happened at the same time: lower comes first.
    pub lifecycle_rank: u8,
    /// What must hold between fields.
    pub rules: &'static [Rule],
    /// Whose history it belongs to.
    pub entity: Entity,
}

impl KindSpec {
    /// Returns whether this kind needs the field.
    pub fn is_required(&self, field: &FieldSpec) -> bool {
        field.required
            || self.rules.iter().any(|rule| matches!(rule, Rule::Needs(names) if names.contains(&field.name)))
    }

    /// Notes which rules a payload breaks.
    pub(super) fn check_rules(&self, data: &Node<'_>, found: &mut Findings) {
        let Node::Object(object) = data else { return };
        for rule in self.rules {
            match rule {
                Rule::Needs(names) => missing(object, self.fields, names.iter().copied(), &Path::Data, found),
                Rule::ExactlyOne(names) => {
                    let given: Vec<&str> =
                        names.iter().copied().filter(|name| member(object, name).is_some()).collect();
                    match given[..] {
                        [_] => {}
                        [] => found.issue(&Path::Data, "one_of", |path| {
                            format!("`{path}` must have one of {}", names.join(", "))
                        }),
                        [_, ref others @ ..] => found.issue(&Path::Field(&Path::Data, others[0]), "one_of", |_| {
                            format!(
                                "`data` must have only one of {}, but has {}",
                                names.join(", "),
                                given.join(" and ")
                            )
                        }),
                    }
                }
                Rule::AtLeastOne(names) => {
                    if !names.iter().any(|name| member(object, name).is_some()) {
                        found.issue(&Path::Data, "any_of", |path| {
                            format!("`{path}` must have at least one of {}", names.join(", "))
                        });
                    }
                }
            }
        }
    }
}
