//! What is refused, and how it is told.

use partitura_event::ErrorClass;

use super::world::{World, run};

fn repeat(head: &str, part: &str, times: usize, tail: &str) -> String {
    format!("{head}{}{tail}", part.repeat(times))
}

#[test]
fn bad_sql_is_refused_with_a_reason() {
    let deep = format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000));
    let doubling = (1..40).fold("WITH a0 AS (SELECT * FROM tasks)".to_owned(), |text, n| {
        format!("{text}, a{n} AS (SELECT * FROM a{} UNION ALL SELECT * FROM a{})", n - 1, n - 1)
    }) + " SELECT count(*) FROM a39";
    let nested = format!("{}SELECT 1{}", "WITH a AS (".repeat(60), ") SELECT * FROM a".repeat(60));
    let cases: Vec<(String, ErrorClass, &str, &str)> = [
        ("", ErrorClass::Syntax, "sql_syntax", "empty"),
        ("   -- nothing", ErrorClass::Syntax, "sql_syntax", "empty"),
        ("SELEC 1", ErrorClass::Syntax, "sql_syntax", "line 1, column 1"),
        ("SELECT 1\nFROM tasks WHERE = 1", ErrorClass::Syntax, "sql_syntax", "line 2"),
        ("SELECT 'open", ErrorClass::Syntax, "sql_syntax", "line 1, column 8"),
        ("SELECT 1; SELECT 2", ErrorClass::Invalid, "sql_several_statements", "2 statements"),
        ("CREATE TABLE t (a INT)", ErrorClass::Invalid, "sql_read_only", "CREATE"),
        ("CREATE VIEW v AS SELECT 1", ErrorClass::Invalid, "sql_read_only", "CREATE"),
        (
            "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
            ErrorClass::Invalid,
            "sql_read_only",
            "CREATE",
        ),
        ("DROP TABLE tasks", ErrorClass::Invalid, "sql_read_only", "DROP"),
        ("ALTER TABLE tasks ADD COLUMN x INT", ErrorClass::Invalid, "sql_read_only", "ALTER"),
        ("INSERT INTO tasks VALUES (1)", ErrorClass::Invalid, "sql_read_only", "append an event"),
        ("UPDATE tasks SET status = 'open'", ErrorClass::Invalid, "sql_read_only", "UPDATE"),
        ("DELETE FROM tasks", ErrorClass::Invalid, "sql_read_only", "DELETE"),
        ("TRUNCATE TABLE tasks", ErrorClass::Invalid, "sql_read_only", "TRUNCATE"),
        (
            "WITH x AS (INSERT INTO tasks VALUES (1) RETURNING *) SELECT * FROM x",
            ErrorClass::Invalid,
            "sql_read_only",
            "INSERT",
        ),
        ("SELECT * INTO t FROM tasks", ErrorClass::Invalid, "sql_read_only", "INTO"),
        ("COPY tasks TO '/tmp/x.csv'", ErrorClass::Invalid, "sql_read_only", "COPY"),
        ("COPY (SELECT 1) TO 's3://bucket/x.parquet'", ErrorClass::Invalid, "sql_read_only", "COPY"),
        ("SET datafusion.execution.batch_size = 1", ErrorClass::Invalid, "sql_read_only", "SET"),
        ("RESET datafusion.execution.batch_size", ErrorClass::Invalid, "sql_read_only", "RESET"),
        ("EXPLAIN ANALYZE SELECT 1", ErrorClass::Invalid, "sql_read_only", "EXPLAIN ANALYZE"),
        ("BEGIN", ErrorClass::Invalid, "sql_read_only", "read-only"),
        ("PREPARE p AS SELECT 1", ErrorClass::Invalid, "sql_read_only", "PREPARE"),
        ("SELECT 1 FROM tasks FOR UPDATE", ErrorClass::Invalid, "sql_read_only", "FOR UPDATE"),
        ("SELECT * FROM '/etc/passwd'", ErrorClass::NotFound, "sql_unknown_table", "files"),
        ("SELECT * FROM 'https://example.com/x.parquet'", ErrorClass::NotFound, "sql_unknown_table", "files"),
        ("SELECT * FROM base.tasks", ErrorClass::NotFound, "sql_unknown_table", "base.tasks"),
        ("SELECT random()", ErrorClass::Invalid, "sql_random", "random"),
        ("SELECT rand()", ErrorClass::Invalid, "sql_random", "random"),
        ("SELECT uuid()", ErrorClass::Invalid, "sql_random", "uuid"),
        ("SELECT $agent", ErrorClass::Invalid, "sql_parameter_missing", "$agent"),
        ("SELECT * FROM as_of(tasks, 0)", ErrorClass::Invalid, "sql_invalid", "whole number"),
        ("SELECT * FROM as_of(tasks, 1000000)", ErrorClass::Invalid, "as_of_ahead", "1000000"),
        ("SELECT repeat('x', 1000000000)", ErrorClass::ResourcesExhausted, "sql_memory", "repeat"),
        ("SELECT lpad('x', 1000000000)", ErrorClass::ResourcesExhausted, "sql_memory", "lpad"),
        ("SELECT generate_series(1, 1000000000)", ErrorClass::ResourcesExhausted, "sql_memory", "generate_series"),
        (
            "SELECT range(0, position::bigint * 100000000) FROM events",
            ErrorClass::ResourcesExhausted,
            "sql_memory",
            "range",
        ),
        (
            "SELECT range(DATE '1900-01-01', DATE '2100-01-01', INTERVAL '1 second')",
            ErrorClass::ResourcesExhausted,
            "sql_memory",
            "range",
        ),
        ("SELECT array_repeat([1, 2], 100000000)", ErrorClass::ResourcesExhausted, "sql_memory", "array_repeat"),
        ("SELECT array_resize([1], 1000000000)", ErrorClass::ResourcesExhausted, "sql_memory", "array_resize"),
        (
            "SELECT replace(repeat('a', 100000), 'a', repeat('b', 10000))",
            ErrorClass::ResourcesExhausted,
            "sql_memory",
            "replace",
        ),
        (
            "SELECT regexp_replace(repeat('a', position::bigint * 2000), 'a', repeat('b', 2000), 'g') FROM events",
            ErrorClass::ResourcesExhausted,
            "sql_memory",
            "regexp_replace",
        ),
        (
            "SELECT array_agg(position) OVER (ORDER BY position) FROM events",
            ErrorClass::Invalid,
            "sql_not_supported",
            "whole window",
        ),
        (
            "SELECT n FROM (SELECT string_agg(type, ',') OVER (PARTITION BY type) AS n FROM events)",
            ErrorClass::Invalid,
            "sql_not_supported",
            "whole window",
        ),
    ]
    .into_iter()
    .map(|(sql, class, code, part)| (sql.to_owned(), class, code, part))
    .chain([
        (repeat("SELECT 1", "+1", 20_000, ""), ErrorClass::TooLarge, "sql_too_complex", "operators"),
        (repeat("SELECT 1 WHERE 1=1", " OR 1=2", 7_000, ""), ErrorClass::TooLarge, "sql_too_complex", "operators"),
        (repeat("SELECT 1", " UNION ALL SELECT 1", 3_000, ""), ErrorClass::TooLarge, "sql_too_complex", "SELECT"),
        (repeat("SELECT 1 FROM tasks a", ", tasks b", 400, ""), ErrorClass::TooLarge, "sql_too_complex", "scans"),
        (repeat("SELECT '", "x", 70_000, "'"), ErrorClass::TooLarge, "sql_too_complex", "bytes"),
        (deep, ErrorClass::TooLarge, "sql_too_complex", "levels deep"),
        (doubling, ErrorClass::TooLarge, "sql_too_complex", "scans"),
        (nested, ErrorClass::TooLarge, "sql_too_complex", "levels deep"),
    ])
    .collect();
    run(async {
        let world = World::open().await;
        for (sql, class, code, part) in cases {
            let shown: String = sql.chars().take(80).collect();
            let problem = world.ask(&sql).await.expect_err(&shown);
            let told = format!("{problem}");
            assert_eq!((problem.class, problem.code), (class, code), "{shown}: {told}");
            assert!(told.contains(part), "{shown}: {told}");
        }
    });
}

#[test]
fn unknown_names_are_answered_with_the_nearest() {
    run(async {
        let world = World::open().await;
        for (sql, code, near) in [
            ("SELECT * FROM taks", "sql_unknown_table", "tasks"),
            ("SELECT * FROM interaction", "sql_unknown_table", "interactions"),
            ("SELECT * FROM system.querys", "sql_unknown_table", "system.queries"),
            ("SELECT statsu FROM tasks", "sql_unknown_column", "status"),
            ("SELECT t.titel FROM tasks t", "sql_unknown_column", "title"),
            ("SELECT date_trun('day', created_at) FROM tasks", "sql_unknown_function", "date_trunc"),
            ("SELECT * FROM text_serch('x')", "sql_unknown_function", "text_search"),
        ] {
            let problem = world.ask(sql).await.expect_err(sql);
            assert_eq!(problem.code, code, "{sql}: {problem}");
            assert!(problem.suggestions.iter().any(|name| name == near), "{sql}: {problem:?}");
        }
    });
}

#[test]
fn what_is_just_within_the_limits_is_planned() {
    run(async {
        let world = World::open().await;
        assert_eq!(world.ask(&repeat("SELECT 1", "+1", 990, " AS n")).await.expect("planned"), "n\n991\n");
        let chain = repeat("SELECT count(*) AS n FROM tasks WHERE status = 'x'", " OR status = 'y'", 490, "");
        assert_eq!(world.ask(&chain).await.expect("planned"), "n\n0\n");
        let list = (0..5_000).map(|n| format!("'T-{n}'")).collect::<Vec<_>>().join(",");
        assert_eq!(
            world.ask(&format!("SELECT count(*) AS n FROM tasks WHERE task_id IN ({list})")).await.expect("planned"),
            "n\n6\n"
        );
        let nested = format!("{}SELECT 1 AS n{}", "WITH a AS (".repeat(10), ") SELECT * FROM a".repeat(10));
        assert_eq!(world.ask(&nested).await.expect("planned"), "n\n1\n");
        let nested = format!("SELECT {}1{} AS n", "abs(".repeat(20), ")".repeat(20));
        assert_eq!(world.ask(&nested).await.expect("planned"), "n\n1\n");
    });
}
