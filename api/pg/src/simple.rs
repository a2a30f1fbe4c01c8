//! The simple protocol: statements in one text, answered in text.

use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::response::EmptyQueryResponse;
use tokio_util::sync::CancellationToken;

use crate::columns;
use crate::command;
use crate::lexer::statements;
use crate::params::Params;
use crate::portal::State;
use crate::session::{Fault, Session};
use crate::utility::{Reply, complete};
use crate::wire::Wire;

impl Session {
    /// Answers each statement of a text; the first that fails ends it.
    pub async fn simple(&mut self, wire: &mut Wire, text: &str, cancel: &CancellationToken) -> Result<(), Fault> {
        let all = statements(text);
        if all.is_empty() {
            wire.send(PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new())).await?;
        }
        for tokens in all {
            let command = command::read(text, &tokens)?;
            match self.execute(wire, cancel, &command, Params::default()).await? {
                Reply::Done(tag) => complete(wire, &tag).await?,
                Reply::Rows(mut answer, tag) => {
                    let fields = columns::fields(answer.schema(), &[])?;
                    wire.send(PgWireBackendMessage::RowDescription(columns::description(&fields))).await?;
                    let sent = self.send_rows(wire, cancel, &mut answer, &[], None).await?;
                    complete(wire, &counted(tag, sent)).await?;
                }
                Reply::Fetch { name, count, moves } => {
                    if let State::Open(answer) = &self.portal(&name)?.state
                        && !moves
                    {
                        let fields = columns::fields(answer.schema(), &[])?;
                        wire.send(PgWireBackendMessage::RowDescription(columns::description(&fields))).await?;
                    }
                    self.send_fetched(wire, cancel, (&name, count, moves), &[]).await?;
                }
                Reply::Copy(mut answer, copy) => self.send_copy(wire, cancel, &mut answer, &copy).await?,
            }
        }
        Ok(())
    }
}

/// Only the tag of a question counts its rows.
pub fn counted(tag: &str, rows: u64) -> String {
    if tag == "SELECT" { format!("SELECT {rows}") } else { tag.to_owned() }
}
