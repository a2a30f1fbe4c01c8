//! One DataFusion session per query, from a template that is built once per calendar.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::error::Result;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::prelude::SessionConfig;
use parking_lot::Mutex;
use partitura_event::{Position, Timestamp};

use crate::catalog::Catalog;
use crate::codes::GroupByCodes;
use crate::function;
use crate::hook::{SqlEmbed, SqlSearch};
use crate::pg;
use crate::pg::view::PgView;
use crate::prune::PruneJoins;
use crate::relation::TableFunctions;
use crate::request::Zone;
use crate::scope::{CATALOG, PUBLIC, Scope};

/// How many calendars keep a template.
const TEMPLATES_MAX: usize = 64;

/// Whose functions and types a session has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Dialect {
    /// Ours.
    Plain,
    /// Those of Postgres' catalogs as well.
    Postgres,
}

/// Makes sessions.
pub(crate) struct Sessions {
    pub catalog: Arc<Catalog>,
    pub partitions: usize,
    pub spill_dir: Option<PathBuf>,
    pub spill_bytes: u64,
    pub search: Option<Arc<dyn SqlSearch>>,
    pub embed: Option<Arc<dyn SqlEmbed>>,
    pub templates: Mutex<HashMap<(Zone, Dialect), SessionState>>,
}

impl Sessions {
    /// Returns the functions and settings for queries in `zone`; it names no table.
    fn template(&self, zone: Zone, dialect: Dialect) -> Result<SessionState> {
        if let Some(template) = self.templates.lock().get(&(zone, dialect)) {
            return Ok(template.clone());
        }
        let mut config = SessionConfig::new()
            .with_default_catalog_and_schema(CATALOG, PUBLIC)
            .with_create_default_catalog_and_schema(false)
            .with_information_schema(true)
            .with_target_partitions(self.partitions)
            .with_batch_size(crate::output::BATCH_ROWS);
        let options = config.options_mut();
        options.execution.time_zone = Some(zone.tz.name().to_owned());
        options.sql_parser.collect_spans = true;
        options.sql_parser.map_string_types_to_utf8view = false;
        options.sql_parser.dialect = datafusion::config::Dialect::PostgreSQL;
        let mut builder = SessionStateBuilder::new()
            .with_config(config)
            .with_default_features()
            .with_optimizer_rule(Arc::new(PruneJoins { catalog: self.catalog.clone() }))
            .with_optimizer_rule(Arc::new(GroupByCodes));
        let known = builder.expr_planners().take().unwrap_or_default();
        let planners = function::planners(zone).into_iter().chain(known).collect();
        let mut state = builder.with_expr_planners(planners).build();
        function::register(&mut state, zone, self.embed.as_ref())?;
        if dialect == Dialect::Postgres {
            state = pg::function::register(state)?;
        }
        let mut templates = self.templates.lock();
        if templates.len() >= TEMPLATES_MAX {
            templates.clear();
        }
        templates.insert((zone, dialect), state.clone());
        Ok(state)
    }

    /// Returns a session without tables, with its own memory, whose `now()` is `now`.
    pub fn bare(
        &self,
        zone: Zone,
        dialect: Dialect,
        now: Timestamp,
        memory: Arc<dyn MemoryPool>,
    ) -> Result<SessionState> {
        let start = DateTime::<Utc>::from_timestamp_micros(now.micros()).unwrap_or_default();
        let props = ExecutionProps::new().with_query_execution_start_time(start);
        let state = SessionStateBuilder::new_from_existing(self.template(zone, dialect)?)
            .with_runtime_env(self.runtime(memory)?)
            .with_execution_props(props)
            .build();
        Ok(state)
    }

    fn runtime(&self, memory: Arc<dyn MemoryPool>) -> Result<Arc<RuntimeEnv>> {
        let mode = match &self.spill_dir {
            Some(dir) => DiskManagerMode::Directories(vec![dir.clone()]),
            None => DiskManagerMode::Disabled,
        };
        let disk = DiskManagerBuilder::default().with_mode(mode).with_max_temp_directory_size(self.spill_bytes);
        RuntimeEnvBuilder::new().with_memory_pool(memory).with_disk_manager_builder(disk).build_arc()
    }

    /// Returns the session in which user SQL is planned.
    pub fn user(
        &self,
        bare: &SessionState,
        scope: &Arc<Scope>,
        past: BTreeMap<Position, Arc<Scope>>,
        now: Timestamp,
        pg: Option<PgView>,
    ) -> Result<SessionState> {
        let mut state = bare.clone();
        match pg {
            None => state.register_catalog_list(scope.names()),
            Some(view) => {
                let position = scope.as_of.or(scope.pinned.position());
                pg::function::register_session(&mut state, &view.session, &view.catalog, position)?;
                state.register_catalog_list(scope.pg_names(view));
            }
        }
        let functions = TableFunctions { scope: scope.clone(), past, search: self.search.clone(), now };
        state.register_relation_planner(Arc::new(functions))?;
        Ok(state)
    }
}
