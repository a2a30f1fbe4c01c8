//! Rules as a part of a function: two functions are the same when they share them.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::rules::Rules;

/// Compares by identity.
#[derive(Clone, Debug)]
pub(super) struct ByRules(pub Arc<Rules>);

impl PartialEq for ByRules {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for ByRules {}

impl Hash for ByRules {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}
