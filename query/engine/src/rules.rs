//! The workspace's own rules at one position: its prices and its verdict policies.
//!
//! They are small tables. They are read once, before a query that needs them is planned, and given to
//! the functions that apply them; so a view over ten million calls does not join a price to each.

pub(crate) mod condition;
pub(crate) mod default_prices;
pub(crate) mod model_name;
pub(crate) mod policy;
pub(crate) mod price;

use std::sync::Arc;

use datafusion::arrow::record_batch::RecordBatch;
use datafusion::error::Result;
use datafusion::execution::SessionState;
use datafusion::physical_plan::collect;
use partitura_event::Timestamp;

use self::policy::Policies;
use self::price::PriceBook;
use crate::scope::Scope;

/// What cost and verdict are judged by.
#[derive(Debug)]
pub(crate) struct Rules {
    pub prices: PriceBook,
    pub policies: Policies,
    /// The query's `now()`: settling times run against it.
    pub now: Timestamp,
}

impl Rules {
    /// Reads the rules of a scope.
    pub async fn load(scope: &Arc<Scope>, now: Timestamp) -> Result<Self> {
        let state = scope.inner_state();
        let prices = read(&state, price::SQL).await?;
        let policies = read(&state, policy::SQL).await?;
        Ok(Self { prices: PriceBook::new(&prices)?, policies: Policies::new(&policies)?, now })
    }

    /// Returns the rules of a workspace that has set none, to plan views without running them.
    pub fn defaults() -> Result<Self> {
        Ok(Self { prices: PriceBook::new(&[])?, policies: Policies::default(), now: Timestamp::MIN })
    }
}

async fn read(state: &SessionState, sql: &str) -> Result<Vec<RecordBatch>> {
    let plan = state.create_logical_plan(sql).await?;
    let plan = state.create_physical_plan(&plan).await?;
    collect(plan, state.task_ctx()).await
}
