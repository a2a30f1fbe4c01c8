//! A mapping file: what the rows of which file become.

use partitura_event::{ErrorClass, Issue, Problem};
use toml::de::DeTable;

use super::condition::Condition;
use super::each::Each;
use super::expression::{Expression, Lack};
use super::rows::{Format, Row};
use super::scope::Scope;
use super::section::{Place, Section, Value};
use crate::json::Node;

/// How files are read, where their names do not say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The format; else the extension decides.
    pub format: Option<Format>,
    /// What parts a field of CSV from the next.
    pub delimiter: u8,
    /// Where the rows of a JSON document are; else the items of an array, or the document itself.
    pub(super) rows: Option<Each>,
}

/// A checked mapping.
#[derive(Debug)]
pub struct Mapping {
    /// Its name, as `--map` takes it.
    pub name: String,
    /// What it is for.
    pub about: String,
    /// How files are read.
    pub input: Input,
    rules: Vec<Rule>,
}

/// One `[[event]]`.
#[derive(Debug)]
struct Rule {
    path: String,
    files: Vec<String>,
    each: Option<Each>,
    when: Condition,
    /// Fields of the envelope, in the order of [`FIELDS`].
    fields: Vec<(&'static str, Expression)>,
    data: Data,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there are a few of them, made once per import")]
enum Data {
    Fields(Vec<(String, Expression)>),
    Whole(Expression),
}

/// An event in the form that `POST /v1/events` takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventJson(Node<'static>);

impl EventJson {
    /// Returns the compact JSON.
    pub fn text(&self) -> String {
        self.0.compact()
    }

    /// Returns a field of the envelope that is a text.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_text()
    }
}

/// Fields of the envelope that a mapping may set, and whether an event is none without.
const FIELDS: &[(&str, bool)] = &[
    ("type", true),
    ("id", true),
    ("source", true),
    ("time", true),
    ("subject", false),
    ("stream", false),
    ("actor", false),
    ("causation", false),
    ("correlation", false),
    ("traceparent", false),
    ("expected_revision", false),
];

impl Mapping {
    /// Reads and checks a mapping. Errors name the line, the key and the nearest known one.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let document = DeTable::parse(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            Place { text, path: String::new(), offset }.fault(error.message())
        })?;
        let root = Section::new(document.get_ref(), "", text);
        let start = Place { text, path: String::new(), offset: 0 };
        let (name, _) = root.text("name")?.ok_or_else(|| start.fault("`name` is missing"))?;
        let about = root.text("about")?.map_or("", |(about, _)| about);
        let source = root.get("source");
        let input = match root.get("input") {
            Some((value, place)) => Input::read(&Section::of(value, &place)?)?,
            None => Input { format: None, delimiter: b',', rows: None },
        };
        let rules = root.list("event")?.unwrap_or_default();
        root.finish()?;
        if rules.is_empty() {
            return Err(start.fault("there is no [[event]], so no row would become anything"));
        }
        let rules = rules
            .into_iter()
            .map(|(value, place)| Rule::read(&Section::of(value, &place)?, &place, source.as_ref()))
            .collect::<Result<_, _>>()?;
        Ok(Self { name: name.to_owned(), about: about.to_owned(), input, rules })
    }

    /// Returns true when some event is made of files of this name.
    pub fn reads(&self, file: &str) -> bool {
        self.rules.iter().any(|rule| rule.reads(file))
    }

    /// Returns the names that it reads, for messages; empty when it reads any.
    pub fn files(&self) -> Vec<&str> {
        let mut files: Vec<&str> = self.rules.iter().flat_map(|rule| rule.files.iter().map(String::as_str)).collect();
        files.dedup();
        if self.rules.iter().any(|rule| rule.files.is_empty()) { Vec::new() } else { files }
    }

    /// Returns the events of a row, in the order of the mapping; none when no `when` holds.
    pub fn events(&self, row: &Row) -> Vec<Result<EventJson, Problem>> {
        let mut events = Vec::new();
        for rule in self.rules.iter().filter(|rule| rule.reads(&row.file)) {
            match rule.scopes(row) {
                Ok(scopes) => {
                    let scopes = scopes.into_iter().filter(|scope| rule.when.holds(scope));
                    events.extend(scopes.map(|scope| rule.event(&scope)));
                }
                Err(problem) => events.push(Err(problem)),
            }
        }
        events
    }
}

impl Input {
    fn read(section: &Section<'_>) -> Result<Self, Problem> {
        let format = match section.text("format")? {
            Some((name, place)) => Some(Format::parse(name).map_err(|error| place.fault(error))?),
            None => None,
        };
        let rows = match section.text("rows")? {
            Some((path, place)) => Some(Each::parse(path).map_err(|error| place.fault(error))?),
            None => None,
        };
        let delimiter = match section.text("delimiter")? {
            Some((text, _)) if text.len() == 1 => text.as_bytes()[0],
            Some((_, place)) => return Err(place.fault("must be one ASCII character")),
            None => b',',
        };
        section.finish()?;
        Ok(Self { format, delimiter, rows })
    }
}

impl Rule {
    fn read<'t>(
        section: &Section<'t>,
        place: &Place<'t>,
        source: Option<&(&'t Value<'t>, Place<'t>)>,
    ) -> Result<Self, Problem> {
        let mut files = Vec::new();
        for (value, place) in section.list("files")?.unwrap_or_default() {
            let name = value.get_ref().as_str().ok_or_else(|| place.fault("must be a file's name, `*` allowed"))?;
            files.push(name.to_owned());
        }
        let each = match section.text("each")? {
            Some((path, place)) => Some(Each::parse(path).map_err(|error| place.fault(error))?),
            None => None,
        };
        let when = match section.get("when") {
            Some((value, place)) => Condition::read(&Section::of(value, &place)?)?,
            None => Condition::default(),
        };
        let mut fields = Vec::new();
        for (name, needed) in FIELDS {
            let given = section.get(name).or_else(|| source.filter(|_| *name == "source").cloned());
            match given {
                Some((value, place)) if *name == "time" => fields.push((*name, Expression::read_time(value, &place)?)),
                Some((value, place)) => fields.push((*name, Expression::read(value, &place)?)),
                None if *needed => return Err(place.fault(format!("`{name}` is missing"))),
                None => {}
            }
        }
        let data = match section.get("data") {
            Some((value, place)) => Data::read(value, &place)?,
            None => Data::Fields(Vec::new()),
        };
        section.finish()?;
        Ok(Self { path: place.path.clone(), files, each, when, fields, data })
    }

    fn reads(&self, file: &str) -> bool {
        self.files.is_empty() || self.files.iter().any(|pattern| glob(pattern, file))
    }

    fn scopes<'r>(&self, row: &'r Row) -> Result<Vec<Scope<'r>>, Problem> {
        match &self.each {
            Some(each) => each.scopes(row),
            None => Ok(vec![Scope { row, item: &row.value, index: 0, captures: Vec::new() }]),
        }
    }

    fn event(&self, scope: &Scope<'_>) -> Result<EventJson, Problem> {
        let mut members = Vec::new();
        for ((name, expression), needed) in
            self.fields.iter().map(|field| (field, FIELDS.iter().any(|(name, needed)| *name == field.0 && *needed)))
        {
            match expression.value(scope) {
                Ok(node) => members.push(((*name).into(), node)),
                Err(Lack::Absent(what)) if needed => return Err(self.fault(name, &format!("{what} is missing"))),
                Err(Lack::Absent(_)) => {}
                Err(Lack::Wrong(what)) => return Err(self.fault(name, &what)),
            }
        }
        members.push(("data".into(), self.data.value(scope).map_err(|(name, what)| self.fault(&name, &what))?));
        Ok(EventJson(Node::Object(members)))
    }

    fn fault(&self, field: &str, message: &str) -> Problem {
        let path = format!("{}.{field}", self.path);
        let issue = Issue { path: path.clone(), code: "row".to_owned(), message: message.to_owned() };
        let problem = Problem::new(ErrorClass::Invalid, format!("`{path}`: {message}")).code("row");
        Problem { issues: vec![issue], ..problem }
    }
}

impl Data {
    fn read<'t>(value: &'t Value<'t>, place: &Place<'t>) -> Result<Self, Problem> {
        if !value.get_ref().is_table() {
            return Expression::read(value, place).map(Self::Whole);
        }
        let section = Section::of(value, place)?;
        let field = |(key, value, place): (&str, &'t Value<'t>, Place<'t>)| {
            let is_time = TIME_FIELDS.contains(&key) && !value.get_ref().is_table();
            let expression =
                if is_time { Expression::read_time(value, &place) } else { Expression::read(value, &place) };
            Ok((key.to_owned(), expression?))
        };
        section.members().into_iter().map(field).collect::<Result<_, _>>().map(Self::Fields)
    }

    fn value(&self, scope: &Scope<'_>) -> Result<Node<'static>, (String, String)> {
        let fields = match self {
            Self::Fields(fields) => fields,
            Self::Whole(expression) => {
                return match expression.value(scope) {
                    Ok(node @ Node::Object(_)) => Ok(node),
                    Ok(other) => Err(("data".to_owned(), format!("must be an object, this is {}", other.kind()))),
                    Err(Lack::Absent(what)) => Err(("data".to_owned(), format!("{what} is missing"))),
                    Err(Lack::Wrong(what)) => Err(("data".to_owned(), what)),
                };
            }
        };
        let mut data = Vec::new();
        for (key, expression) in fields {
            match expression.value(scope) {
                Ok(node) => put(&mut data, key, node),
                Err(Lack::Absent(_)) => {}
                Err(Lack::Wrong(what)) => return Err((format!("data.{key}"), what)),
            }
        }
        Ok(Node::Object(data))
    }
}

/// Fields of `data` that are times, so that a plain template is read as one.
const TIME_FIELDS: &[&str] = &["started_at", "due", "valid_from", "valid_to", "resets_at", "lease_until"];

type Members = Vec<(std::borrow::Cow<'static, str>, Node<'static>)>;

/// Puts a value under a key; `labels.repo` makes an object `labels`.
fn put(data: &mut Members, key: &str, node: Node<'static>) {
    let Some((outer, inner)) = key.split_once('.') else {
        data.push((key.to_owned().into(), node));
        return;
    };
    if !data.iter().any(|(name, _)| name == outer) {
        data.push((outer.to_owned().into(), Node::Object(Vec::new())));
    }
    if let Some((_, Node::Object(members))) = data.iter_mut().find(|(name, _)| name == outer) {
        put(members, inner, node);
    }
}

/// Matches a file's name against a pattern whose `*` stand for anything.
fn glob(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let mut tail = parts.collect::<Vec<_>>();
    let Some(last) = tail.pop() else { return rest.is_empty() };
    for part in tail {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}
