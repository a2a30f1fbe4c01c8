//! All names there are, the same for every workspace: base tables, views, system tables.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use partitura_event::Workspace;

use crate::made::Made;
use crate::source::TableDescription;
use crate::system::{SystemRows, SystemTable};
use crate::view::{self, View};

/// What the names of views in the schema `system` begin with.
pub(crate) const IN_SYSTEM: &str = "system.";

/// Descriptions by name.
pub(crate) struct Catalog {
    base: BTreeMap<String, TableDescription>,
    views: BTreeMap<String, View>,
    system: BTreeMap<String, Arc<dyn SystemTable>>,
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalog").field("names", &self.all_names().len()).finish()
    }
}

impl Catalog {
    pub fn new(base: Vec<TableDescription>, views: Vec<View>, system: Vec<Arc<dyn SystemTable>>) -> Self {
        Self {
            base: base.into_iter().map(|table| (table.name.clone(), table)).collect(),
            views: views.into_iter().map(|view| (view.name.clone(), view)).collect(),
            system: system.into_iter().map(|table| (table.description().name, table)).collect(),
        }
    }

    pub fn base(&self, name: &str) -> Option<&TableDescription> {
        self.base.get(name)
    }

    pub fn view(&self, name: &str) -> Option<&View> {
        self.views.get(name)
    }

    /// Returns the one column by which the store keeps `name` unique, if it is one.
    pub fn unique_column(&self, name: &str) -> Option<&str> {
        let table = self.base.get(name).filter(|table| table.unique)?;
        match table.key.as_slice() {
            [column] => Some(column),
            _ => None,
        }
    }

    pub fn base_names(&self) -> Vec<String> {
        self.base.keys().cloned().collect()
    }

    pub fn public_names(&self) -> Vec<String> {
        let mut names = self.base_names();
        let ours = |name: &&String| !self.base.contains_key(*name) && !name.starts_with(IN_SYSTEM);
        names.extend(self.views.keys().filter(ours).cloned());
        names.sort();
        names
    }

    /// Returns the names in the schema `system`: what the service tells, and views.
    pub fn system_names(&self) -> Vec<String> {
        let views = self.views.keys().filter_map(|name| name.strip_prefix(IN_SYSTEM));
        let mut names: Vec<_> = self.system.keys().map(String::as_str).chain(views).map(str::to_owned).collect();
        names.sort();
        names
    }

    pub fn system(&self, name: &str, workspace: &Workspace) -> Option<Arc<dyn TableProvider>> {
        let table = self.system.get(name)?;
        Some(Arc::new(Made(SystemRows::new(table.clone(), workspace.clone()))))
    }

    /// Returns whether `sql` may name a view that applies prices or verdict policies, or asks for all columns
    /// of all tables.
    pub fn needs_rules(&self, sql: &str) -> bool {
        let named = |name: &str| view::mentions(sql, name);
        named("information_schema") || self.views.values().any(|view| view.needs_rules && named(&view.name))
    }

    /// Returns how many stored tables `name` stands for.
    pub fn weight(&self, name: &str) -> u64 {
        let view = self.views.get(name).or_else(|| self.views.get(&format!("{IN_SYSTEM}{name}")));
        view.map_or(1, |view| view.weight)
    }

    /// Returns the description of a base or system table; views are described with their planned schema.
    pub fn stored_description(&self, name: &str) -> Option<TableDescription> {
        match name.strip_prefix(IN_SYSTEM) {
            Some(name) => self.system.get(name).map(|table| {
                let mut description = table.description();
                description.name = format!("{IN_SYSTEM}{}", description.name);
                description
            }),
            None => self.base.get(name).cloned(),
        }
    }

    /// Returns every name that a query may write, `system.` ones with their schema.
    pub fn all_names(&self) -> Vec<String> {
        let mut names = self.public_names();
        names.extend(self.system_names().into_iter().map(|name| format!("{IN_SYSTEM}{name}")));
        names
    }
}
