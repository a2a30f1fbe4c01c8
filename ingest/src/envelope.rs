//! One JSON object → one [`Draft`]: names, defaults, secrets, and the check against the kind.

use std::borrow::Cow;

use partitura_event::problem::nearest;
use partitura_event::{
    Draft, ErrorClass, EventId, EventType, Expected, Fingerprint, Issue, Payload, Problem, Source, StreamName,
    Timestamp, kind,
};

use crate::context::{Accepted, Context, Rejected, Warning};
use crate::expected;
use crate::json::{Member, Node, join};
use crate::redact::{ContentMode, Redactions};

/// How the object was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// An event of ours: unknown names are refused.
    Plain,
    /// A CloudEvent: it says its version, and may have extension attributes.
    CloudEvent,
}

/// Names of the envelope, as clients may send them.
const NAMES: &[&str] = &[
    "type",
    "source",
    "id",
    "time",
    "subject",
    "stream",
    "actor",
    "causation",
    "correlation",
    "traceparent",
    "expected_revision",
    "data",
    "specversion",
    "datacontenttype",
    "dataschema",
];

/// What the server adds; an event that was read back must be sent without.
const GIVEN: &[&str] = &["position", "stream_revision", "recorded_at", "workspace"];

/// Extension attributes of CloudEvents (which have no `_`) that have a place of their own.
const EXTENSIONS: &[(&str, &str)] = &[
    ("expectedrevision", "expected_revision"),
    ("causationid", "causation"),
    ("correlationid", "correlation"),
    ("actorid", "actor"),
];

/// Longest subject, actor, causation, correlation and traceparent, in bytes.
const MAX_TEXT_BYTES: usize = 2_048;

type Members<'a> = Vec<Member<'a>>;

/// What the events of one body share while they are read.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// What was taken out, by rule.
    pub(crate) found: Redactions,
    /// Where JSON is written before it is copied to its own place.
    scratch: Vec<u8>,
}

/// Turns `node` into a draft. `path` is its place in the request (empty for a single event).
pub(crate) fn accept(
    node: Node<'_>,
    form: Form,
    path: &str,
    context: &Context<'_>,
    shared: &mut Shared,
) -> Result<Accepted, Rejected> {
    let Node::Object(members) = node else {
        let detail = format!("an event is a JSON object, this is {}", node.kind());
        return Err(Rejected { id: None, problem: Problem::invalid_field(path, "not_an_object", detail) });
    };
    let mut reader =
        Reader { members, path, context, issues: Vec::new(), suggestions: Vec::new(), warnings: Vec::new() };
    reader.members.retain(|(_, value)| *value != Node::Null);
    reader.redact(&mut shared.found);
    match reader.draft(form, shared) {
        Ok(draft) => Ok(Accepted { draft, warnings: reader.warnings }),
        Err(problem) => Err(Rejected { id: reader.peek("id").and_then(Node::as_text).map(str::to_owned), problem }),
    }
}

struct Reader<'a, 'c> {
    members: Members<'a>,
    path: &'c str,
    context: &'c Context<'c>,
    issues: Vec<Issue>,
    suggestions: Vec<String>,
    warnings: Vec<Warning>,
}

impl<'a> Reader<'a, '_> {
    fn draft(&mut self, form: Form, shared: &mut Shared) -> Result<Draft, Problem> {
        let expected = self.conditions(form);
        self.names(form);
        self.data_object();
        let kind = self.required("type").and_then(|text| self.keep("type", EventType::new(text)));
        let named = self.text("source");
        let source = match named {
            Some(text) => self.keep("source", Source::new(text)),
            None => Some(self.context.source.clone()),
        };
        if let (Some(kind), Some(source)) = (&kind, &source)
            && let Some((_, data)) = self.members.iter_mut().find(|(name, _)| name == "data")
        {
            self.context.redactor.content(source.as_str(), kind.as_str(), data, &mut shared.found);
        }
        let fingerprint = self.fingerprint(&mut shared.scratch);
        let id = match self.text("id") {
            Some(text) => self.keep("id", EventId::new(text)),
            None => Some(self.new_id()?),
        };
        let time = self.time();
        let subject = self.short("subject");
        let actor = self.short("actor");
        let causation = self.short("causation");
        let correlation = self.short("correlation");
        let traceparent = self.short("traceparent");
        let data = self.take("data").unwrap_or(Node::Object(Vec::new()));
        let stream = self.stream(subject.as_deref(), kind.as_ref(), source.as_ref(), &data);
        if let (Some(kind), Node::Object(_)) = (&kind, &data) {
            self.check(kind, &data);
        }
        if !self.issues.is_empty() {
            return Err(self.refusal());
        }
        let (Some(kind), Some(source), Some(id), Some(time), Some(stream), Some(expected)) =
            (kind, source, id, time, stream, expected)
        else {
            return Err(Problem::new(ErrorClass::Internal, "an event lost a field without a reason"));
        };
        shared.scratch.clear();
        data.write_compact(&mut shared.scratch);
        let data = std::str::from_utf8(&shared.scratch)
            .map_err(|error| Problem::new(ErrorClass::Internal, format!("data was not written as JSON: {error}")))?;
        Ok(Draft {
            workspace: self.context.workspace.clone(),
            source,
            id,
            kind,
            subject,
            stream,
            time,
            actor,
            causation,
            correlation,
            traceparent,
            data: Payload::trusted(data.to_owned()),
            fingerprint,
            expected,
        })
    }

    /// Takes secrets out of every string; an id that held one is refused, because two would be the same.
    fn redact(&mut self, found: &mut Redactions) {
        let mut held = Vec::new();
        for (key, value) in &mut self.members {
            if let Cow::Owned(clean) = self.context.redactor.text(key, found) {
                *key = Cow::Owned(clean);
            }
            let changed = self.context.redactor.node(value, ContentMode::Full, found);
            if changed && matches!(key.as_ref(), "id" | "source" | "stream" | "type") {
                held.push(key.to_string());
            }
        }
        for name in held {
            let message = format!("`{name}` holds a secret; it was not stored. Choose an id that is safe to show");
            self.issue(&name, "secret_in_id", message);
        }
    }

    /// Reads what is not part of the event itself: the condition and the form.
    fn conditions(&mut self, form: Form) -> Option<Expected> {
        if form == Form::CloudEvent {
            for (key, _) in &mut self.members {
                if let Some((_, name)) = EXTENSIONS.iter().find(|(extension, _)| extension == key) {
                    *key = Cow::Borrowed(name);
                }
            }
        }
        match self.take("specversion") {
            None if form == Form::CloudEvent => {
                self.issue("specversion", "required", "`specversion` is missing; a CloudEvent has \"1.0\"".to_owned());
            }
            None => {}
            Some(version) if version.as_text() == Some("1.0") => {}
            Some(_) => {
                self.issue("specversion", "specversion", "only CloudEvents \"1.0\" are understood".to_owned());
            }
        }
        if let Some(content) = self.take("datacontenttype") {
            let essence = content.as_text().and_then(|text| text.split(';').next()).unwrap_or_default().trim();
            if essence != "application/json" && !essence.ends_with("+json") {
                let message = format!("`datacontenttype` is {essence:.60}; the data of an event is JSON");
                self.issue("datacontenttype", "datacontenttype", message);
            }
        }
        let given = self.take("expected_revision").unwrap_or(Node::Null);
        let read = expected::read("expected_revision", &given);
        self.keep("expected_revision", read)
    }

    /// Refuses unknown names of ours; moves extension attributes of a CloudEvent into the data.
    fn names(&mut self, form: Form) {
        let is_known = |(key, _): &Member<'_>| NAMES.contains(&key.as_ref()) && key != "dataschema";
        if self.members.iter().all(is_known) {
            return;
        }
        let (known, other): (Members<'a>, Members<'a>) =
            std::mem::take(&mut self.members).into_iter().partition(is_known);
        self.members = known;
        let mut extensions = Vec::new();
        for (key, value) in other {
            if key == "dataschema" || form == Form::CloudEvent && !GIVEN.contains(&key.as_ref()) && key != "data_base64"
            {
                extensions.push((Cow::Owned(format!("ce_{key}")), value));
                continue;
            }
            let near = nearest(&key, NAMES.iter().copied(), 1);
            let message = match GIVEN.contains(&key.as_ref()) {
                true => format!("`{key}` is given by the server; leave it out"),
                false if near.is_empty() => format!("`{key}` is no field of an event; put your own fields into `data`"),
                false => format!("`{key}` is no field of an event; did you mean `{}`?", near[0]),
            };
            self.suggestions.extend(near);
            self.issue(&key, "unknown_field", message);
        }
        if extensions.is_empty() {
            return;
        }
        match self.members.iter_mut().find(|(name, _)| name == "data") {
            Some((_, Node::Object(data))) => {
                extensions.retain(|(key, _)| data.iter().all(|(name, _)| name != key));
                data.extend(extensions);
            }
            Some(_) => {}
            None => self.members.push((Cow::Borrowed("data"), Node::Object(extensions))),
        }
    }

    fn data_object(&mut self) {
        if let Some(wrong) = self.peek("data").filter(|data| !matches!(data, Node::Object(_))) {
            let message = format!("`data` must be a JSON object, this is {}", wrong.kind());
            self.issue("data", "type", message);
        }
    }

    /// Of the fields as they were sent, after redaction: conditions and the form do not count.
    fn fingerprint(&mut self, scratch: &mut Vec<u8>) -> Fingerprint {
        let whole = Node::Object(std::mem::take(&mut self.members));
        scratch.clear();
        whole.write_canonical(scratch);
        let fingerprint = Fingerprint::of(scratch);
        if let Node::Object(members) = whole {
            self.members = members;
        }
        fingerprint
    }

    fn new_id(&mut self) -> Result<EventId, Problem> {
        if !self.context.idempotent {
            let message = "the id was made by the server; a retry would store the event again. \
                           Send an id of your own, or an idempotency key";
            let path = join(self.path, "id");
            self.warnings.push(Warning { path, nearest: None, message: message.to_owned() });
        }
        self.context.ids.next(self.context.now)
    }

    fn time(&mut self) -> Option<Timestamp> {
        let given = match self.peek("time") {
            None => return Some(self.context.now),
            Some(Node::Text(text)) => Timestamp::parse("time", text),
            Some(Node::Number(token)) => Timestamp::parse("time", token),
            Some(other) => {
                let detail = format!("`time` must be a string or a number, this is {}", other.kind());
                Err(Problem::invalid_field("time", "type", detail))
            }
        };
        self.keep("time", given)
    }

    /// The stream as named, else the subject, else the entity of the kind, else the source.
    fn stream(
        &mut self,
        subject: Option<&str>,
        kind: Option<&EventType>,
        source: Option<&Source>,
        data: &Node<'_>,
    ) -> Option<StreamName> {
        if let Some(text) = self.text("stream").or_else(|| subject.map(str::to_owned)) {
            return self.keep("stream", StreamName::new(text));
        }
        match kind.and_then(|kind| kind::default_stream(kind, data)) {
            Some(stream) => Some(stream),
            None => self.keep("stream", StreamName::new(source?.as_str())),
        }
    }

    /// Checks `data` against the kind: faults are issues, unknown fields warnings.
    fn check(&mut self, kind: &EventType, data: &Node<'_>) {
        if kind::find(kind.as_str()).is_none()
            && let Some(near) = kind::nearest_type(kind.as_str()).filter(|near| related(kind.as_str(), near))
        {
            let message = format!("`{kind}` is not a known type; it is kept as it is. Did you mean `{near}`?");
            let path = join(self.path, "type");
            self.warnings.push(Warning { path, nearest: Some(near.to_owned()), message });
        }
        let checked = kind::check(kind, data);
        for issue in checked.issues {
            self.issues.push(Issue { path: join(self.path, &issue.path), ..issue });
        }
        for unknown in checked.warnings {
            let known = match unknown.nearest.first() {
                Some(name) => format!("; did you mean `{name}`?"),
                None => String::new(),
            };
            let message = format!("`{}` is no field of {}{known}", unknown.path, kind.as_str());
            match self.context.strict {
                true => {
                    self.suggestions.extend(unknown.nearest);
                    self.issue(&unknown.path, "unknown_field", message);
                }
                false => {
                    let path = join(self.path, &unknown.path);
                    self.warnings.push(Warning { path, nearest: unknown.nearest.into_iter().next(), message });
                }
            }
        }
        if checked.warnings_left_out > 0 {
            let message = format!("{} more unknown fields", checked.warnings_left_out);
            self.warnings.push(Warning { path: join(self.path, "data"), nearest: None, message });
        }
    }

    fn peek(&self, name: &str) -> Option<&Node<'a>> {
        self.members.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    fn take(&mut self, name: &str) -> Option<Node<'a>> {
        let at = self.members.iter().position(|(key, _)| key == name)?;
        Some(self.members.remove(at).1)
    }

    fn text(&mut self, name: &str) -> Option<String> {
        match self.peek(name)? {
            Node::Text(text) => Some(text.to_string()),
            other => {
                let message = format!("`{name}` must be a string, this is {}", other.kind());
                self.issue(name, "type", message);
                None
            }
        }
    }

    fn required(&mut self, name: &str) -> Option<String> {
        if self.peek(name).is_none() {
            self.issue(name, "required", format!("`{name}` is missing"));
        }
        self.text(name)
    }

    /// Reads a text that is no id: any language, no control characters, of limited length.
    fn short(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        let fault = match text.len() {
            bytes if bytes > MAX_TEXT_BYTES => {
                Some(("too_long", format!("`{name}` has {bytes} bytes; it may have at most {MAX_TEXT_BYTES}")))
            }
            _ if !text.bytes().all(is_printable) && text.chars().any(char::is_control) => {
                Some(("control_character", format!("`{name}` contains a control character")))
            }
            _ => None,
        };
        match fault {
            Some((code, message)) => {
                self.issue(name, code, message);
                None
            }
            None => Some(text).filter(|text| !text.trim().is_empty()),
        }
    }

    /// Keeps a value, or its issues.
    fn keep<T>(&mut self, name: &str, read: Result<T, Problem>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(problem) => {
                let code = problem.issues.first().map_or_else(|| problem.code.to_owned(), |issue| issue.code.clone());
                self.issue(name, &code, problem.detail);
                None
            }
        }
    }

    fn issue(&mut self, name: &str, code: &str, message: String) {
        self.issues.push(Issue { path: join(self.path, name), code: code.to_owned(), message });
    }

    fn refusal(&mut self) -> Problem {
        let first = &self.issues[0];
        let more = match self.issues.len() {
            1 => String::new(),
            n => format!(" (and {} more)", n - 1),
        };
        let detail = format!("{}: {}{more}", first.path, first.message);
        let mut problem = Problem::new(ErrorClass::Invalid, detail);
        problem.suggestions = std::mem::take(&mut self.suggestions);
        problem.issues = std::mem::take(&mut self.issues);
        problem
    }
}

const fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

/// Returns true when two types share their family or what happened: types of the client's own are no
/// misspelt ones of ours.
fn related(one: &str, other: &str) -> bool {
    match (one.split_once('.'), other.split_once('.')) {
        (Some((family, action)), Some((other_family, other_action))) => {
            family == other_family || action == other_action
        }
        _ => false,
    }
}
