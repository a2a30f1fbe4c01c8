//! Spellings of one model: `openai/gpt-4o-2024-08-06`, `gpt-4o-latest` and `GPT-4o` are found under `gpt-4o`.

/// Returns the names under which a price may stand for `model`, the most exact first.
pub(crate) fn candidates(model: &str) -> Vec<String> {
    let exact = fold(model);
    let mut names = vec![exact.clone()];
    let bare = without_route(&exact);
    push_new(&mut names, bare);
    let undated = without_date(bare);
    push_new(&mut names, undated);
    names
}

/// Returns the name without date and route: under this too a dated price is found.
pub(crate) fn family(model: &str) -> String {
    let exact = fold(model);
    without_date(without_route(&exact)).to_owned()
}

/// Folds case, and the dots and underscores that routers write differently.
pub(crate) fn fold(model: &str) -> String {
    model.trim().to_lowercase().replace(['.', '_'], "-")
}

fn push_new(names: &mut Vec<String>, name: &str) {
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

/// `openrouter/anthropic/claude-…:free` → `claude-…`; `us-anthropic-claude-…-v1:0` → `claude-…`.
fn without_route(name: &str) -> &str {
    let name = name.rsplit('/').next().unwrap_or(name);
    let name = name.split(['@', ':']).next().unwrap_or(name);
    let name = ["us-", "eu-", "apac-", "global-"].iter().find_map(|region| name.strip_prefix(region)).unwrap_or(name);
    let vendors = ["anthropic-", "meta-", "mistral-ai-", "amazon-", "models-"];
    let name = vendors.iter().find_map(|vendor| name.strip_prefix(vendor)).unwrap_or(name);
    name.strip_suffix("-v1").or_else(|| name.strip_suffix("-v2")).unwrap_or(name)
}

/// `…-2024-08-06`, `…-20241022`, `…-latest` → `…`.
fn without_date(name: &str) -> &str {
    let name = name.strip_suffix("-latest").unwrap_or(name);
    let digits_end = |text: &str, pattern: &[usize]| {
        let mut rest = text.as_bytes();
        for (index, length) in pattern.iter().enumerate().rev() {
            let (head, tail) = rest.split_at_checked(rest.len().checked_sub(*length)?)?;
            if !tail.iter().all(u8::is_ascii_digit) || (index == 0 && !tail.starts_with(b"20")) {
                return None;
            }
            rest = head.strip_suffix(b"-")?;
        }
        Some(rest.len())
    };
    let end = digits_end(name, &[4, 2, 2]).or_else(|| digits_end(name, &[8]));
    end.map_or(name, |end| &name[..end])
}

#[cfg(test)]
mod tests {
    use super::{candidates, family};

    #[test]
    fn finds_the_family() {
        for (model, wanted) in [
            ("gpt-4o-2024-08-06", "gpt-4o"),
            ("openai/gpt-4o", "gpt-4o"),
            ("claude-3.5-sonnet-20241022", "claude-3-5-sonnet"),
            ("claude-3-5-sonnet-latest", "claude-3-5-sonnet"),
            ("us.anthropic.claude-sonnet-4-20250514-v1:0", "claude-sonnet-4"),
            ("claude-opus-4@20250514", "claude-opus-4"),
            ("gpt-4-0613", "gpt-4-0613"),
            ("o3", "o3"),
            ("", ""),
        ] {
            assert_eq!(family(model), wanted, "{model}");
        }
        assert_eq!(candidates("OpenAI/gpt-4o-2024-05-13"), ["openai/gpt-4o-2024-05-13", "gpt-4o-2024-05-13", "gpt-4o"]);
    }
}
