//! What there is: every metadata command, its exact columns, and what drivers make of it.

use serde_json::{Value, json};

use crate::python::{refused, server, story};

fn schema(columns: &[(&str, &str, bool)]) -> Value {
    json!(columns.iter().map(|(name, ty, nullable)| json!([name, ty, nullable])).collect::<Vec<_>>())
}

#[tokio::test]
async fn a_driver_lists_what_there_is() {
    let server = server(&[]);
    let found = story("adbc_client.py", "metadata", &server, json!({}));
    assert_eq!(found["info"]["vendor_name"], "Partitura", "{}", found["info"]);
    assert_eq!(found["info"]["vendor_version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(found["catalogs"], json!(["partitura"]));
    assert_eq!(found["schemas"], json!(["public", "system"]));
    assert_eq!(found["types"], json!(["SYSTEM TABLE", "TABLE", "VIEW"]));
    assert_eq!(found["differ"], json!([]), "the told columns are those of SELECT *");
    assert_eq!(found["some"], json!(["task_facts", "tasks"]));
    let described = server.get("/v1/tables").await.expect(200).json;
    for table in described["data"].as_array().expect("tables") {
        let name = table["name"].as_str().expect("a name");
        let place = if name.contains('.') { name.to_owned() } else { format!("public.{name}") };
        let told = &found["tables"][&place];
        let more = server.get(&format!("/v1/tables/{name}")).await.expect(200).json;
        let columns: Vec<_> = more["columns"].as_array().expect("columns").iter().map(|c| c["name"].clone()).collect();
        assert_eq!(told["columns"], json!(columns), "{name}");
        assert_eq!(told["schema"], json!(columns), "{name}");
    }
    refused(&found["unknown"], "ProgrammingError", &[]);
}

#[tokio::test]
async fn every_command_has_the_columns_of_the_specification() {
    let server = server(&[]);
    let found = story("raw_client.py", "metadata", &server, json!({}));
    let catalog = ("catalog_name", "string", true);
    let places = [catalog, ("db_schema_name", "string", true)];
    let tables = [&places[..], &[("table_name", "string", false), ("table_type", "string", false)]].concat();
    assert_eq!(found["catalogs"]["schema"], schema(&[("catalog_name", "string", false)]));
    assert_eq!(found["catalogs"]["rows"], json!([{"catalog_name": "partitura"}]));
    assert_eq!(found["schemas"]["schema"], schema(&[catalog, ("db_schema_name", "string", false)]));
    assert_eq!(found["tables"]["schema"], schema(&tables));
    let with_schema = [&tables[..], &[("table_schema", "binary", false)]].concat();
    assert_eq!(found["tables_with_schema"]["schema"], schema(&with_schema));
    assert_eq!(found["tables_with_schema"]["columns"]["events"][0], "position");
    let base = found["base_tables"]["rows"].as_array().expect("rows");
    assert!(base.len() > 10 && base.iter().all(|row| row["table_type"] == "TABLE"), "{base:?}");
    assert_eq!(found["no_tables"]["rows"], json!([]));
    assert_eq!(found["table_types"]["schema"], schema(&[("table_type", "string", false)]));
    let mut keys = places.to_vec();
    keys.extend([("table_name", "string", false), ("column_name", "string", false), ("key_name", "string", true)]);
    keys.push(("key_sequence", "int32", false));
    assert_eq!(found["primary"]["schema"], schema(&keys));
    let key = json!([{
        "catalog_name": "partitura", "db_schema_name": "public", "table_name": "tasks", "column_name": "task_id",
        "key_name": "tasks_key", "key_sequence": 1,
    }]);
    assert_eq!(found["primary"]["rows"], key);
    assert_eq!(found["no_primary"]["rows"], json!([]));
    references(&found);
    types(&found);
    info(&found);
    assert_eq!(found["get_schema"], json!(["n"]));
    let actions = ["CancelFlightInfo", "CancelQuery", "ClosePreparedStatement", "CreatePreparedStatement"];
    assert_eq!(found["actions"], json!(actions));
}

fn references(found: &Value) {
    let text = |name, nullable| (name, "string", nullable);
    let columns = schema(&[
        text("pk_catalog_name", true),
        text("pk_db_schema_name", true),
        text("pk_table_name", false),
        text("pk_column_name", false),
        text("fk_catalog_name", true),
        text("fk_db_schema_name", true),
        text("fk_table_name", false),
        text("fk_column_name", false),
        ("key_sequence", "int32", false),
        text("fk_key_name", true),
        text("pk_key_name", true),
        ("update_rule", "uint8", false),
        ("delete_rule", "uint8", false),
    ]);
    for name in ["imported", "exported", "cross"] {
        assert_eq!(found[name]["schema"], columns, "{name}");
    }
    let cross = found["cross"]["rows"].as_array().expect("rows");
    assert_eq!(cross.len(), 1, "{cross:?}");
    assert_eq!((&cross[0]["fk_column_name"], &cross[0]["pk_column_name"]), (&json!("task_id"), &json!("task_id")));
    for name in ["imported", "exported"] {
        assert!(found[name]["rows"].as_array().expect("rows").contains(&cross[0]), "{name}");
    }
}

fn types(found: &Value) {
    let names = found["types"]["schema"].as_array().expect("columns").iter().map(|column| column[0].clone());
    let expected = json!([
        "type_name",
        "data_type",
        "column_size",
        "literal_prefix",
        "literal_suffix",
        "create_params",
        "nullable",
        "case_sensitive",
        "searchable",
        "unsigned_attribute",
        "fixed_prec_scale",
        "auto_increment",
        "local_type_name",
        "minimum_scale",
        "maximum_scale",
        "sql_data_type",
        "datetime_subcode",
        "num_prec_radix",
        "interval_precision",
    ]);
    assert_eq!(Value::from(names.collect::<Vec<_>>()), expected);
    let bigint = found["bigint"]["rows"].as_array().expect("rows");
    let names: Vec<_> = bigint.iter().map(|row| row["type_name"].clone()).collect();
    assert_eq!(json!(names), json!(["BIGINT", "BIGINT UNSIGNED"]));
}

fn info(found: &Value) {
    let rows = found["info"]["rows"].as_array().expect("rows");
    let codes: Vec<u64> = rows.iter().filter_map(|row| row["info_name"].as_u64()).collect();
    let all: Vec<u64> = (0..=11).chain(100..=101).chain(500..=576).collect();
    assert_eq!(codes, all, "every item of the specification");
    let one = json!([{"info_name": 0, "value": "Partitura"}, {"info_name": 8, "value": 0}]);
    assert_eq!(found["one_info"]["rows"], one);
    assert_eq!(found["unknown_functions"], json!([]), "drivers call only what there is");
}
