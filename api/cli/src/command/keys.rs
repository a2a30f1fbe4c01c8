//! `partitura keys`: makes, lists, rotates and revokes keys of a running server, without a restart.

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::json;

use crate::args::Shared;
use crate::client::Client;
use crate::connection::Connection;
use crate::failure::Outcome;
use crate::rows::{self, Row, row};

/// Manages keys.
#[derive(Args, Debug)]
pub struct Keys {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key; its secret is shown once
    Create(Create),
    /// List keys, without secrets
    List,
    /// Give a key another secret; the one before works a while longer
    Rotate(Rotate),
    /// End a key at once
    Revoke {
        /// The key's id
        id: String,
    },
}

#[derive(Args, Debug)]
struct Create {
    /// What it may do: ingest, read, act, admin
    #[arg(long, value_delimiter = ',', default_value = "ingest,read")]
    scopes: Vec<String>,
    /// A word for people
    #[arg(long)]
    name: Option<String>,
    /// Further workspaces it may read
    #[arg(long, value_delimiter = ',')]
    reads: Vec<String>,
    /// The producer id of its events [default: made from the key's id]
    #[arg(long)]
    source: Option<String>,
    /// With the scope admin: administers the whole server, not one workspace
    #[arg(long)]
    server: bool,
}

#[derive(Args, Debug)]
struct Rotate {
    /// The key's id
    id: String,
    /// How long the secret before works, such as 24h
    #[arg(long, default_value = "24h")]
    overlap: String,
}

const COLUMNS: &[&str] = &["id", "name", "workspace", "scopes", "source", "created_at", "revoked_at"];

impl Keys {
    pub async fn run(self, shared: &Shared) -> Outcome {
        let connection = Connection::open_or_create(shared).await?;
        connection.run(async |client| self.act(client, shared).await).await
    }

    async fn act(self, client: &Client, shared: &Shared) -> Outcome {
        let format = rows::format_or_default(shared.format);
        match self.action {
            Action::Create(create) => {
                let body = json!({
                    "scopes": create.scopes, "name": create.name, "reads": create.reads,
                    "source": create.source, "workspace": shared.workspace, "server": create.server,
                });
                let made = client.json(Method::POST, "/v1/keys", Some(&body)).await?;
                rows::print(&[row(&made)], &with_key(), format)?;
                eprintln!("keep the key: it is not shown again");
            }
            Action::List => {
                let list = client.json(Method::GET, "/v1/keys", None).await?;
                let list: Vec<Row> = list["data"].as_array().into_iter().flatten().map(row).collect();
                rows::print(&list, COLUMNS, format)?;
            }
            Action::Rotate(rotate) => {
                let path = format!("/v1/keys/{}/rotate", rotate.id);
                let made = client.json(Method::POST, &path, Some(&json!({"overlap": rotate.overlap}))).await?;
                rows::print(&[row(&made)], &with_key(), format)?;
                eprintln!("keep the key: it is not shown again");
            }
            Action::Revoke { id } => {
                let gone = client.json(Method::DELETE, &format!("/v1/keys/{id}"), None).await?;
                rows::print(&[row(&gone)], COLUMNS, format)?;
            }
        }
        Ok(())
    }
}

fn with_key() -> Vec<&'static str> {
    [&["key"], COLUMNS].concat()
}
