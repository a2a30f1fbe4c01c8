//! The tables through their public door, beside a model that is a list of rows in memory.

mod table {
    mod adopt;
    mod as_of;
    mod background;
    mod crash;
    mod isolation;
    mod late;
    mod maintenance;
    mod states;
    mod world;
}
