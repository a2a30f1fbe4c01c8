//! The file of rows that became no event, each with its reason.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use partitura_ingest::import::Reject;
use serde_json::json;

use crate::failure::{Failure, Outcome};

/// Where refused rows go; the file is made with the first one. Shared by the reader of the rows and the
/// sender of the events, so it is written through a shared reference.
pub struct Rejects {
    path: PathBuf,
    file: RefCell<Option<BufWriter<File>>>,
    fault: RefCell<Option<Failure>>,
    /// How many there are.
    pub written: Cell<u64>,
}

impl Rejects {
    /// Writes to `path`, later.
    pub fn new(path: PathBuf) -> Self {
        Self { path, file: RefCell::new(None), fault: RefCell::new(None), written: Cell::new(0) }
    }

    /// Writes one down. What goes wrong is told by [`Rejects::finish`].
    pub fn add(&self, reject: &Reject) {
        self.written.update(|n| n + 1);
        if self.fault.borrow().is_none()
            && let Err(fault) = self.write(reject)
        {
            self.fault.replace(Some(fault));
        }
    }

    fn write(&self, reject: &Reject) -> Outcome {
        let mut file = self.file.borrow_mut();
        let file = match &mut *file {
            Some(file) => file,
            none => {
                let made = File::create(&self.path).map_err(|error| Failure::of_file(&self.path, error))?;
                none.insert(BufWriter::new(made))
            }
        };
        Ok(writeln!(file, "{}", json!(reject))?)
    }

    /// Ends the file.
    pub fn finish(&self) -> Outcome {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        match &mut *self.file.borrow_mut() {
            Some(file) => Ok(file.flush()?),
            None => Ok(()),
        }
    }
}
