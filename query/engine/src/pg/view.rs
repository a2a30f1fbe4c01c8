//! The schemas that only a Postgres session sees, and its tables about itself.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::error::Result;

use super::catalog::{INFORMATION, PG_CATALOG, PgCatalog};
use super::rows;
use super::session::PgSession;
use crate::scope::CATALOG;

/// The catalog of an engine as one session sees it.
#[derive(Clone)]
pub(crate) struct PgView {
    pub catalog: Arc<PgCatalog>,
    pub session: Arc<PgSession>,
}

impl fmt::Debug for PgView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgView").field("session", &self.session).finish_non_exhaustive()
    }
}

impl PgView {
    /// Returns one of the two schemas.
    pub fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        let which = match name {
            PG_CATALOG => Which::PgCatalog,
            INFORMATION => Which::Information,
            _ => return None,
        };
        Some(Arc::new(PgSchema { view: self.clone(), which }))
    }

    /// Returns a table of `pg_catalog`.
    pub fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        match self.own(name) {
            Some(table) => table.map(Some),
            None => Ok(self.catalog.table(name)),
        }
    }

    /// Returns a table about the session.
    fn own(&self, name: &str) -> Option<Result<Arc<dyn TableProvider>>> {
        match name {
            "pg_roles" | "pg_authid" => Some(self.roles()),
            "pg_user" => Some(self.users()),
            "pg_settings" => Some(self.settings()),
            _ => None,
        }
    }

    /// The one role that a session sees is its own.
    fn roles(&self) -> Result<Arc<dyn TableProvider>> {
        let no = || rows::bool([false]);
        let yes = || rows::bool([true]);
        rows::table(vec![
            ("oid", rows::int([10])),
            ("rolname", rows::text([self.session.user.as_str()])),
            ("rolsuper", no()),
            ("rolinherit", yes()),
            ("rolcreaterole", no()),
            ("rolcreatedb", no()),
            ("rolcanlogin", yes()),
            ("rolreplication", no()),
            ("rolconnlimit", rows::int([-1])),
            ("rolpassword", rows::text_or_null([None::<&str>])),
            ("rolvaliduntil", rows::text_or_null([None::<&str>])),
            ("rolbypassrls", no()),
            ("rolconfig", rows::text_or_null([None::<&str>])),
        ])
    }

    fn users(&self) -> Result<Arc<dyn TableProvider>> {
        rows::table(vec![
            ("usename", rows::text([self.session.user.as_str()])),
            ("usesysid", rows::int([10])),
            ("usecreatedb", rows::bool([false])),
            ("usesuper", rows::bool([false])),
            ("userepl", rows::bool([false])),
            ("usebypassrls", rows::bool([false])),
        ])
    }

    fn settings(&self) -> Result<Arc<dyn TableProvider>> {
        let all = &self.session.settings;
        let same = |text: &'static str| rows::text(std::iter::repeat_n(text, all.len()));
        let none = || rows::text_or_null(std::iter::repeat_n(None::<&str>, all.len()));
        rows::table(vec![
            ("name", rows::text(all.keys())),
            ("setting", rows::text(all.values())),
            ("unit", none()),
            ("category", same(CATALOG)),
            ("short_desc", none()),
            ("extra_desc", none()),
            ("context", same("user")),
            ("vartype", same("string")),
            ("source", same("session")),
            ("min_val", none()),
            ("max_val", none()),
            ("enumvals", none()),
            ("boot_val", none()),
            ("reset_val", none()),
        ])
    }
}

/// `pg_show_all_settings()`: the rows of `pg_settings`.
impl TableFunctionImpl for PgView {
    fn call_with_args(&self, _: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        self.settings()
    }
}

#[derive(Clone, Copy, Debug)]
enum Which {
    PgCatalog,
    Information,
}

#[derive(Debug)]
struct PgSchema {
    view: PgView,
    which: Which,
}

#[async_trait]
impl SchemaProvider for PgSchema {
    fn table_names(&self) -> Vec<String> {
        match self.which {
            Which::PgCatalog => self.view.catalog.names(),
            Which::Information => self.view.catalog.information_names(),
        }
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        match self.which {
            Which::Information => Ok(self.view.catalog.information(name)),
            Which::PgCatalog => self.view.table(name),
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        self.table_names().iter().any(|known| known == name)
    }
}
