//! What names mean in one query: one workspace, one snapshot, one position.
//!
//! User SQL sees the schema `public` (base tables, with views in front of those of the same name),
//! `system` and `information_schema`. A view's own text also sees the schema `base`, where a name is
//! always the stored table: that is how the view `tasks` reads the table `tasks`.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, CatalogProviderList, SchemaProvider, TableProvider};
use datafusion::datasource::ViewTable;
use datafusion::datasource::empty::EmptyTable;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use futures::FutureExt;
use parking_lot::Mutex;
use partitura_event::{Position, Workspace};

use crate::catalog::{Catalog, IN_SYSTEM};
use crate::function;
use crate::kpi::{self, KpiValues};
use crate::made::Made;
use crate::pg::catalog::{INFORMATION, PG_CATALOG};
use crate::pg::view::PgView;
use crate::reads::Reads;
use crate::rules::{Rules, default_prices};
use crate::source::Pinned;

/// Name of the only catalog.
pub(crate) const CATALOG: &str = "partitura";
/// Schema of user SQL.
pub(crate) const PUBLIC: &str = "public";
/// Schema of the engine's own tables.
pub(crate) const SYSTEM: &str = "system";
/// Schema of stored tables, seen by views only.
pub(crate) const BASE: &str = "base";

/// One workspace at one position of one snapshot.
pub(crate) struct Scope {
    pub catalog: Arc<Catalog>,
    pub pinned: Arc<dyn Pinned>,
    pub workspace: Workspace,
    pub as_of: Option<Position>,
    /// What is read through this scope is noted here.
    pub reads: Reads,
    /// Functions and settings to plan views with; its catalog list is replaced by this scope's.
    template: SessionState,
    /// Views planned so far, so that a view used twice is planned once.
    planned: Mutex<HashMap<String, Arc<dyn TableProvider>>>,
    default_prices: Arc<dyn TableProvider>,
}

impl Scope {
    pub fn new(
        catalog: Arc<Catalog>,
        pinned: Arc<dyn Pinned>,
        workspace: Workspace,
        as_of: Option<Position>,
        template: SessionState,
        reads: Reads,
    ) -> Result<Arc<Self>> {
        let default_prices = default_prices::table()?;
        let planned = Mutex::default();
        Ok(Arc::new(Self { catalog, pinned, workspace, as_of, reads, template, planned, default_prices }))
    }

    /// Returns the same scope, whose views apply `rules`.
    pub fn with_rules(&self, rules: Rules) -> Result<Arc<Self>> {
        let mut template = self.template.clone();
        function::register_rules(&mut template, &Arc::new(rules))?;
        let (catalog, pinned, reads) = (self.catalog.clone(), self.pinned.clone(), self.reads.clone());
        Self::new(catalog, pinned, self.workspace.clone(), self.as_of, template, reads)
    }

    /// Returns the table with its hidden columns, empty when the workspace has no row in it yet.
    fn base(self: &Arc<Self>, name: &str) -> Option<Arc<dyn TableProvider>> {
        if name == kpi::NAME {
            return Some(Arc::new(Made(KpiValues::new(self))));
        }
        if name == default_prices::NAME {
            return Some(self.default_prices.clone());
        }
        let description = self.catalog.base(name)?;
        self.reads.table(name);
        let stored = self.pinned.stored(&self.workspace, name, self.as_of);
        Some(stored.unwrap_or_else(|| Arc::new(EmptyTable::new(description.stored_schema.clone()))))
    }

    fn shown(&self, name: &str) -> Option<Arc<dyn TableProvider>> {
        let description = self.catalog.base(name)?;
        self.reads.table(name);
        let table = self.pinned.table(&self.workspace, name, self.as_of);
        Some(table.unwrap_or_else(|| Arc::new(EmptyTable::new(description.schema.clone()))))
    }

    /// Returns the view or table that `name` means in user SQL.
    pub async fn public(self: &Arc<Self>, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        match self.view(name).await? {
            Some(view) => Ok(Some(view)),
            None => Ok(self.shown(name)),
        }
    }

    /// Returns the view of this name.
    pub async fn view(self: &Arc<Self>, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some(view) = self.catalog.view(name) else { return Ok(None) };
        if view.without.as_ref().is_some_and(|other| !self.pinned.has_rows(&self.workspace, other)) {
            return Ok(self.shown(name));
        }
        if let Some(planned) = self.planned.lock().get(name) {
            return Ok(Some(planned.clone()));
        }
        let plan = self.plan_inner(&view.sql).await.map_err(|error| error.context(format!("view {name}")))?;
        let table: Arc<dyn TableProvider> = Arc::new(ViewTable::new(plan, None));
        self.planned.lock().insert(name.to_owned(), table.clone());
        Ok(Some(table))
    }

    /// Like [`Scope::public`], for callers that cannot wait. Nothing here ever does.
    pub fn public_now(self: &Arc<Self>, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        match self.public(name).now_or_never() {
            Some(found) => found,
            None => Err(DataFusionError::Internal(format!("resolving {name} waited"))),
        }
    }

    /// Plans SQL of our own, which sees the schema `base`.
    pub async fn plan_inner(self: &Arc<Self>, sql: &str) -> Result<datafusion::logical_expr::LogicalPlan> {
        self.inner_state().create_logical_plan(sql).await
    }

    /// Returns a session that sees the schema `base`.
    pub fn inner_state(self: &Arc<Self>) -> SessionState {
        let mut state = self.template.clone();
        state.register_catalog_list(Arc::new(Names { scope: self.clone(), inner: true, pg: None }));
        state
    }

    /// Returns a session that sees what user SQL sees, without table functions.
    pub fn user_state(self: &Arc<Self>) -> SessionState {
        let mut state = self.template.clone();
        state.register_catalog_list(self.names());
        state
    }

    /// Returns the names as user SQL sees them.
    pub fn names(self: &Arc<Self>) -> Arc<dyn CatalogProviderList> {
        Arc::new(Names { scope: self.clone(), inner: false, pg: None })
    }

    /// Returns the names as the SQL of a Postgres session sees them.
    pub fn pg_names(self: &Arc<Self>, pg: PgView) -> Arc<dyn CatalogProviderList> {
        Arc::new(Names { scope: self.clone(), inner: false, pg: Some(pg) })
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("workspace", &self.workspace).field("as_of", &self.as_of).finish_non_exhaustive()
    }
}

#[derive(Clone, Debug)]
struct Names {
    scope: Arc<Scope>,
    inner: bool,
    pg: Option<PgView>,
}

impl CatalogProviderList for Names {
    fn register_catalog(&self, _: String, _: Arc<dyn CatalogProvider>) -> Option<Arc<dyn CatalogProvider>> {
        None
    }

    fn catalog_names(&self) -> Vec<String> {
        vec![CATALOG.to_owned()]
    }

    fn catalog(&self, name: &str) -> Option<Arc<dyn CatalogProvider>> {
        (name == CATALOG).then(|| Arc::new(self.clone()) as _)
    }
}

impl CatalogProvider for Names {
    fn schema_names(&self) -> Vec<String> {
        let of_pg = self.pg.iter().flat_map(|_| [PG_CATALOG, INFORMATION]);
        [PUBLIC, SYSTEM].into_iter().chain(of_pg).map(str::to_owned).collect()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        let schema = match name {
            PUBLIC => Schema::Public,
            SYSTEM => Schema::System,
            BASE if self.inner => Schema::Base,
            _ => return self.pg.as_ref()?.schema(name),
        };
        Some(Arc::new(SchemaNames { scope: self.scope.clone(), schema, pg: self.pg.clone() }))
    }
}

#[derive(Clone, Copy, Debug)]
enum Schema {
    Public,
    System,
    Base,
}

#[derive(Debug)]
struct SchemaNames {
    scope: Arc<Scope>,
    schema: Schema,
    pg: Option<PgView>,
}

#[async_trait]
impl SchemaProvider for SchemaNames {
    fn table_names(&self) -> Vec<String> {
        let catalog = &self.scope.catalog;
        match self.schema {
            Schema::Public => catalog.public_names(),
            Schema::System => catalog.system_names(),
            Schema::Base => catalog.base_names(),
        }
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        match self.schema {
            Schema::Public => match (self.scope.public(name).await?, &self.pg) {
                // Postgres finds its catalog without its name; the rewriting knows most tables, but not all.
                (None, Some(pg)) if name.starts_with("pg_") => pg.table(name),
                (found, _) => Ok(found),
            },
            Schema::System => match self.scope.catalog.system(name, &self.scope.workspace) {
                Some(table) => {
                    self.scope.reads.system(name);
                    Ok(Some(table))
                }
                None => self.scope.view(&format!("{IN_SYSTEM}{name}")).await,
            },
            Schema::Base => Ok(self.scope.base(name)),
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        self.table_names().iter().any(|known| known == name)
    }
}
