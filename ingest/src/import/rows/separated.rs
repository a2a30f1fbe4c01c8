//! CSV with a header: each record is an object of texts; an empty field is absent.

use csv::{ReaderBuilder, StringRecord};
use partitura_event::{ErrorClass, Problem};

use super::{BadRow, Counted};
use crate::json::Node;

pub(super) fn rows(
    file: Counted,
    delimiter: u8,
) -> Result<impl Iterator<Item = Result<(u64, Node<'static>), BadRow>> + Send, Problem> {
    let mut reader = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(file);
    let header = reader.headers().map_err(|error| malformed(&error))?.clone();
    let names: Vec<String> = header.iter().map(|name| name.trim_start_matches('\u{feff}').trim().to_owned()).collect();
    if let Some(twice) = names.iter().enumerate().find(|(n, name)| names[..*n].contains(name)) {
        let detail = format!("the header has the column {:?} twice", twice.1);
        return Err(Problem::new(ErrorClass::Malformed, detail));
    }
    let mut records = reader.into_records();
    Ok(std::iter::from_fn(move || {
        let number = records.reader().position().line();
        let bad = |problem, raw| Some(Err(BadRow { number, problem, raw }));
        match records.next()? {
            Ok(record) if record.len() > names.len() => {
                let detail = format!("the record has {} fields, the header {}", record.len(), names.len());
                bad(Problem::new(ErrorClass::Malformed, detail), record.iter().collect::<Vec<_>>().join(","))
            }
            Ok(record) => {
                let number = record.position().map_or(number, csv::Position::line);
                Some(Ok((number, object(&names, &record))))
            }
            Err(error) => bad(malformed(&error), String::new()),
        }
    }))
}

fn object(names: &[String], record: &StringRecord) -> Node<'static> {
    let value = |text: &str| if text.is_empty() { Node::Null } else { Node::Text(text.to_owned().into()) };
    Node::Object(names.iter().zip(record.iter()).map(|(name, text)| (name.clone().into(), value(text))).collect())
}

fn malformed(error: &csv::Error) -> Problem {
    Problem::new(ErrorClass::Malformed, format!("this is not CSV: {error}"))
}
