//! Shapes: typed payloads read from and written to JSON objects, made by one macro.

use serde_json::{Map, Value};

use super::finding::{Findings, Path};
use super::spec::{FieldSpec, FieldType};
use crate::json::{Member, Node};
use crate::problem::nearest;

/// A type that a field can have.
pub trait FieldValue: Sized {
    /// Its description.
    const TYPE: FieldType;
    /// Reads it, or notes why not.
    fn read(value: &Node<'_>, at: &Path<'_>, found: &mut Findings) -> Option<Self>;
    /// Writes the canonical form, which [`FieldValue::read`] reads back to an equal value.
    fn write(&self) -> Value;
}

/// A field's place in a shape: `T` must be there, `Option<T>` may be.
pub trait Slot: Sized {
    /// What the field may be.
    const TYPE: FieldType;
    /// Whether it must be there.
    const REQUIRED: bool;
    /// Reads it from what the object holds under its name (`null` was made `None`).
    fn take(value: Option<&Node<'_>>, at: &Path<'_>, found: &mut Findings) -> Option<Self>;
    /// Writes it, or `None` when it is absent.
    fn put(&self) -> Option<Value>;
}

impl<T: FieldValue> Slot for T {
    const TYPE: FieldType = T::TYPE;
    const REQUIRED: bool = true;

    fn take(value: Option<&Node<'_>>, at: &Path<'_>, found: &mut Findings) -> Option<Self> {
        // That it is missing was noted by `missing`, which sees the whole object.
        T::read(value?, at, found)
    }

    fn put(&self) -> Option<Value> {
        Some(self.write())
    }
}

impl<T: FieldValue> Slot for Option<T> {
    const TYPE: FieldType = T::TYPE;
    const REQUIRED: bool = false;

    fn take(value: Option<&Node<'_>>, at: &Path<'_>, found: &mut Findings) -> Option<Self> {
        match value {
            None => Some(None),
            Some(value) => T::read(value, at, found).map(Some),
        }
    }

    fn put(&self) -> Option<Value> {
        self.as_ref().map(FieldValue::write)
    }
}

/// A payload, or a record inside of one.
pub trait Shape: Sized {
    /// Its fields, in the order in which they are documented.
    const FIELDS: &'static [FieldSpec];
    /// Reads the known fields; notes faults and unknown fields.
    fn read_object(object: &[Member<'_>], at: &Path<'_>, found: &mut Findings) -> Option<Self>;
    /// Writes the known fields, and the unknown ones under `attributes`.
    fn write_object(&self) -> Map<String, Value>;
}

impl<S: Shape> FieldValue for S {
    const TYPE: FieldType = FieldType::Record(S::FIELDS);

    fn read(value: &Node<'_>, at: &Path<'_>, found: &mut Findings) -> Option<Self> {
        match value {
            Node::Object(object) => Self::read_object(object, at, found),
            other => {
                found.wrong_type(at, "an object", other);
                None
            }
        }
    }

    fn write(&self) -> Value {
        Value::Object(self.write_object())
    }
}

/// Returns the member of `object` under `name`, with `null` made `None`.
pub fn member<'n, 'a>(object: &'n [Member<'a>], name: &str) -> Option<&'n Node<'a>> {
    let found = object.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    found.filter(|value| **value != Node::Null)
}

/// Notes those fields of `needed` that are not in `object`, with the unknown field that was perhaps meant.
pub fn missing<'a>(
    object: &[Member<'_>],
    fields: &[FieldSpec],
    needed: impl IntoIterator<Item = &'a str>,
    at: &Path<'_>,
    found: &mut Findings,
) {
    for name in needed {
        if member(object, name).is_some() {
            continue;
        }
        found.issue(&Path::Field(at, name), "missing", |path| {
            let names = object.iter().map(|(key, _)| key.as_ref()).take(100);
            let unknown = names.filter(|key| !fields.iter().any(|field| field.name == *key));
            match nearest(name, unknown, 1).first() {
                Some(near) => format!("`{path}` is missing; there is `{near}`, which this kind does not know"),
                None => format!("`{path}` is missing"),
            }
        });
    }
}

/// Collects what the shape does not know, and what the client put under `attributes` itself.
pub fn attributes(
    object: &[Member<'_>],
    fields: &[FieldSpec],
    at: &Path<'_>,
    found: &mut Findings,
) -> Map<String, Value> {
    let mut kept = match member(object, "attributes") {
        None => Map::new(),
        Some(Node::Object(own)) => map(own),
        Some(other) => {
            found.wrong_type(&Path::Field(at, "attributes"), "an object", other);
            Map::new()
        }
    };
    for (name, value) in object {
        if name == "attributes" || fields.iter().any(|field| field.name == name) {
            continue;
        }
        found.warning(&Path::Field(at, name), || nearest(name, fields.iter().map(|field| field.name), 3));
        kept.insert(name.to_string(), value.to_value());
    }
    kept
}

/// Returns an object as serde sees it.
pub fn map(object: &[Member<'_>]) -> Map<String, Value> {
    object.iter().map(|(name, value)| (name.to_string(), value.to_value())).collect()
}

/// Takes the `r#` off a field whose JSON name is a Rust keyword.
pub const fn field_name(ident: &'static str) -> &'static str {
    match ident.as_bytes() {
        [b'r', b'#', ..] => ident.split_at(2).1,
        _ => ident,
    }
}

/// Declares shapes: `Name { /// meaning field: Type, … }`; `Option<Type>` is an optional field.
macro_rules! shape {
    ($($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $meaning:literal])+ $field:ident: $ty:ty,)+ })+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[doc = $meaning])+ pub $field: $ty,)+
            /// What the client sent beyond the fields above.
            pub attributes: serde_json::Map<String, serde_json::Value>,
        }

        impl $crate::field::Shape for $name {
            const FIELDS: &'static [$crate::field::FieldSpec] = &[$($crate::field::FieldSpec {
                name: $crate::field::field_name(stringify!($field)),
                ty: <$ty as $crate::field::Slot>::TYPE,
                required: <$ty as $crate::field::Slot>::REQUIRED,
                doc: concat!($($meaning),+).trim_ascii(),
            },)+];

            fn read_object(
                object: &[$crate::json::Member<'_>],
                at: &$crate::field::Path<'_>,
                found: &mut $crate::field::Findings,
            ) -> Option<Self> {
                let needed = Self::FIELDS.iter().filter(|field| field.required).map(|field| field.name);
                $crate::field::missing(object, Self::FIELDS, needed, at, found);
                $(
                    let name = const { $crate::field::field_name(stringify!($field)) };
                    let path = $crate::field::Path::Field(at, name);
                    let $field = <$ty as $crate::field::Slot>::take($crate::field::member(object, name), &path, found);
                )+
                let attributes = $crate::field::attributes(object, Self::FIELDS, at, found);
                Some(Self { $($field: $field?,)+ attributes })
            }

            fn write_object(&self) -> serde_json::Map<String, serde_json::Value> {
                let mut object = serde_json::Map::new();
                $(
                    if let Some(value) = $crate::field::Slot::put(&self.$field) {
                        object.insert($crate::field::field_name(stringify!($field)).to_owned(), value);
                    }
                )+
                if !self.attributes.is_empty() {
                    object.insert("attributes".to_owned(), serde_json::Value::Object(self.attributes.clone()));
                }
                object
            }
        }
    )+};
}
pub(crate) use shape;
