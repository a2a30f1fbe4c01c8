//! Tests of the ingest crate through its public door.

mod arbitrary;
mod arrow_stream;
mod bad_input;
mod cloudevents;
mod door;
mod envelope;
mod import;
mod import_files;
mod redaction;
