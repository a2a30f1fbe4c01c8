//! A workspace sees its own rows, counts, statistics and names only.

use partitura_event::Workspace;
use partitura_query::Format;

use super::world::{World, run};

#[test]
fn no_table_or_view_shows_another_workspace() {
    run(async {
        let world = World::open().await;
        for table in world.engine.describe_tables().await.expect("described").iter() {
            let sql = format!("SELECT * FROM {}", table.name);
            let (text, _) = world.ask_as(&sql, Format::Json, |_| {}).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
            for secret in ["secret", "espionage", "zeta", "spy", "999999999", "x1\""] {
                assert!(!text.contains(secret), "{} shows {secret}: {text}", table.name);
            }
            let nobody = Workspace::new("nobody").expect("a workspace");
            let (text, stats) =
                world.ask_as(&sql, Format::Json, |request| request.workspace = nobody).await.expect("empty");
            let shared = ["prices", "system.queries"].contains(&table.name.as_str());
            assert!(shared || (text == "[]\n" && stats.rows == 0), "{}: {text}", table.name);
        }
    });
}

#[test]
fn statistics_are_of_the_workspace() {
    run(async {
        let world = World::open().await;
        let text =
            world.ask("SELECT count(*) AS n, max(time) AS latest, max(tokens_in) AS most FROM interactions").await;
        assert_eq!(text.expect("answered"), "n,latest,most\n6,2026-03-29T23:01:00Z,1000000\n");
        let other = Workspace::new("other").expect("a workspace");
        let sql = "SELECT count(*) AS n FROM tasks";
        let (text, _) = world.ask_as(sql, Format::Csv, |request| request.workspace = other).await.expect("answered");
        assert_eq!(text, "n\n1\n");
    });
}
