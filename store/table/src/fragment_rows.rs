//! Row id → place in a Lance table, by binary search in the ids of each fragment.
//!
//! A fragment's ids are read once (12 bytes a row) and kept: fragments never change, rows are only
//! deleted from them, and nobody looks for a deleted row.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::UInt64Type;
use futures::TryStreamExt;
use lance::Dataset;
use parking_lot::Mutex;
use partitura_event::{ErrorClass, Problem};

use crate::fault;
use crate::row_id::{RowId, RowIds};
use crate::schema::{ORD, POS};

/// Name of Lance's column with the row's address.
const ROW_ADDRESS: &str = "_rowaddr";

/// The ids of the rows of the fragments that have been asked for, shared by all versions of a table.
#[derive(Debug, Default)]
pub(crate) struct FragmentRows {
    fragments: Mutex<HashMap<u64, Arc<Ids>>>,
}

#[derive(Debug)]
struct Ids {
    ids: Vec<RowId>,
    offsets: Vec<u32>,
}

/// Addresses of rows, in the order they were asked for; the unknown ones are left out.
pub(crate) struct Located(Vec<u64>);

impl Located {
    /// Returns the addresses, which must be as many as were asked for.
    pub fn all(self, asked: usize) -> Result<Vec<u64>, Problem> {
        if self.0.len() == asked {
            return Ok(self.0);
        }
        let detail = format!("{} of {asked} rows are not in their table", asked - self.0.len());
        Err(Problem::new(ErrorClass::Corrupt, detail).hint("rebuild the tables from the log"))
    }

    /// Returns the offsets within each fragment.
    pub fn by_fragment(self, asked: usize) -> Result<BTreeMap<u64, Vec<u32>>, Problem> {
        let mut fragments: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for address in self.all(asked)? {
            fragments.entry(address >> 32).or_default().push(address as u32);
        }
        Ok(fragments)
    }
}

impl FragmentRows {
    /// Finds the addresses of rows.
    pub async fn locate(&self, dataset: &Dataset, ids: &[RowId]) -> Result<Located, Problem> {
        let mut fragments = Vec::with_capacity(dataset.fragments().len());
        for fragment in dataset.fragments().iter() {
            fragments.push((fragment.id, self.fragment(dataset, fragment).await?));
        }
        let find = |id: &RowId| {
            let holds = |rows: &Ids| rows.ids.first() <= Some(id) && Some(id) <= rows.ids.last();
            // Newest first: after a compaction the ranges of fragments do not overlap, but nothing relies on it.
            fragments.iter().rev().filter(|(_, rows)| holds(rows)).find_map(|(fragment, rows)| {
                let row = rows.ids.binary_search(id).ok()?;
                Some(fragment << 32 | u64::from(rows.offsets[row]))
            })
        };
        Ok(Located(ids.iter().filter_map(find).collect()))
    }

    /// Forgets the fragments that the dataset no longer has.
    pub fn retain(&self, dataset: &Dataset) {
        let live: std::collections::HashSet<u64> = dataset.fragments().iter().map(|fragment| fragment.id).collect();
        self.fragments.lock().retain(|id, _| live.contains(id));
    }

    async fn fragment(
        &self,
        dataset: &Dataset,
        fragment: &lance::table::format::Fragment,
    ) -> Result<Arc<Ids>, Problem> {
        if let Some(rows) = self.fragments.lock().get(&fragment.id) {
            return Ok(rows.clone());
        }
        let rows = Arc::new(read(dataset, fragment).await?);
        self.fragments.lock().insert(fragment.id, rows.clone());
        Ok(rows)
    }
}

async fn read(dataset: &Dataset, fragment: &lance::table::format::Fragment) -> Result<Ids, Problem> {
    let failed = |error: lance::Error| fault::lance("cannot read the row ids of a fragment", &error);
    let mut scanner = dataset.scan();
    scanner.with_fragments(vec![fragment.clone()]).scan_in_order(true).with_row_address();
    scanner.project(&[POS, ORD]).map_err(failed)?;
    let mut stream = scanner.try_into_stream().await.map_err(failed)?;
    let rows = fragment.num_rows().unwrap_or(0);
    let mut read = Ids { ids: Vec::with_capacity(rows), offsets: Vec::with_capacity(rows) };
    while let Some(batch) = stream.try_next().await.map_err(failed)? {
        let addresses = batch.column_by_name(ROW_ADDRESS).and_then(|column| column.as_primitive_opt::<UInt64Type>());
        let addresses = addresses.ok_or_else(|| fault::internal("a scan has no column", ROW_ADDRESS))?;
        read.ids.extend(RowIds::of(&batch)?.iter());
        read.offsets.extend(addresses.values().iter().map(|address| *address as u32));
    }
    read.sort();
    Ok(read)
}

impl Ids {
    /// Flushes write rows in the order of their ids; a compaction may have put fragments in another order.
    fn sort(&mut self) {
        if self.ids.is_sorted() {
            return;
        }
        let mut rows: Vec<_> = self.ids.iter().copied().zip(self.offsets.iter().copied()).collect();
        rows.sort_unstable();
        (self.ids, self.offsets) = rows.into_iter().unzip();
    }
}
