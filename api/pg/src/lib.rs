//! The Postgres wire skin.
