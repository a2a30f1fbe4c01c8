//! The generated page `docs/reference/tables.md` says what the code says. `cargo xtask docs` writes it anew.

#[test]
fn the_page_is_current() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/tables.md");
    let fresh = partitura_table::reference::markdown();
    if std::env::var_os("PARTITURA_BLESS").is_some() {
        std::fs::write(page, &fresh).expect("the page is written");
    }
    let written = std::fs::read_to_string(page).unwrap_or_default();
    assert!(written == fresh, "docs/reference/tables.md is old; `cargo xtask docs` writes it anew");
}
