//! Each convention, from what its tool sends to the rows that are made of it.

use serde_json::json;

use crate::fixture;
use crate::server::Server;

#[tokio::test]
async fn each_convention_is_read() {
    for fixture in fixture::all() {
        let server = Server::start();
        let position = fixture.send(&server).await;
        fixture.check(&server, position).await;
        let sql = "SELECT attributes ->> 'convention' AS convention FROM interactions WHERE kind = 'llm' LIMIT 1";
        let found = server.rows(sql, position).await;
        assert_eq!(found, json!([{"convention": fixture.json["convention"]}]), "{}", fixture.name);
    }
}

#[tokio::test]
async fn costs_are_those_of_the_source_else_those_of_prices() {
    let server = Server::start();
    let mut position = 0;
    for fixture in fixture::all() {
        position = fixture.send(&server).await;
    }
    let sql = "SELECT attributes ->> 'convention' AS convention, \
               sum(CASE WHEN c.reported_cost IS NOT NULL THEN 1 ELSE 0 END) > 0 AS reported, \
               sum(CASE WHEN c.derived_cost IS NOT NULL THEN 1 ELSE 0 END) > 0 AS derived, \
               sum(CASE WHEN c.cost IS DISTINCT FROM coalesce(c.reported_cost, c.derived_cost) THEN 1 ELSE 0 END) AS other \
               FROM costs AS c JOIN interactions AS i USING (interaction_id) GROUP BY 1 ORDER BY 1";
    let rows = server.rows(sql, position).await;
    let of =
        |name: &str| rows.as_array().expect("rows").iter().find(|row| row["convention"] == name).expect(name).clone();
    for row in rows.as_array().expect("rows") {
        assert_eq!(row["other"], 0, "what is reported comes first: {row}");
    }
    for name in ["claude_code", "langfuse", "litellm", "mlflow", "openinference", "pydantic_ai"] {
        assert_eq!(of(name)["reported"], true, "{name}");
    }
    for name in [
        "claude_code",
        "copilot",
        "crewai",
        "gemini_cli",
        "gen_ai",
        "google_adk",
        "langsmith",
        "traceloop",
        "vercel_ai",
    ] {
        assert_eq!(of(name)["derived"], true, "{name}: its models have prices");
    }
}
