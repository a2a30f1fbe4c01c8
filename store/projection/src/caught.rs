//! Panics of folds, caught and turned into problems: one bad event must not stop the others.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use partitura_event::{ErrorClass, Problem};

/// Runs `fold`; a panic becomes a problem with the code `panic`. What `fold` changed must be thrown away then.
pub fn caught<T>(fold: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
    match catch_unwind(AssertUnwindSafe(fold)) {
        Ok(result) => result,
        Err(payload) => Err(Problem::new(ErrorClass::Internal, message(payload.as_ref())).code("panic")),
    }
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied().map(str::to_owned);
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "the fold panicked".to_owned())
}
