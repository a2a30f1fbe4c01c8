//! The rule that goes by a field's name: `{"password": "…"}` is a secret whatever it looks like.

use super::Redactions;
use super::entropy::looks_secret;
use crate::json::Node;

/// Name of the rule.
pub(super) const RULE: &str = "secret_field";

/// Names whose value is always a secret. Compared without case, `-` and `_`.
const ALWAYS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "clientsecret",
    "secretkey",
    "secretaccesskey",
    "awssecretaccesskey",
    "privatekey",
    "apikey",
    "xapikey",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "authtoken",
    "bearertoken",
    "authorization",
    "proxyauthorization",
    "setcookie",
    "cookie",
    "sessiontoken",
    "apisecret",
    "apitoken",
];

/// Names whose value is a secret when it looks like one.
const GUARDED: &[&str] = &["token", "secret", "credential", "credentials", "auth", "pwd", "signature", "accesskey"];

/// Replaces `value` when `key` says that it is a secret; true when it did.
pub(super) fn redact(key: &str, value: &mut Node<'_>, found: &mut Redactions) -> bool {
    let secret = match value {
        Node::Text(text) if !text.is_empty() && !text.starts_with("[redacted:") => is_secret(key, text),
        _ => false,
    };
    if secret {
        *value = Node::Text(format!("[redacted:{RULE}]").into());
        *found.entry(RULE.to_owned()).or_default() += 1;
    }
    secret
}

/// Longest name that is compared.
const NAME_BYTES: usize = 40;

fn is_secret(key: &str, text: &str) -> bool {
    if key.len() > NAME_BYTES || !may_announce(key) {
        return false;
    }
    let mut name = [0; NAME_BYTES];
    let mut length = 0;
    for byte in key.bytes().filter(|byte| !matches!(byte, b'-' | b'_')) {
        name[length] = byte.to_ascii_lowercase();
        length += 1;
    }
    let name = &name[..length];
    let reference = text.starts_with(['$', '<']) || text.starts_with("{{");
    let is_one_of = |names: &[&str]| names.iter().any(|known| known.as_bytes() == name);
    is_one_of(ALWAYS) && !reference || is_one_of(GUARDED) && looks_secret(text, 8)
}

/// Says at once of most names that they are none of the lists, by how they end.
fn may_announce(key: &str) -> bool {
    const ENDINGS: [&[u8; 2]; 12] =
        [b"rd", b"wd", b"se", b"et", b"ey", b"en", b"on", b"ie", b"al", b"ls", b"th", b"re"];
    match key.trim_end_matches(['-', '_']).as_bytes() {
        [.., a, b] => ENDINGS.contains(&&[a.to_ascii_lowercase(), b.to_ascii_lowercase()]),
        _ => false,
    }
}
