//! Takes secrets out of events before anything is stored, because what is in a hash-chained log stays.
//!
//! Every string of an event, keys of objects included, is searched by [`rules`](rule): one pass of a
//! multi-pattern search finds which rules could match at all, and only those run. A match becomes
//! `[redacted:rule]`. Ids are not exempt: `id`, `source`, `stream` and `type` that hold a secret are
//! refused by the envelope (two events would get the same redacted id); any other field is replaced.
//!
//! Not done here: finding names of people in running text. [`ContentMode::Redacted`] also takes
//! e-mail addresses, phone numbers, card numbers and IP addresses; [`ContentMode::None`] drops the
//! content altogether.

mod content;
mod entropy;
mod field;
mod needles;
mod rule;

use std::borrow::Cow;
use std::collections::BTreeMap;

use partitura_event::Problem;
use serde::{Deserialize, Serialize};

pub use content::ContentMode;
use needles::Needles;
use rule::{Rule, Trigger};

use crate::json::{self, Node};
use crate::limits::Limits;

/// A rule of the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtraRule {
    /// Stands in `[redacted:name]` and in the counts: lower-case letters, digits and `_`.
    pub name: String,
    /// Regular expression; its first group is what is taken out, or the whole match when it has none.
    pub pattern: String,
}

/// What the redactor does beyond its own rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedactSettings {
    /// Names of built-in rules to switch off.
    pub disable: Vec<String>,
    /// More rules, run after the built-in ones.
    pub rules: Vec<ExtraRule>,
    /// What is kept of the content of sources that are not named in `sources`.
    pub content: ContentMode,
    /// What is kept of the content of each source.
    pub sources: BTreeMap<String, ContentMode>,
}

/// How many matches of each rule were taken out.
pub type Redactions = BTreeMap<String, u64>;

/// The rules, ready to run. Shared by all requests.
#[derive(Debug)]
pub struct Redactor {
    rules: Vec<Rule>,
    needles: Needles,
    /// Rules that are always tried.
    always: u64,
    /// Rules that run in [`ContentMode::Redacted`] only.
    personal: u64,
    settings: RedactSettings,
}

impl Redactor {
    /// Compiles the rules. Errors name the rule and what is wrong with it.
    pub fn new(settings: RedactSettings) -> Result<Self, Problem> {
        let mut rules = rule::built_in()?;
        for name in &settings.disable {
            if !rules.iter().any(|rule| rule.name == *name) && name != field::RULE {
                let problem = Problem::invalid_field("redact.disable", "unknown_rule", format!("no rule `{name}`"));
                return Err(problem.suggest(name, rules.iter().map(|rule| rule.name.as_str())));
            }
        }
        rules.retain(|rule| !settings.disable.contains(&rule.name));
        for (n, extra) in settings.rules.iter().enumerate() {
            rules.push(Rule::extra(&extra.name, &extra.pattern, &format!("redact.rules[{n}]"))?);
        }
        if rules.len() > 64 {
            let detail = format!("{} redaction rules; at most 64 can run", rules.len());
            return Err(Problem::invalid_field("redact.rules", "too_many_rules", detail));
        }
        Ok(Self::compile(rules, settings))
    }

    fn compile(rules: Vec<Rule>, settings: RedactSettings) -> Self {
        let mut always = 0;
        let mut personal = 0;
        for (n, rule) in rules.iter().enumerate() {
            let bit = 1_u64 << n;
            personal |= if rule.personal { bit } else { 0 };
            always |= if matches!(rule.trigger, Trigger::Always) { bit } else { 0 };
        }
        let needles = Needles::new(rules.iter().enumerate().map(|(n, rule)| (rule.trigger, 1 << n)));
        Self { rules, needles, always, personal, settings }
    }

    /// Names the rules that run, built-in ones first.
    pub fn rules(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.name.as_str()).chain(self.fields_on().then_some(field::RULE))
    }

    /// Returns what is kept of the content of `source`.
    pub fn content_of(&self, source: &str) -> ContentMode {
        self.settings.sources.get(source).copied().unwrap_or(self.settings.content)
    }

    /// Takes secrets out of one text, for what is not an event: rows that are rejected, messages.
    pub fn text<'t>(&self, text: &'t str, found: &mut Redactions) -> Cow<'t, str> {
        self.run(text, ContentMode::Full, found)
    }

    /// Takes secrets out of a text that is only shown; nothing is counted.
    pub fn shown(&self, text: &str) -> String {
        self.text(text, &mut Redactions::new()).into_owned()
    }

    /// Does the same for a text that may be JSON: then the names of its fields count too.
    pub fn shown_json(&self, text: &str) -> String {
        let limits = Limits { values_per_event: usize::MAX, keys_per_object: usize::MAX, ..Limits::default() };
        match json::parse(text, &limits) {
            Ok(mut node) => {
                self.node(&mut node, ContentMode::Full, &mut Redactions::new());
                node.compact()
            }
            Err(_) => self.shown(text),
        }
    }

    /// Takes secrets out of every string below `node`; true when it changed.
    pub fn node(&self, node: &mut Node<'_>, mode: ContentMode, found: &mut Redactions) -> bool {
        match node {
            Node::Text(text) => self.replace(text, mode, found),
            Node::List(items) => items.iter_mut().fold(false, |changed, item| self.node(item, mode, found) | changed),
            Node::Object(members) => {
                let mut changed = false;
                for (key, value) in members {
                    changed |= self.replace(key, mode, found);
                    changed |= self.fields_on() && field::redact(key, value, found);
                    changed |= self.node(value, mode, found);
                }
                changed
            }
            Node::Null | Node::Bool(_) | Node::Number(_) => false,
        }
    }

    /// Replaces the value of a name that says that it is a secret; of a dotted name the last word counts.
    pub(crate) fn named(&self, name: &str, value: &mut Node<'_>, found: &mut Redactions) -> bool {
        self.fields_on() && field::redact(name.rsplit('.').next().unwrap_or(name), value, found)
    }

    fn fields_on(&self) -> bool {
        !self.settings.disable.iter().any(|name| name == field::RULE)
    }

    fn replace(&self, text: &mut Cow<'_, str>, mode: ContentMode, found: &mut Redactions) -> bool {
        match self.run(text, mode, found) {
            Cow::Borrowed(_) => false,
            Cow::Owned(clean) => {
                *text = Cow::Owned(clean);
                true
            }
        }
    }

    fn run<'t>(&self, text: &'t str, mode: ContentMode, found: &mut Redactions) -> Cow<'t, str> {
        let mut candidates = self.always;
        // No secret is shorter than this, so most strings end here.
        if text.len() >= rule::SHORTEST {
            candidates |= self.needles.rules_in(text);
        }
        if mode != ContentMode::Redacted {
            candidates &= !self.personal;
        }
        let mut clean = Cow::Borrowed(text);
        while candidates != 0 {
            let rule = &self.rules[candidates.trailing_zeros() as usize];
            candidates &= candidates - 1;
            if let Some((replaced, count)) = rule.replace(&clean) {
                *found.entry(rule.name.clone()).or_default() += count;
                clean = Cow::Owned(replaced);
            }
        }
        clean
    }
}
