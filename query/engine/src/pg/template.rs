//! Templates of times as Postgres writes them, `YYYY-MM-DD HH24:MI:SS`, made into those of chrono, which are read here.

use partitura_event::{ErrorClass, Problem};
use sqlparser::ast::{Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value, ValueWithSpan};

/// Functions whose second argument is a template.
const FUNCTIONS: &[&str] = &["to_char", "to_date", "to_timestamp"];

/// Patterns in any case; one that begins like another comes after the longer one.
const PATTERNS: &[(&str, &str)] = &[
    ("HH24", "%H"),
    ("HH12", "%I"),
    ("HH", "%I"),
    ("MI", "%M"),
    ("SS", "%S"),
    ("MS", "%3f"),
    ("US", "%6f"),
    ("YYYY", "%Y"),
    ("YY", "%y"),
    ("IYYY", "%G"),
    ("IW", "%V"),
    ("ID", "%u"),
    ("MM", "%m"),
    ("DDD", "%j"),
    ("DD", "%d"),
    ("Q", "%q"),
];

/// A point and what follows it, where a text is read.
const FRACTIONS: &[(&str, &str)] = &[(".MS", "%.f"), (".US", "%.f")];

/// Patterns that say by their case how a word is written.
const WORDS: &[(&str, &str)] = &[
    ("FMMonth", "%B"),
    ("Mon", "%b"),
    ("FMDay", "%A"),
    ("Dy", "%a"),
    ("AM", "%p"),
    ("PM", "%p"),
    ("am", "%P"),
    ("pm", "%P"),
];

/// Rewrites the template of a call. One with a `%` is chrono's already.
pub(super) fn translate(function: &mut Function) -> Result<(), Problem> {
    let name = function.name.0.last().and_then(|part| part.as_ident()).map(|name| name.value.to_lowercase());
    let Some(name) = name.filter(|name| FUNCTIONS.contains(&name.as_str())) else { return Ok(()) };
    if let FunctionArguments::List(list) = &mut function.args
        && let [_, FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(ValueWithSpan { value, .. })))] =
            list.args.as_mut_slice()
        && let Value::SingleQuotedString(template) = value
        && !template.contains('%')
    {
        *template = of_chrono(template, name != "to_char")?;
    }
    Ok(())
}

/// `reads` tells whether a text is read by it: then a second may have fewer places, or none.
fn of_chrono(template: &str, reads: bool) -> Result<String, Problem> {
    let mut written = String::new();
    let mut rest = template;
    let fractions = if reads { FRACTIONS } else { &[] };
    while let Some(first) = rest.chars().next() {
        let word = WORDS.iter().find(|(word, _)| rest.starts_with(*word));
        let pattern = || {
            let begins =
                |pattern: &str| rest.get(..pattern.len()).is_some_and(|text| text.eq_ignore_ascii_case(pattern));
            fractions.iter().chain(PATTERNS).find(|(pattern, _)| begins(pattern))
        };
        if let Some((found, chrono)) = word.or_else(pattern) {
            written.push_str(chrono);
            rest = &rest[found.len()..];
        } else if let Some((text, after)) = rest.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
            written.push_str(text);
            rest = after;
        } else if first.is_ascii_alphabetic() {
            return Err(Problem::new(
                ErrorClass::Invalid,
                format!("the template of a time is not known from `{rest:.20}` on"),
            )
            .code("sql_not_supported")
            .hint("YYYY, MM, DD, HH24, MI, SS, MS and US are; so are templates of strftime, as `%Y-%m-%d`"));
        } else {
            written.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_of_clients_are_known() {
        for (template, chrono) in [
            ("YYYY-MM-DD HH24:MI:SS.US", "%Y-%m-%d %H:%M:%S.%6f"),
            ("yyyy-mm-dd", "%Y-%m-%d"),
            ("YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"", "%Y-%m-%dT%H:%M:%S.%3fZ"),
            ("IYYY-IW", "%G-%V"),
            ("YYYY-Q", "%Y-%q"),
            ("DD Mon YYYY, HH12:MI AM", "%d %b %Y, %I:%M %p"),
            ("Dy, FMDay FMMonth", "%a, %A %B"),
            ("DDD/YY", "%j/%y"),
        ] {
            assert_eq!(of_chrono(template, false).expect(template), chrono, "{template}");
        }
        assert_eq!(of_chrono("HH24:MI:SS.US", true).expect("it is known"), "%H:%M:%S%.f");
    }

    #[test]
    fn what_is_not_known_is_said() {
        for template in ["FM999", "Month", "YYYY-MM-DD TZ", "\"open"] {
            let problem = of_chrono(template, false).expect_err(template);
            assert_eq!(problem.code, "sql_not_supported", "{template}");
        }
    }
}
