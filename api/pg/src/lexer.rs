//! Words of Postgres' SQL, only so far as statements are told apart: strings, quoted names, comments, parameters.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A bare word.
    Word,
    /// A name in double quotes.
    Name,
    /// A text in single quotes or between dollars.
    Text,
    /// Digits.
    Number,
    /// `$1`.
    Parameter,
    /// One character of anything else.
    Sign(u8),
}

/// A token and where it stands, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
}

impl Token {
    /// Returns its text as it was written.
    pub fn of<'s>(&self, sql: &'s str) -> &'s str {
        &sql[self.start..self.end]
    }

    /// Returns what it means: a text or name without its quotes, a word in small letters.
    pub fn value(&self, sql: &str) -> String {
        let raw = self.of(sql);
        match self.kind {
            Kind::Word => raw.to_lowercase(),
            Kind::Name => raw.trim_matches('"').replace("\"\"", "\""),
            Kind::Text if raw.starts_with('$') => {
                let tag = raw[1..].find('$').map_or(0, |end| end + 2);
                raw.get(tag..raw.len().saturating_sub(tag)).unwrap_or_default().to_owned()
            }
            Kind::Text => raw.trim_start_matches(['e', 'E']).trim_matches('\'').replace("''", "'"),
            _ => raw.to_owned(),
        }
    }

    /// Returns whether it is the keyword `word`, given in small letters.
    pub fn is(&self, sql: &str, word: &str) -> bool {
        self.kind == Kind::Word && self.of(sql).eq_ignore_ascii_case(word)
    }
}

/// Splits a text into statements, each as its tokens; empty ones are left out.
pub fn statements(sql: &str) -> Vec<Vec<Token>> {
    let mut all = vec![Vec::new()];
    for token in tokens(sql) {
        match token.kind {
            Kind::Sign(b';') => all.push(Vec::new()),
            _ => all.last_mut().into_iter().for_each(|last| last.push(token)),
        }
    }
    all.retain(|statement| !statement.is_empty());
    all
}

fn tokens(sql: &str) -> Vec<Token> {
    let bytes = sql.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let (kind, end) = match byte {
            b'-' if bytes.get(at + 1) == Some(&b'-') => {
                at = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |line| at + line);
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = comment(bytes, at);
                continue;
            }
            b'\'' => (Kind::Text, quoted(bytes, at, b'\'', false)),
            b'e' | b'E' if bytes.get(at + 1) == Some(&b'\'') => (Kind::Text, quoted(bytes, at + 1, b'\'', true)),
            b'"' => (Kind::Name, quoted(bytes, at, b'"', false)),
            b'$' => dollar(bytes, at),
            b'0'..=b'9' => (Kind::Number, run(bytes, at, |byte| byte.is_ascii_alphanumeric() || byte == b'.')),
            _ if is_word(byte) => {
                (Kind::Word, run(bytes, at, |byte| is_word(byte) || byte.is_ascii_digit() || byte == b'$'))
            }
            _ if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            _ => (Kind::Sign(byte), at + 1),
        };
        tokens.push(Token { kind, start: at, end });
        at = end;
    }
    tokens
}

/// Bytes of other alphabets are letters, so a token never ends inside of a character.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn run(bytes: &[u8], from: usize, belongs: impl Fn(u8) -> bool) -> usize {
    bytes[from..].iter().position(|byte| !belongs(*byte)).map_or(bytes.len(), |length| from + length)
}

/// Returns where a text ends whose quote stands at `from`; the end of all when it is not closed.
fn quoted(bytes: &[u8], from: usize, quote: u8, escapes: bool) -> usize {
    let mut at = from + 1;
    while let Some(&byte) = bytes.get(at) {
        at += match byte {
            b'\\' if escapes => 2,
            _ if byte == quote && bytes.get(at + 1) == Some(&quote) => 2,
            _ if byte == quote => return at + 1,
            _ => 1,
        };
    }
    bytes.len()
}

/// Comments stand inside of each other.
fn comment(bytes: &[u8], from: usize) -> usize {
    let (mut depth, mut at) = (0_usize, from);
    while at < bytes.len() {
        match &bytes[at..(at + 2).min(bytes.len())] {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

/// A parameter, or a text between `$tag$` and `$tag$`.
fn dollar(bytes: &[u8], from: usize) -> (Kind, usize) {
    let end = run(bytes, from + 1, |byte| byte.is_ascii_digit());
    if end > from + 1 {
        return (Kind::Parameter, end);
    }
    let end = run(bytes, from + 1, |byte| is_word(byte) || byte.is_ascii_digit());
    if bytes.get(end) != Some(&b'$') {
        return (Kind::Sign(b'$'), from + 1);
    }
    let tag = &bytes[from..=end];
    let close = bytes[end + 1..].windows(tag.len()).position(|part| part == tag);
    (Kind::Text, close.map_or(bytes.len(), |close| end + 1 + close + tag.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(sql: &str) -> Vec<Vec<String>> {
        statements(sql).iter().map(|tokens| tokens.iter().map(|token| token.of(sql).to_owned()).collect()).collect()
    }

    #[test]
    fn a_semicolon_inside_of_something_ends_no_statement() {
        let sql = "SELECT ';', \"a;b\" -- ; no\n, $t$;$t$ /* ; /* ; */ ; */, E'\\';' ; ;SELECT $1;";
        let expected = [vec!["SELECT", "';'", ",", "\"a;b\"", ",", "$t$;$t$", ",", "E'\\';'"], vec!["SELECT", "$1"]];
        assert_eq!(shown(sql), expected);
    }

    #[test]
    fn what_is_not_closed_ends_with_the_text() {
        for sql in ["'a", "\"a", "/* a", "$t$ a", "E'\\", "$", "-- a", "é'ü", "$é", "*/"] {
            let all = statements(sql);
            assert!(
                all.iter().flatten().all(|token| token.end <= sql.len() && sql.is_char_boundary(token.end)),
                "{sql}"
            );
        }
    }

    #[test]
    fn values_are_read_without_their_quotes() {
        let value = |sql: &str| statements(sql)[0][0].value(sql);
        assert_eq!(value("'it''s'"), "it's");
        assert_eq!(value("\"A\"\"b\""), "A\"b");
        assert_eq!(value("$x$it's$x$"), "it's");
        assert_eq!(value("TimeZone"), "timezone");
    }
}
