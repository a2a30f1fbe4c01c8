//! One JSON document: read whole, split into its rows one by one.

use std::io::Read;

use partitura_event::{ErrorClass, Problem};

use super::lines::ROW;
use super::{BadRow, Counted, Row};
use crate::import::each::Each;
use crate::json::{self, Cursor, Node, text_of};

/// Largest document, in bytes; larger ones belong into lines.
const MAX_DOCUMENT: u64 = 1 << 30;

type Item = Result<(u64, Node<'static>), BadRow>;

pub(super) fn rows(
    file: Counted,
    path: Option<&Each>,
    name: &str,
) -> Result<Box<dyn Iterator<Item = Item> + Send>, Problem> {
    let mut body = Vec::new();
    file.take(MAX_DOCUMENT + 1)
        .read_to_end(&mut body)
        .map_err(|error| Problem::new(ErrorClass::Unavailable, format!("{name} cannot be read: {error}")))?;
    if body.len() as u64 > MAX_DOCUMENT {
        let detail = format!("{name} is larger than {MAX_DOCUMENT} bytes");
        return Err(
            Problem::new(ErrorClass::TooLarge, detail).hint("write one value per line (.jsonl): that is streamed")
        );
    }
    let text = text_of(&body)?;
    let mut cursor = Cursor::new(text);
    let sound = cursor.skip_value().and_then(|_| cursor.end());
    sound.map_err(|fault| fault.problem(text, 0, ""))?;
    let text = text.to_owned();
    drop(body);
    match (path, text.trim_ascii_start().starts_with('[')) {
        (Some(path), _) => below(&text, path, name),
        (None, true) => Ok(Box::new(items(text))),
        (None, false) => Ok(Box::new(std::iter::once(read(&text, 1)))),
    }
}

fn read(text: &str, number: u64) -> Item {
    let built = json::build(text, &ROW).map(Node::into_owned);
    built.map(|node| (number, node)).map_err(|fault| BadRow {
        number,
        problem: fault.problem(text, 0, ""),
        raw: text.to_owned(),
    })
}

/// The items of an array whose grammar was checked.
fn items(text: String) -> impl Iterator<Item = Item> + Send {
    let mut at = text.find('[').map_or(text.len(), |start| start + 1);
    let mut number = 0;
    std::iter::from_fn(move || {
        let mut cursor = Cursor::new(&text[at..]);
        cursor.eat(b',');
        if cursor.peek().is_none_or(|byte| byte == b']') {
            return None;
        }
        let part = cursor.skip_value().ok()?;
        number += 1;
        let item = read(part, number);
        at += cursor.at();
        Some(item)
    })
}

/// The items that a path of the mapping leads to.
fn below(text: &str, path: &Each, name: &str) -> Result<Box<dyn Iterator<Item = Item> + Send>, Problem> {
    let value = read(text, 1).map_err(|bad| bad.problem)?.1;
    let whole = Row { file: name.to_owned(), number: 1, value };
    let found: Vec<Node<'static>> = path.scopes(&whole)?.into_iter().map(|scope| scope.item.clone()).collect();
    Ok(Box::new(found.into_iter().zip(1..).map(|(node, number)| Ok((number, node)))))
}
