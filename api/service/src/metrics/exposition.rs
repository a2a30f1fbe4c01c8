//! Writes the text that Prometheus scrapes (format 0.0.4).

use std::fmt::Write;

/// The text, one family after the other.
pub(super) struct Exposition {
    out: String,
    name: &'static str,
}

impl Exposition {
    pub(super) fn new() -> Self {
        Self { out: String::with_capacity(16 << 10), name: "" }
    }

    /// Begins a family; the samples that follow belong to it.
    pub(super) fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        self.name = name;
        let _ = writeln!(self.out, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// Writes a family of one sample without labels.
    pub(super) fn single(&mut self, name: &'static str, kind: &str, help: &str, value: f64) {
        self.family(name, kind, help);
        self.sample(&[], value);
    }

    /// Writes one sample of the family.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        self.line("", labels, None, value);
    }

    /// Writes one histogram of the family; `counts` has one more for what is over all bounds.
    pub(super) fn histogram(&mut self, labels: &[(&str, &str)], bounds: &[f64], counts: &[u64], sum: f64) {
        let mut total = 0;
        let bounds = bounds.iter().map(ToString::to_string).chain(["+Inf".to_owned()]);
        for (bound, count) in bounds.zip(counts) {
            total += count;
            self.line("_bucket", labels, Some(&bound), total as f64);
        }
        self.line("_sum", labels, None, sum);
        self.line("_count", labels, None, total as f64);
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    fn line(&mut self, suffix: &str, labels: &[(&str, &str)], bound: Option<&str>, value: f64) {
        let labels = labels.iter().copied().chain(bound.map(|bound| ("le", bound)));
        let pairs: Vec<String> = labels.map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let set = if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) };
        let _ = writeln!(self.out, "{}{suffix}{set} {value}", self.name);
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
