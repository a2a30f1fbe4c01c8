//! Values bound to prepared statements, for clients that do not take the handle which holds them.
//!
//! The newest statements are remembered, and small values only; a client that takes the new handle needs none of this.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use serde_json::Value;

/// Statements that are remembered; the oldest is forgotten first.
const STATEMENTS_MAX: usize = 4_096;
/// Largest values that are, as JSON.
const BYTES_MAX: usize = 16 << 10;

/// Statement ids and their values.
#[derive(Debug, Default)]
pub struct Remembered(Mutex<Newest>);

#[derive(Debug, Default)]
struct Newest {
    values: HashMap<String, Value>,
    order: VecDeque<String>,
}

impl Remembered {
    /// Remembers the values of a statement.
    pub fn bind(&self, id: &str, values: &Value) {
        if values.to_string().len() > BYTES_MAX {
            return self.forget(id);
        }
        let Ok(mut newest) = self.0.lock() else { return };
        if newest.values.insert(id.to_owned(), values.clone()).is_none() {
            newest.order.push_back(id.to_owned());
        }
        while newest.order.len() > STATEMENTS_MAX {
            if let Some(oldest) = newest.order.pop_front() {
                newest.values.remove(&oldest);
            }
        }
    }

    /// Returns the values of a statement.
    pub fn of(&self, id: &str) -> Option<Value> {
        self.0.lock().ok()?.values.get(id).cloned()
    }

    /// Forgets a statement that was closed.
    pub fn forget(&self, id: &str) {
        let Ok(mut newest) = self.0.lock() else { return };
        if newest.values.remove(id).is_some() {
            newest.order.retain(|known| known != id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered_until_they_are_closed() {
        let remembered = Remembered::default();
        for n in 0..=STATEMENTS_MAX {
            remembered.bind(&n.to_string(), &serde_json::json!([n]));
        }
        assert_eq!(remembered.of("0"), None);
        assert_eq!(remembered.of("1"), Some(serde_json::json!([1])));
        remembered.bind("1", &serde_json::json!([2]));
        assert_eq!(remembered.of("1"), Some(serde_json::json!([2])));
        remembered.bind("1", &Value::String("x".repeat(BYTES_MAX)));
        assert_eq!(remembered.of("1"), None, "too large to remember");
        remembered.forget("2");
        assert_eq!(remembered.of("2"), None);
        assert_eq!(remembered.0.lock().expect("no test failed").order.len(), STATEMENTS_MAX - 2);
    }
}
