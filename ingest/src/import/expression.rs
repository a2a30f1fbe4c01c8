//! Values of an event: where they come from, and what is done to them.

use partitura_event::{Problem, Timestamp};
use rust_decimal::Decimal;

use super::scope::{Reference, Scope};
use super::section::{Place, Section, Value, constant, items};
use super::template::{Template, plain};
use super::transform::{TimeForm, Transform};
use crate::json::Node;

/// One value of the mapping.
#[derive(Debug)]
pub(super) struct Expression {
    origin: Origin,
    transform: Transform,
    add_seconds: Option<Box<Expression>>,
    default: Option<Node<'static>>,
}

#[derive(Debug)]
enum Origin {
    Constant(Node<'static>),
    /// A text with references, or the value of one.
    Template(Template),
    /// A template that makes a reference, which is then followed.
    At(Template),
    /// The first that has a value.
    First(Vec<Expression>),
    /// All that have a value, as one text.
    Join(Vec<Expression>, String),
    /// All that have a value.
    List(Vec<Expression>),
    /// Time from the first to the second, in units of so many microseconds.
    Between(Box<(Expression, Expression)>, i64),
    /// The sum of all that have a value; nothing when none has.
    Sum(Vec<Expression>),
}

/// Why a value could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lack {
    /// A reference names nothing here.
    Absent(String),
    /// What is there does not fit.
    Wrong(String),
}

impl Expression {
    /// Reads a string (a template), a number or boolean (itself), an array, or a table.
    pub(super) fn read<'t>(value: &'t Value<'t>, place: &Place<'t>) -> Result<Self, Problem> {
        if let Some(text) = value.get_ref().as_str() {
            let template = Template::parse(text).map_err(|error| place.fault(error))?;
            return Ok(Self::of(Origin::Template(template)));
        }
        if value.get_ref().is_array() {
            return Ok(Self::of(Origin::List(read_all(value, place)?)));
        }
        if !value.get_ref().is_table() {
            return constant(value, place).map(|node| Self::of(Origin::Constant(node)));
        }
        let section = Section::of(value, place)?;
        let origin = Origin::read(&section, place)?;
        let add_seconds = match section.get("add_seconds") {
            Some((value, place)) => Some(Box::new(Self::read(value, &place)?)),
            None => None,
        };
        let default = match section.get("default") {
            Some((value, place)) => Some(constant(value, &place)?),
            None => None,
        };
        let transform = Transform::read(&section)?;
        section.finish()?;
        Ok(Self { origin, transform, add_seconds, default })
    }

    fn of(origin: Origin) -> Self {
        Self { origin, transform: Transform::default(), add_seconds: None, default: None }
    }

    /// Reads the same, taken as a time whatever its form says.
    pub(super) fn read_time<'t>(value: &'t Value<'t>, place: &Place<'t>) -> Result<Self, Problem> {
        let mut expression = Self::read(value, place)?;
        expression.transform.time.get_or_insert(TimeForm::Auto);
        Ok(expression)
    }

    /// Returns the value; `Absent` where nothing is.
    pub(super) fn value(&self, scope: &Scope<'_>) -> Result<Node<'static>, Lack> {
        let made = self.origin.value(scope).and_then(|node| {
            let applied = self.transform.apply(node).map_err(Lack::Wrong)?;
            applied.ok_or_else(|| Lack::Absent("an empty value".to_owned()))
        });
        let made = match (made, &self.transform.time) {
            (Ok(node), Some(form)) => self.time(&node, form, scope),
            (made, _) => made,
        };
        match (made, &self.default) {
            (Err(Lack::Absent(_)), Some(default)) => Ok(default.clone()),
            (made, _) => made,
        }
    }

    fn time(&self, node: &Node<'_>, form: &TimeForm, scope: &Scope<'_>) -> Result<Node<'static>, Lack> {
        let mut micros = form.micros(&plain(node)).map_err(Lack::Wrong)?;
        if let Some(seconds) = &self.add_seconds {
            let text = seconds.value(scope)?;
            let text = plain(&text);
            let seconds = text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(&text));
            let more = seconds.ok().and_then(|value| i64::try_from((value * Decimal::from(1_000_000)).round()).ok());
            let more = more.ok_or_else(|| Lack::Wrong(format!("{text:.40?} is not a number of seconds")))?;
            micros = micros.saturating_add(more);
        }
        let time = Timestamp::from_micros(micros);
        let time = time.ok_or_else(|| {
            Lack::Wrong(format!("{:.60?} is outside of {} to {}", plain(node), Timestamp::MIN, Timestamp::MAX))
        })?;
        Ok(Node::Text(time.to_string().into()))
    }
}

impl Origin {
    fn read<'t>(section: &Section<'t>, place: &Place<'t>) -> Result<Self, Problem> {
        let template = |(text, place): (&str, Place<'t>)| Template::parse(text).map_err(|error| place.fault(error));
        let mut found = Vec::new();
        if let Some(from) = section.text("from")? {
            found.push(Self::Template(template(from)?));
        }
        if let Some(at) = section.text("at")? {
            found.push(Self::At(template(at)?));
        }
        if let Some((value, place)) = section.get("const") {
            found.push(Self::Constant(constant(value, &place)?));
        }
        if let Some((value, place)) = section.get("first") {
            found.push(Self::First(read_all(value, &place)?));
        }
        if let Some((value, place)) = section.get("list") {
            found.push(Self::List(read_all(value, &place)?));
        }
        if let Some((value, place)) = section.get("sum") {
            found.push(Self::Sum(read_all(value, &place)?));
        }
        let with = section.text("with")?.map_or(" ", |(text, _)| text);
        if let Some((value, place)) = section.get("join") {
            found.push(Self::Join(read_all(value, &place)?, with.to_owned()));
        }
        let unit = match section.text("unit")? {
            None | Some(("s", _)) => 1_000_000,
            Some(("ms", _)) => 1_000,
            Some(("us", _)) => 1,
            Some(("min", _)) => 60_000_000,
            Some((_, place)) => return Err(place.fault("must be us, ms, s or min")),
        };
        if let Some(list) = section.list("between")? {
            let [(first, at_first), (second, at_second)] = list.as_slice() else {
                return Err(place.fault("`between` takes two times"));
            };
            let first = Expression::read_time(first, at_first)?;
            let second = Expression::read_time(second, at_second)?;
            found.push(Self::Between(Box::new((first, second)), unit));
        }
        match (found.pop(), found.is_empty()) {
            (Some(origin), true) => Ok(origin),
            _ => Err(place.fault("must have exactly one of from, at, const, first, join, list, sum, between")),
        }
    }

    fn value(&self, scope: &Scope<'_>) -> Result<Node<'static>, Lack> {
        let absent = |name: &str| Lack::Absent(format!("`{{{name}}}`"));
        match self {
            Self::Constant(node) => Ok(node.clone()),
            Self::Template(template) => template.value(scope).map(|node| node.into_owned()).map_err(absent),
            Self::At(template) => {
                let text = template.text(scope).map_err(absent)?;
                let reference = Reference::parse(&text).map_err(Lack::Wrong)?;
                scope.find(&reference).map(|node| node.into_owned()).ok_or_else(|| absent(&text))
            }
            Self::First(list) => {
                let empty = |node: &Node<'_>| matches!(node, Node::Text(text) if text.trim().is_empty());
                for expression in list {
                    match expression.value(scope) {
                        Ok(node) if !empty(&node) => return Ok(node),
                        Ok(_) | Err(Lack::Absent(_)) => {}
                        Err(wrong) => return Err(wrong),
                    }
                }
                Err(Lack::Absent("each of `first`".to_owned()))
            }
            Self::Join(list, with) => {
                let parts: Vec<String> = present(list, scope)?.iter().map(|node| plain(node).into_owned()).collect();
                match parts.is_empty() {
                    true => Err(Lack::Absent("all of `join`".to_owned())),
                    false => Ok(Node::Text(parts.join(with).into())),
                }
            }
            Self::List(list) => present(list, scope).map(Node::List),
            Self::Sum(list) => sum(&present(list, scope)?),
            Self::Between(times, unit) => {
                let micros = |expression: &Expression| {
                    let time = expression.value(scope)?;
                    TimeForm::Auto.micros(&plain(&time)).map_err(Lack::Wrong)
                };
                let span = micros(&times.1)? - micros(&times.0)?;
                let value = Decimal::from(span) / Decimal::from(*unit);
                Ok(Node::Number(value.normalize().to_string().into()))
            }
        }
    }
}

fn read_all<'t>(value: &'t Value<'t>, place: &Place<'t>) -> Result<Vec<Expression>, Problem> {
    items(value, place)?.into_iter().map(|(item, place)| Expression::read(item, &place)).collect()
}

/// Returns the values that are there.
fn present(list: &[Expression], scope: &Scope<'_>) -> Result<Vec<Node<'static>>, Lack> {
    let mut values = Vec::new();
    for expression in list {
        match expression.value(scope) {
            Ok(node) => values.push(node),
            Err(Lack::Absent(_)) => {}
            Err(wrong) => return Err(wrong),
        }
    }
    Ok(values)
}

fn sum(values: &[Node<'static>]) -> Result<Node<'static>, Lack> {
    if values.is_empty() {
        return Err(Lack::Absent("all of `sum`".to_owned()));
    }
    let mut total = Decimal::ZERO;
    for value in values {
        let text = plain(value);
        let number = text.trim().parse::<Decimal>().or_else(|_| Decimal::from_scientific(text.trim()));
        let number = number.map_err(|_| Lack::Wrong(format!("{text:.40?} is not a number")))?;
        total = total.checked_add(number).ok_or_else(|| Lack::Wrong("the sum is too large".to_owned()))?;
    }
    Ok(Node::Number(total.normalize().to_string().into()))
}
