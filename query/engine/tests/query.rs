//! The engine through its public door, over a small history that is folded as a server folds it.

mod query {
    mod answers;
    mod determinism;
    mod formats;
    mod isolation;
    mod limits;
    mod refusals;
    mod tables;
    mod world;
}
