//! What a statement is: a question for the service, or one of the things that clients say to keep house.

use partitura_event::{ErrorClass, Problem};

use crate::lexer::{Kind, Token};
use crate::transaction::Isolation;
use crate::words::{Words, syntax};

/// One statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// SQL for the service, and the byte of the message where it begins.
    Ask {
        sql: String,
        from: usize,
    },
    /// `SET name = value`; none is the default.
    Set {
        name: String,
        value: Option<String>,
        local: bool,
    },
    /// `SET TRANSACTION …`, `BEGIN …`: how transactions read.
    Isolate {
        isolation: Option<Isolation>,
        session: bool,
    },
    Show(String),
    ShowAll,
    Reset(Option<String>),
    DiscardAll,
    /// Its tag, and nothing else.
    Nothing(&'static str),
    Begin(Option<Isolation>),
    Commit,
    Rollback,
    Savepoint(String),
    Release(String),
    RollbackTo(String),
    Declare {
        name: String,
        hold: bool,
        sql: String,
        from: usize,
    },
    /// Rows of a cursor; none is all. `moves` sends none of them.
    Fetch {
        name: String,
        count: Option<u64>,
        moves: bool,
    },
    /// One cursor, or all.
    CloseCursor(Option<String>),
    Copy {
        sql: String,
        from: usize,
        options: Vec<(String, String)>,
    },
    /// One statement, or all.
    Deallocate(Option<String>),
}

/// Looks at a statement of `sql`.
pub fn read(sql: &str, tokens: &[Token]) -> Result<Command, Problem> {
    let mut words = Words::new(sql, tokens);
    let whole = || Command::Ask { sql: Words::new(sql, tokens).rest().to_owned(), from: tokens[0].start };
    let Some(first) = words.next() else { return Err(syntax("the statement is empty")) };
    if first.kind != Kind::Word {
        return Ok(whole());
    }
    match words.value(first).as_str() {
        "set" => set(words),
        "show" => Ok(show(words)?.unwrap_or_else(whole)),
        "reset" => reset(words),
        "discard" => Ok(if words.eat("all") { Command::DiscardAll } else { Command::Nothing("DISCARD") }),
        "begin" => begin(words),
        "start" if words.eat("transaction") => begin(words),
        "commit" | "end" => ended(words, Command::Commit),
        "rollback" | "abort" => rollback(words),
        "savepoint" => named(words, Command::Savepoint),
        "release" => {
            words.eat("savepoint");
            named(words, Command::Release)
        }
        "declare" => declare(words),
        "fetch" => fetch(words, false),
        "move" => fetch(words, true),
        "close" => Ok(Command::CloseCursor(if words.eat("all") { None } else { Some(words.name()?) })),
        "copy" => copy(words),
        "deallocate" => {
            words.eat("prepare");
            Ok(Command::Deallocate(if words.eat("all") { None } else { Some(words.name()?) }))
        }
        "unlisten" => Ok(Command::Nothing("UNLISTEN")),
        "prepare" | "execute" => {
            Err(absent("PREPARE and EXECUTE in SQL", "prepare through the protocol, as drivers do"))
        }
        "listen" | "notify" => Err(absent("LISTEN and NOTIFY", "subscribe to GET /v1/events/stream")),
        "do" | "call" => Err(absent("procedures", "write one SELECT")),
        _ => Ok(whole()),
    }
}

/// Reports what Postgres has and this server has not.
pub fn absent(what: &str, instead: &str) -> Problem {
    Problem::new(ErrorClass::Invalid, format!("there is no room here for {what}"))
        .code("sql_not_supported")
        .hint(instead)
}

fn set(mut words: Words<'_>) -> Result<Command, Problem> {
    if words.eat("transaction") {
        return Ok(Command::Isolate { isolation: isolation(words), session: false });
    }
    if words.eat_all(&["session", "characteristics", "as", "transaction"]) {
        return Ok(Command::Isolate { isolation: isolation(words), session: true });
    }
    if words.eat("constraints") {
        return Ok(Command::Nothing("SET CONSTRAINTS"));
    }
    let local = words.eat("local");
    if !local {
        words.eat("session");
    }
    let name = match () {
        () if words.eat_all(&["time", "zone"]) => return assign("timezone".into(), words, local),
        () if words.eat("names") => return assign("client_encoding".into(), words, local),
        () if words.eat("authorization") => "session_authorization".to_owned(),
        () if words.eat("role") => return assign("role".into(), words, local),
        () => words.dotted()?,
    };
    if !words.eat("to") && !words.eat_sign(b'=') {
        return Err(syntax(format!("after SET {name} comes `=` or TO, and a value")));
    }
    assign(name, words, local)
}

fn assign(name: String, mut words: Words<'_>, local: bool) -> Result<Command, Problem> {
    if words.eat("default") {
        return Ok(Command::Set { name, value: None, local });
    }
    let mut values = Vec::new();
    while let Some(token) = words.next() {
        let minus = token.kind == Kind::Sign(b'-');
        let token = if minus { words.next().unwrap_or(token) } else { token };
        let value = words.value(token);
        values.push(if minus { format!("-{value}") } else { value });
        if !words.eat_sign(b',') {
            words.end()?;
        }
    }
    if values.is_empty() {
        return Err(syntax(format!("SET {name} has no value")));
    }
    Ok(Command::Set { name, value: Some(values.join(", ")), local })
}

/// `SHOW TABLES` and its like are the engine's.
fn show(mut words: Words<'_>) -> Result<Option<Command>, Problem> {
    if words.eat("all") {
        return Ok(Some(Command::ShowAll));
    }
    if words.eat_all(&["transaction", "isolation", "level"]) {
        return Ok(Some(Command::Show("transaction_isolation".into())));
    }
    if words.eat_all(&["time", "zone"]) {
        return Ok(Some(Command::Show("timezone".into())));
    }
    if words.eat_all(&["session", "authorization"]) {
        return Ok(Some(Command::Show("session_authorization".into())));
    }
    let name = words.dotted()?;
    let engine = ["tables", "columns", "functions", "schemas", "databases", "views", "create"];
    Ok((!engine.contains(&name.as_str())).then_some(Command::Show(name)))
}

fn reset(mut words: Words<'_>) -> Result<Command, Problem> {
    if words.eat("all") {
        return Ok(Command::Reset(None));
    }
    if words.eat_all(&["time", "zone"]) {
        return Ok(Command::Reset(Some("timezone".into())));
    }
    if words.eat_all(&["session", "authorization"]) {
        return Ok(Command::Reset(Some("session_authorization".into())));
    }
    Ok(Command::Reset(Some(words.dotted()?)))
}

fn begin(mut words: Words<'_>) -> Result<Command, Problem> {
    if !words.eat("transaction") {
        words.eat("work");
    }
    Ok(Command::Begin(isolation(words)))
}

/// Whether a transaction would write or may be put off makes no difference to one that reads.
fn isolation(mut words: Words<'_>) -> Option<Isolation> {
    while !words.is_empty() {
        if words.eat_all(&["isolation", "level"]) {
            return Isolation::parse(&words.rest().to_lowercase());
        }
        words.next();
    }
    None
}

fn ended(mut words: Words<'_>, command: Command) -> Result<Command, Problem> {
    if !words.eat("work") {
        words.eat("transaction");
    }
    if words.eat_all(&["and", "no", "chain"]) || words.is_empty() {
        return Ok(command);
    }
    Err(absent("chained and two-phase transactions", "begin the next one yourself"))
}

fn rollback(mut words: Words<'_>) -> Result<Command, Problem> {
    let before = words;
    if !words.eat("work") {
        words.eat("transaction");
    }
    if words.eat("to") {
        words.eat("savepoint");
        return named(words, Command::RollbackTo);
    }
    ended(before, Command::Rollback)
}

fn named(mut words: Words<'_>, make: fn(String) -> Command) -> Result<Command, Problem> {
    let name = words.name()?;
    words.end()?;
    Ok(make(name))
}

fn declare(mut words: Words<'_>) -> Result<Command, Problem> {
    let name = words.name()?;
    let mut hold = false;
    loop {
        if words.eat("for") {
            return Ok(Command::Declare { name, hold, sql: words.rest().to_owned(), from: words.place() });
        }
        if words.eat_all(&["with", "hold"]) {
            hold = true;
        } else if words.eat("binary") {
            return Err(absent("binary cursors", "ask for binary rows through the extended protocol"));
        } else if words.eat_all(&["no", "scroll"]) || words.eat_all(&["without", "hold"]) {
            hold = false;
        } else if !["insensitive", "asensitive", "scroll", "cursor"].iter().any(|word| words.eat(word)) {
            let token = words.next().ok_or_else(|| syntax("DECLARE has no FOR and no query"))?;
            return Err(words.unexpected(token, "FOR and a query"));
        }
    }
}

fn fetch(mut words: Words<'_>, moves: bool) -> Result<Command, Problem> {
    let mut count = Some(1);
    words.eat("forward");
    if words.eat("all") {
        count = None;
    } else if !words.eat("next") {
        match words.peek() {
            Some(token) if token.kind == Kind::Number => {
                words.next();
                let wrong = |_| words.unexpected(token, "a number of rows");
                count = Some(words.value(token).parse().map_err(wrong)?);
            }
            Some(token)
                if ["backward", "prior", "first", "last", "absolute", "relative"]
                    .iter()
                    .any(|word| words.value(token) == *word) =>
            {
                return Err(Problem::new(ErrorClass::Invalid, "a cursor goes forward only").code("portal_spent"));
            }
            Some(token) if token.kind == Kind::Sign(b'-') => {
                return Err(Problem::new(ErrorClass::Invalid, "a cursor goes forward only").code("portal_spent"));
            }
            _ => {}
        }
    }
    if !words.eat("from") {
        words.eat("in");
    }
    let name = words.name()?;
    words.end()?;
    Ok(Command::Fetch { name, count, moves })
}

fn copy(mut words: Words<'_>) -> Result<Command, Problem> {
    let (sql, from) = if words.eat_sign(b'(') {
        let from = words.place();
        (words.inside()?.to_owned(), from)
    } else {
        let start = words;
        words.name()?;
        let table = copied_table(&mut words, start);
        let columns = if words.eat_sign(b'(') { words.inside()? } else { "*" };
        (format!("SELECT {columns} FROM {table}"), start.place())
    };
    if words.eat("from") {
        return Err(Problem::new(ErrorClass::Invalid, "COPY … FROM is not answered here: SQL is read-only")
            .code("sql_read_only"));
    }
    if !words.eat("to") {
        return Err(syntax("COPY takes a query in parentheses or a table, and TO STDOUT"));
    }
    if !words.eat("stdout") {
        return Err(absent("COPY to files and programs of the server", "COPY … TO STDOUT sends the rows to you"));
    }
    words.eat("with");
    Ok(Command::Copy { sql, from, options: options(words)? })
}

/// Returns a table's name with its schema, as it was written.
fn copied_table<'s>(words: &mut Words<'s>, start: Words<'s>) -> &'s str {
    while words.eat_sign(b'.') {
        words.next();
    }
    let all = start.rest();
    let length = words.place() - start.place();
    all.get(..length).unwrap_or(all).trim_end()
}

/// `(FORMAT csv, HEADER)`, or as it was written before Postgres 9: `CSV HEADER`.
fn options(mut words: Words<'_>) -> Result<Vec<(String, String)>, Problem> {
    let mut options = Vec::new();
    if !words.eat_sign(b'(') {
        while let Some(token) = words.next() {
            match words.value(token).as_str() {
                format @ ("csv" | "binary" | "text") => options.push(("format".to_owned(), format.to_owned())),
                "header" => options.push(("header".to_owned(), "true".to_owned())),
                name @ ("delimiter" | "null" | "quote") => {
                    words.eat("as");
                    let value = words.next().ok_or_else(|| syntax(format!("{name} has no value")))?;
                    options.push((name.to_owned(), words.value(value)));
                }
                _ => return Err(words.unexpected(token, "CSV, BINARY, HEADER, DELIMITER, NULL or QUOTE")),
            }
        }
        return Ok(options);
    }
    loop {
        let name = words.name()?;
        let mut value = String::new();
        while let Some(token) = words.peek().filter(|token| !matches!(token.kind, Kind::Sign(b',' | b')'))) {
            value.push_str(&words.value(token));
            words.next();
        }
        options.push((name, value));
        if !words.eat_sign(b',') {
            break;
        }
    }
    if !words.eat_sign(b')') {
        return Err(syntax("the options of COPY are not closed"));
    }
    words.end()?;
    Ok(options)
}
