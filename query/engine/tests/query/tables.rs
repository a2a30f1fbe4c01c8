//! What tables say about themselves is what they are.

use std::fmt::Write as _;

use partitura_query::{Format, TableDescription};

use super::world::{World, run};

#[test]
fn every_column_is_described() {
    run(async {
        let world = World::open().await;
        let tables = world.engine.describe_tables().await.expect("described");
        assert!(tables.len() > 40, "{}", tables.len());
        for table in tables.iter() {
            assert!(table.grain.starts_with("One row"), "{}: {}", table.name, table.grain);
            for column in &table.columns {
                assert!(!column.doc.is_empty(), "{}.{} has no description", table.name, column.name);
            }
            for key in &table.key {
                assert!(table.columns.iter().any(|column| &column.name == key), "{}: key {key}", table.name);
            }
        }
    });
}

#[test]
fn keys_are_keys() {
    run(async {
        let world = World::open().await;
        for table in world.engine.describe_tables().await.expect("described").iter() {
            if table.key.is_empty() || table.kind == "system" {
                continue;
            }
            let (name, key) = (&table.name, table.key.join(", "));
            let sql = format!("SELECT {key}, count(*) AS n FROM {name} GROUP BY {key} HAVING count(*) > 1");
            let (_, stats) = world.ask_as(&sql, Format::Csv, |_| {}).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
            assert_eq!(stats.rows, 0, "{name} has rows that agree in {key}");
        }
    });
}

#[test]
fn unknown_tables_are_answered_with_the_nearest() {
    run(async {
        let world = World::open().await;
        assert_eq!(world.engine.describe_table("TASKS").await.expect("known").kind, "view");
        let problem = world.engine.describe_table("task").await.expect_err("unknown");
        assert!(problem.suggestions.contains(&"tasks".to_owned()), "{problem:?}");
    });
}

#[test]
fn joins_that_nobody_reads_are_not_planned() {
    run(async {
        let world = World::open().await;
        for (sql, joined) in [
            ("SELECT status, count(*) FROM tasks GROUP BY status", false),
            ("SELECT task_id, title FROM tasks WHERE project_id = 'atlas'", false),
            ("SELECT count(*) FROM task_facts", false),
            ("SELECT agent_version, count(*) FROM attempts GROUP BY agent_version", false),
            ("SELECT verdict, count(*) FROM tasks GROUP BY verdict", true),
            ("SELECT count(*) FROM tasks WHERE verdict = 'accepted'", true),
        ] {
            let (plan, _) = world.ask_as(&format!("EXPLAIN {sql}"), Format::Csv, |_| {}).await.expect(sql);
            assert_eq!(plan.contains("Join"), joined, "{sql}\n{plan}");
        }
    });
}

/// Writes what the views say about themselves.
fn page(tables: &[TableDescription]) -> String {
    let mut page = String::from(
        "# Views\n\nViews are SQL over the [tables](tables.md): they follow today's prices and verdict policies, at every position. \
         Generated\nfrom `query/engine/src/view`; `PARTITURA_BLESS=1 cargo test --workspace --test query` writes it anew.\n",
    );
    for view in tables.iter().filter(|table| table.kind == "view") {
        let _ = write!(page, "\n## `{}`\n\n{}\n\nKey: `{}`.", view.name, view.grain, view.key.join("`, `"));
        if !view.joins.is_empty() {
            let _ = write!(page, " Safe joins: {}.", view.joins.join("; "));
        }
        page.push_str("\n\n| column | type | meaning |\n|---|---|---|\n");
        for column in &view.columns {
            let _ = writeln!(page, "| `{}` | {} | {} |", column.name, column.ty, column.doc.replace('|', "\\|"));
        }
    }
    page
}

#[test]
fn the_page_of_views_is_true() {
    run(async {
        let world = World::open().await;
        let fresh = page(&world.engine.describe_tables().await.expect("described"));
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/views.md");
        if std::env::var_os("PARTITURA_BLESS").is_some() {
            std::fs::write(path, &fresh).expect("written");
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(written == fresh, "docs/reference/views.md is old; PARTITURA_BLESS=1 with this test writes it anew");
    });
}

#[test]
fn words_are_grouped_by_number() {
    run(async {
        let world = World::open().await;
        for (sql, answer) in [
            (
                "SELECT status, count(*) AS n FROM tasks GROUP BY status ORDER BY 1",
                "cancelled,1\ncompleted,3\nin_progress,1\nopen,1\n",
            ),
            ("SELECT DISTINCT type FROM tasks ORDER BY type DESC", "ops\ndocs\nbugfix\n"),
            (
                "SELECT project_id, type, min(task_id) AS t FROM tasks GROUP BY project_id, type HAVING project_id <> 'x' ORDER BY t",
                "atlas,bugfix,T-1\natlas,docs,T-2\nborealis,ops,T-3\nborealis,bugfix,T-4\natlas,ops,T-6\n",
            ),
            ("SELECT count(DISTINCT model) AS n FROM interactions", "4\n"),
            (
                "SELECT model, tool_name, count(*) AS n FROM interactions WHERE kind = 'tool' GROUP BY 1, 2",
                ",pytest,1\n",
            ),
            (
                "SELECT a.status, b.status AS other, count(*) AS n FROM tasks a JOIN tasks b ON a.task_id = b.task_id GROUP BY a.status, b.status ORDER BY 3 DESC LIMIT 1",
                "completed,completed,3\n",
            ),
        ] {
            let (plan, _) = world.ask_as(&format!("EXPLAIN {sql}"), Format::Csv, |_| {}).await.expect(sql);
            assert!(plan.contains("_code("), "{sql}\n{plan}");
            let rows = world.ask(sql).await.unwrap_or_else(|problem| panic!("{sql}: {problem}"));
            assert_eq!(rows.split_once('\n').expect("a header").1, answer, "{sql}");
        }
    });
}
