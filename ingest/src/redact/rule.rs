//! One redaction rule, and the list of those that are built in.
//!
//! A rule has a regular expression, a trigger (what must stand in a text for the rule to be tried), and
//! a guard for the ones that match by context. Order matters: narrow rules come before wide ones, and a match is
//! replaced before the next rule looks.

use partitura_event::Problem;
use regex::{Captures, Regex};

use super::entropy::{bits_per_byte, is_blanked, looks_secret};
use Trigger::{Announced, Begins, Holds};

/// No rule with a needle matches a text shorter than this many bytes.
pub(super) const SHORTEST: usize = 8;

/// What a text must hold for a rule to be tried, in any case of its letters.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trigger {
    /// Nothing: it is always tried.
    Always,
    /// One of these, where a word begins.
    Begins(&'static [&'static str]),
    /// One of these, anywhere.
    Holds(&'static [&'static str]),
    /// A name with one of these endings, and `:` or `=` behind it.
    Announced(&'static [&'static str]),
}

/// Decides whether a match is a secret.
#[derive(Clone, Copy, Debug)]
enum Guard {
    /// Every match is.
    No,
    /// It must look like a secret of at least so many bytes.
    Secret(usize),
    /// A user's name and password in a URL, not a port and a path.
    UrlPassword,
    /// A token in the place of a URL's user.
    UrlUser,
    /// A number that satisfies the check digit of payment cards.
    Card,
}

/// One rule.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) trigger: Trigger,
    pub(super) personal: bool,
    pattern: Regex,
    guard: Guard,
}

impl Rule {
    /// Compiles a rule of the user; `field` names it in errors.
    pub(super) fn extra(name: &str, pattern: &str, field: &str) -> Result<Self, Problem> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if name.is_empty() || name.len() > 40 || !name.bytes().all(plain) {
            let detail =
                format!("`{field}.name` = {name:?} is not a rule's name; use lower-case letters, digits and _");
            return Err(Problem::invalid_field(&format!("{field}.name"), "rule_name", detail));
        }
        let pattern = compile(pattern).map_err(|error| {
            let detail = format!("`{field}.pattern` is not a regular expression: {error}");
            Problem::invalid_field(&format!("{field}.pattern"), "pattern", detail)
        })?;
        if pattern.is_match("") {
            let detail = format!("`{field}.pattern` matches the empty text, so it would match everywhere");
            return Err(Problem::invalid_field(&format!("{field}.pattern"), "pattern", detail));
        }
        Ok(Self { name: name.to_owned(), trigger: Trigger::Always, personal: false, pattern, guard: Guard::No })
    }

    /// Replaces every match, and returns the text and how many; `None` when there is none.
    pub(super) fn replace(&self, text: &str) -> Option<(String, u64)> {
        if !self.guard.could_pass(text) {
            return None;
        }
        let mut out = String::new();
        let mut done = 0;
        let mut count = 0;
        for captures in self.pattern.captures_iter(text) {
            let Some(secret) = group(&captures).filter(|secret| self.guard.passes(secret.as_str())) else { continue };
            if secret.as_str().starts_with("[redacted:") {
                continue;
            }
            out.push_str(&text[done..secret.start()]);
            out.push_str("[redacted:");
            out.push_str(&self.name);
            out.push(']');
            done = secret.end();
            count += 1;
        }
        if count == 0 {
            return None;
        }
        out.push_str(&text[done..]);
        Some((out, count))
    }
}

/// Returns the first group that took part, or the whole match.
fn group<'t>(captures: &Captures<'t>) -> Option<regex::Match<'t>> {
    (1..captures.len()).find_map(|n| captures.get(n)).or_else(|| captures.get(0))
}

fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    regex::RegexBuilder::new(pattern).size_limit(4 << 20).build()
}

impl Guard {
    /// Says at once of most texts that no match in them can be a secret.
    fn could_pass(self, text: &str) -> bool {
        !matches!(self, Self::UrlPassword | Self::UrlUser) || text.contains('@')
    }

    fn passes(self, secret: &str) -> bool {
        match self {
            Self::No => true,
            Self::Secret(shortest) => looks_secret(secret, shortest),
            Self::UrlUser => looks_secret(secret, 16),
            Self::UrlPassword => {
                let port = secret.bytes().take_while(u8::is_ascii_digit).count();
                let is_port = port > 0 && secret.as_bytes().get(port) == Some(&b'/');
                let is_gone = secret.starts_with("[redacted") || is_blanked(secret);
                !is_port && !is_gone
            }
            Self::Card => luhn(secret) && bits_per_byte(secret) > 1.5,
        }
    }
}

fn luhn(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(n, digit)| if n % 2 == 0 { *digit } else { digit * 2 / 10 + digit * 2 % 10 })
        .sum();
    (13..=19).contains(&digits.len()) && sum.is_multiple_of(10)
}

/// Name, trigger, pattern, guard.
type Row = (&'static str, Trigger, &'static str, Guard);

const SECRETS: &[Row] = &[
    (
        "private_key",
        Holds(&["PRIVATE KEY"]),
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
        Guard::No,
    ),
    ("anthropic_key", Begins(&["sk-ant-"]), r"\bsk-ant-[A-Za-z0-9_-]{16,}", Guard::No),
    ("langfuse_key", Holds(&["k-lf-"]), r"\b[sp]k-lf-[A-Za-z0-9-]{16,}", Guard::No),
    ("openrouter_key", Begins(&["sk-or-"]), r"\bsk-or-(?:v1-)?[A-Za-z0-9_-]{20,}", Guard::No),
    (
        "openai_key",
        Begins(&["sk-"]),
        r"\bsk-(?:(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,}|[A-Za-z0-9]{20,})",
        Guard::No,
    ),
    ("google_api_key", Begins(&["AIza"]), r"\bAIza[A-Za-z0-9_-]{35}", Guard::No),
    (
        "google_oauth",
        Begins(&["ya29.", "GOCSPX-"]),
        r"\b(?:ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,})",
        Guard::No,
    ),
    (
        "aws_secret_key",
        Begins(&["AKIA", "ASIA"]),
        r"\bA[KS]IA[A-Z0-9]{16}[^A-Za-z0-9/+]{1,20}(?:[A-Za-z_]{1,30}[^A-Za-z0-9/+]{1,6})?([A-Za-z0-9/+]{40})\b",
        Guard::No,
    ),
    (
        "aws_secret_key",
        Holds(&["secret"]),
        r#"(?i)secret_?(?:access)?_?key[^A-Za-z0-9/+\n]{1,8}([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|\z)"#,
        Guard::No,
    ),
    ("aws_access_key", Begins(&["AKIA", "ASIA", "ABIA", "ACCA"]), r"\bA(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}\b", Guard::No),
    ("github_token", Begins(&["github_pat_"]), r"\bgithub_pat_[A-Za-z0-9_]{22,}", Guard::No),
    ("github_token", Begins(&["ghp_", "gho_", "ghu_", "ghs_", "ghr_"]), r"\bgh[pousr]_[A-Za-z0-9]{20,}", Guard::No),
    (
        "gitlab_token",
        Begins(&["glpat-", "glptt-", "gldt-", "glrt-", "glcbt-", "glsoat-", "glft-", "glimt-", "glagent-"]),
        r"\bgl(?:pat|ptt|dt|rt|cbt|soat|ft|imt|agent)-[A-Za-z0-9_.-]{16,}",
        Guard::No,
    ),
    ("slack_token", Begins(&["xox", "xapp-"]), r"\b(?:xox[abceoprs]|xapp)-[A-Za-z0-9-]{10,}", Guard::No),
    (
        "slack_webhook",
        Holds(&["hooks.slack.com"]),
        r"hooks\.slack\.com/(?:services|workflows)/([A-Za-z0-9/]{20,})",
        Guard::No,
    ),
    (
        "stripe_key",
        Holds(&["k_live_", "k_test_", "whsec_"]),
        r"\b(?:[srp]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{20,})",
        Guard::No,
    ),
    ("huggingface_token", Begins(&["hf_"]), r"\bhf_[A-Za-z0-9]{20,}", Guard::No),
    ("npm_token", Begins(&["npm_"]), r"\bnpm_[A-Za-z0-9]{30,}", Guard::No),
    ("pypi_token", Begins(&["pypi-"]), r"\bpypi-[A-Za-z0-9_-]{40,}", Guard::No),
    ("xai_key", Begins(&["xai-"]), r"\bxai-[A-Za-z0-9]{20,}", Guard::No),
    ("groq_key", Begins(&["gsk_"]), r"\bgsk_[A-Za-z0-9]{20,}", Guard::No),
    ("perplexity_key", Begins(&["pplx-"]), r"\bpplx-[A-Za-z0-9]{20,}", Guard::No),
    ("replicate_token", Begins(&["r8_"]), r"\br8_[A-Za-z0-9]{20,}", Guard::No),
    ("sendgrid_key", Begins(&["SG."]), r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}", Guard::No),
    ("digitalocean_token", Holds(&["_v1_"]), r"\bdo[opr]_v1_[a-f0-9]{40,}", Guard::No),
    ("databricks_token", Begins(&["dapi"]), r"\bdapi[a-f0-9]{32}\b", Guard::No),
    (
        "service_token",
        Begins(&["nvapi-", "tvly-", "lin_api_", "ATATT3", "dckr_pat_", "hvs.", "shpat_", "figd_", "ntn_"]),
        r"\b(?:nvapi-|tvly-|lin_api_|ATATT3|dckr_pat_|hvs\.|shpat_|figd_|ntn_)[A-Za-z0-9_=-]{20,}",
        Guard::No,
    ),
    ("jwt", Begins(&["eyJ"]), r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?", Guard::No),
    (
        "authorization",
        Holds(&["authorization"]),
        r#"(?i)\bauthorization\\?["']?\s*[:=]\s*\\?["']?(?:(?:bearer|basic|token|digest|apikey)\s+)?([^\s"',;\\]{8,})"#,
        Guard::Secret(8),
    ),
    ("bearer_token", Begins(&["bearer"]), r"(?i)\bbearer\s+([A-Za-z0-9._~+/=-]{16,})", Guard::Secret(16)),
    ("basic_credentials", Begins(&["basic"]), r"(?i)\bbasic\s+([A-Za-z0-9+/]{16,}={0,2})", Guard::Secret(16)),
    (
        "url_credentials",
        Holds(&["://"]),
        r#"[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@"'<>\[]*:([^\s"'<>]+)@"#,
        Guard::UrlPassword,
    ),
    ("url_credentials", Holds(&["://"]), r#"[A-Za-z][A-Za-z0-9+.-]*://([^\s/:@"'<>]{16,})@"#, Guard::UrlUser),
    (
        "assigned_secret",
        Announced(&[
            "password",
            "passwd",
            "passphrase",
            "pwd",
            "secret",
            "_key",
            "-key",
            "ikey",
            "tkey",
            "ekey",
            "skey",
            "token",
            "credential",
            "credentials",
        ]),
        concat!(
            r#"(?i)(?:password|passwd|passphrase|\bpwd|client_?secret|\bsecret|secret_?key|private_?key|account_?key|"#,
            r#"api[_-]?key|api[_-]?token|access[_-]?key|access[_-]?token|auth[_-]?token|refresh[_-]?token|"#,
            r#"(?:_|\b)token|_secret|credentials?)\\?["']?[ \t]{0,3}(?::|=|:=|=>)[ \t]{0,3}\\?["'`]?([^\s"'`,;\\&]{6,})"#
        ),
        Guard::Secret(6),
    ),
    (
        "command_secret",
        Holds(&["--pass", "--token", "-token ", "api-key ", "--access-key", "--secret-", "client-secret "]),
        concat!(
            r#"(?i)--(?:password|passwd|passphrase|(?:[a-z]+-)*token|(?:[a-z]+-)*api-?key|(?:[a-z]+-)*access-key|"#,
            r#"(?:[a-z]+-)*secret-(?:access-)?key|client-secret)[ \t]+["']?([^\s"'`;|&<>/.~@-][^\s"'`;|&<>]{5,})"#
        ),
        Guard::Secret(6),
    ),
    (
        "command_password",
        Holds(&["curl ", "mysql", "mariadb", "sshpass"]),
        concat!(
            r#"\b(?:curl\b[^\n|;]{0,300}?\s(?:-u|--user|--proxy-user)[ =]?["']?[^\s:"']{1,64}:|"#,
            r#"(?:mysql(?:dump|admin)?|mariadb)\b[^\n|;]{0,200}?\s-p|sshpass\s+-p\s*["']?)"#,
            r#"([^\s"'`;|&<>${\[*-][^\s"'`;|&<>]{2,})"#
        ),
        Guard::No,
    ),
];

const PERSONAL: &[Row] = &[
    ("email", Trigger::Always, r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}\b", Guard::No),
    ("card_number", Trigger::Always, r"\b\d(?:[ -]?\d){12,18}\b", Guard::Card),
    ("phone", Trigger::Always, r"(?:\+\d{1,3}[ .-]?|\b0)\(?\d{2,4}\)?(?:[ .-]?\d{2,4}){2,4}\b", Guard::No),
    (
        "ip_address",
        Trigger::Always,
        r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b",
        Guard::No,
    ),
];

/// Compiles the built-in rules.
pub(super) fn built_in() -> Result<Vec<Rule>, Problem> {
    let rows = SECRETS.iter().map(|row| (row, false)).chain(PERSONAL.iter().map(|row| (row, true)));
    rows.map(|((name, trigger, pattern, guard), personal)| {
        let pattern = compile(pattern).map_err(|error| {
            Problem::new(partitura_event::ErrorClass::Internal, format!("redaction rule `{name}`: {error}"))
        })?;
        Ok(Rule { name: (*name).to_owned(), trigger: *trigger, personal, pattern, guard: *guard })
    })
    .collect()
}
