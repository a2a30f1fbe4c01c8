//! Bytes of an [`Entity`], as they lie in the hidden column `_state`.
//!
//! ```text
//! version u8 | stamps: n, n × (time, rank, source, id) | registers: n, n × (slot, stamp, value)
//!            | attributes: n, n × (name, stamp, json) | moves: n, n × (stamp, what, who)
//! ```
//! Numbers are LEB128 varints, texts are length and bytes. Stamps are written once, in their order, and
//! referred to by index, so equal entities have equal bytes. Another version means: rebuild.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use partitura_event::{ErrorClass, Problem};

use crate::entity::{Entity, Move, Register};
use crate::stamp::Stamp;
use crate::value::Value;

const VERSION: u8 = 1;

/// Writes an entity.
pub fn encode(entity: &Entity) -> Vec<u8> {
    let mut stamps: Vec<&Arc<Stamp>> = entity.registers.iter().map(|register| &register.stamp).collect();
    stamps.extend(entity.attributes.values().map(|(stamp, _)| stamp));
    stamps.extend(entity.moves.iter().map(|step| &step.stamp));
    stamps.sort_unstable();
    stamps.dedup();
    let mut out = Writer { bytes: Vec::with_capacity(64 + stamps.len() * 48), stamps };
    out.bytes.push(VERSION);
    out.stamp_table();
    out.number(entity.registers.len() as u64);
    for register in &entity.registers {
        out.number(u64::from(register.slot));
        out.stamp(&register.stamp);
        out.value(&register.value);
    }
    out.number(entity.attributes.len() as u64);
    for (name, (stamp, json)) in &entity.attributes {
        out.text(name);
        out.stamp(stamp);
        out.text(json);
    }
    out.number(entity.moves.len() as u64);
    for step in &entity.moves {
        out.stamp(&step.stamp);
        out.bytes.push(step.what);
        out.optional_text(step.who.as_deref());
    }
    out.bytes
}

struct Writer<'a> {
    bytes: Vec<u8>,
    stamps: Vec<&'a Arc<Stamp>>,
}

impl Writer<'_> {
    fn stamp_table(&mut self) {
        self.number(self.stamps.len() as u64);
        for index in 0..self.stamps.len() {
            let stamp = self.stamps[index];
            self.signed(i128::from(stamp.time));
            self.bytes.push(stamp.rank);
            self.text(&stamp.source);
            self.text(&stamp.id);
        }
    }

    fn stamp(&mut self, stamp: &Arc<Stamp>) {
        let index = self.stamps.binary_search(&stamp).unwrap_or_default();
        self.number(index as u64);
    }

    fn number(&mut self, number: u64) {
        self.wide(u128::from(number));
    }

    fn signed(&mut self, number: i128) {
        self.wide(((number << 1) ^ (number >> 127)) as u128);
    }

    fn wide(&mut self, mut number: u128) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn optional_text(&mut self, text: Option<&str>) {
        self.bytes.push(u8::from(text.is_some()));
        if let Some(text) = text {
            self.text(text);
        }
    }

    fn value(&mut self, value: &Value<'_>) {
        match value {
            Value::Text(text) => self.tagged(0, |out| out.text(text)),
            Value::Int(number) => self.tagged(1, |out| out.signed(i128::from(*number))),
            Value::Float(number) => self.tagged(2, |out| out.bytes.extend_from_slice(&number.to_bits().to_le_bytes())),
            Value::Bool(flag) => self.tagged(3, |out| out.bytes.push(u8::from(*flag))),
            Value::Time(micros) => self.tagged(4, |out| out.signed(i128::from(*micros))),
            Value::Money(scaled) => self.tagged(5, |out| out.signed((*scaled).into())),
            Value::Texts(texts) => self.tagged(6, |out| {
                out.number(texts.len() as u64);
                texts.iter().for_each(|text| out.text(text));
            }),
            Value::Floats(numbers) => self.tagged(7, |out| {
                out.number(numbers.len() as u64);
                numbers.iter().for_each(|number| out.bytes.extend_from_slice(&number.to_bits().to_le_bytes()));
            }),
            Value::Structs(rows) => self.tagged(8, |out| {
                out.number(rows.len() as u64);
                for row in rows {
                    out.number(row.len() as u64);
                    row.iter().for_each(|cell| match cell {
                        Some(value) => out.value(value),
                        None => out.bytes.push(ABSENT),
                    });
                }
            }),
        }
    }

    fn tagged(&mut self, tag: u8, write: impl FnOnce(&mut Self)) {
        self.bytes.push(tag);
        write(self);
    }
}

/// Tag of a struct's member that is not there.
const ABSENT: u8 = 255;

/// Reads an entity.
pub fn decode(bytes: &[u8]) -> Result<Entity, Problem> {
    let mut reader = Reader { bytes, stamps: Vec::new() };
    match reader.entity() {
        Some(entity) if reader.bytes.is_empty() => Ok(entity),
        _ => Err(Problem::new(ErrorClass::Corrupt, "a stored fold state cannot be read")
            .code("state_unreadable")
            .hint("run `partitura rebuild`: the tables are made again from the log")),
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    stamps: Vec<Arc<Stamp>>,
}

impl<'a> Reader<'a> {
    fn entity(&mut self) -> Option<Entity> {
        if self.byte()? != VERSION {
            return None;
        }
        for _ in 0..self.number()? {
            let stamp = Stamp {
                time: i64::try_from(self.signed()?).ok()?,
                rank: self.byte()?,
                source: self.text()?.into(),
                id: self.text()?.into(),
            };
            self.stamps.push(Arc::new(stamp));
        }
        let mut registers = Vec::new();
        for _ in 0..self.number()? {
            let slot = u16::try_from(self.number()?).ok()?;
            registers.push(Register { slot, stamp: self.stamp()?, value: self.value()? });
        }
        let mut attributes = BTreeMap::new();
        for _ in 0..self.number()? {
            let name = self.text()?.into();
            attributes.insert(name, (self.stamp()?, self.text()?.into()));
        }
        let mut moves = Vec::new();
        for _ in 0..self.number()? {
            moves.push(Move { stamp: self.stamp()?, what: self.byte()?, who: self.optional_text()? });
        }
        Some(Entity { registers, attributes, moves })
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn wide(&mut self) -> Option<u128> {
        let mut number = 0;
        for shift in (0..126).step_by(7) {
            let byte = self.byte()?;
            number |= u128::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        let byte = self.byte()?;
        (byte < 4).then_some(number | u128::from(byte) << 126)
    }

    fn number(&mut self) -> Option<u64> {
        u64::try_from(self.wide()?).ok()
    }

    fn signed(&mut self) -> Option<i128> {
        let number = self.wide()?;
        Some((number >> 1) as i128 ^ -((number & 1) as i128))
    }

    fn stamp(&mut self) -> Option<Arc<Stamp>> {
        let index = usize::try_from(self.number()?).ok()?;
        self.stamps.get(index).cloned()
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(taken)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        std::str::from_utf8(self.take(length)?).ok()
    }

    fn optional_text(&mut self) -> Option<Option<Box<str>>> {
        match self.byte()? {
            0 => Some(None),
            _ => self.text().map(|text| Some(text.into())),
        }
    }

    fn float(&mut self) -> Option<f64> {
        let bytes: [u8; 8] = self.take(8)?.try_into().ok()?;
        Some(f64::from_bits(u64::from_le_bytes(bytes)))
    }

    fn value(&mut self) -> Option<Value<'static>> {
        let tag = self.byte()?;
        self.value_of(tag)
    }

    fn value_of(&mut self, tag: u8) -> Option<Value<'static>> {
        Some(match tag {
            0 => Value::Text(Cow::Owned(self.text()?.to_owned())),
            1 => Value::Int(i64::try_from(self.signed()?).ok()?),
            2 => Value::Float(self.float()?),
            3 => Value::Bool(self.byte()? != 0),
            4 => Value::Time(i64::try_from(self.signed()?).ok()?),
            5 => Value::money(self.signed()?),
            6 => {
                let count = self.number()?;
                Value::Texts(
                    (0..count).map(|_| self.text().map(|text| Cow::Owned(text.to_owned()))).collect::<Option<_>>()?,
                )
            }
            7 => {
                let count = self.number()?;
                Value::Floats((0..count).map(|_| self.float()).collect::<Option<_>>()?)
            }
            8 => {
                let count = self.number()?;
                Value::Structs((0..count).map(|_| self.row()).collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }

    fn row(&mut self) -> Option<Vec<Option<Value<'static>>>> {
        let count = self.number()?;
        let mut row = Vec::new();
        for _ in 0..count {
            let tag = self.byte()?;
            row.push(if tag == ABSENT { None } else { Some(self.value_of(tag)?) });
        }
        Some(row)
    }
}
