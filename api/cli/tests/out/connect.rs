//! Requests as BI tools send them, by the shapes that their makers document; the tools themselves do not run here.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::server::Server;
use crate::world::{calls, write};

/// Grafana's Infinity data source: a POST with a JSON body and a bearer token, rows as an array of objects.
#[tokio::test]
async fn grafana_infinity_asks_sql_as_json() {
    let server = Server::start();
    write(&server, &calls(0, 30)).await;
    let sql = "SELECT date_trunc('day', time) AS time, agent_id, count(*) AS calls FROM interactions \
        WHERE time >= $from AND time < $to GROUP BY 1, 2 ORDER BY 1, 2";
    // `${__from:date:iso}` and `${__to:date:iso}` become such texts.
    let params = json!({"from": "2026-01-05T00:00:00.000Z", "to": "2026-01-07T00:00:00.000Z"});
    let request = server
        .request(Method::POST, "/v1/sql")
        .header("accept", "application/json")
        .header("user-agent", "Grafana/12.0.0");
    let answer = Answer::of(request.json(&json!({"sql": sql, "params": params}))).await.expect(200);
    let rows = answer.json.as_array().expect("rows");
    assert_eq!(rows.len(), 4, "{}", answer.text);
    assert_eq!(rows[0], json!({"time": "2026-01-05T00:00:00Z", "agent_id": "claude", "calls": 5}));
    // The CSV parser of the same data source asks by URL.
    let csv =
        server.request(Method::GET, "/v1/sql.csv").query(&[("query", "SELECT agent_id FROM interactions LIMIT 1")]);
    assert_eq!(Answer::of(csv).await.expect(200).text, "agent_id\nclaude\n");
}

/// Power Query: `Csv.Document(Web.Contents(url, [Headers = …]))` sends a plain GET, perhaps after a HEAD.
#[tokio::test]
async fn power_query_reads_csv_with_a_header() {
    let server = Server::start();
    write(&server, &calls(0, 3)).await;
    let made = server.post("/v1/keys", &json!({"scopes": ["read"]})).await.expect(201).json;
    let (id, key) = (made["id"].as_str().expect("an id"), made["key"].as_str().expect("a key"));
    let path = "/v1/tables/interactions.csv";
    let by_header = Answer::of(server.request(Method::GET, path).header("x-api-key", key)).await.expect(200);
    let mut lines = by_header.text.lines();
    assert!(lines.next().is_some_and(|head| head.starts_with("interaction_id,kind,time,")), "{}", by_header.text);
    assert!(
        lines.next().is_some_and(|row| row.contains("\"call, \"\"0\"\"\"")),
        "quotes are doubled: {}",
        by_header.text
    );
    assert_eq!(by_header.header("content-disposition"), "attachment; filename=\"interactions.csv\"");
    // Excel's dialog knows user and password only.
    let basic = server.request(Method::GET, path).basic_auth(id, Some(key));
    assert_eq!(Answer::of(basic).await.expect(200).text, by_header.text);
    let refused = Answer::of(server.request(Method::GET, path)).await.expect(401);
    assert!(refused.header("www-authenticate").contains("Basic"), "so that the dialog asks: {:?}", refused.headers);
    let json: Value =
        Answer::of(server.request(Method::GET, "/v1/tables").header("x-api-key", key)).await.expect(200).json;
    assert!(json["data"].as_array().is_some_and(|tables| tables.len() > 20), "the list for a choice of tables");
}
