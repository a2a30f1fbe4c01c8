//! [`Zones`]: the least and the greatest position and time of each fragment, so that a scan leaves fragments out.
//!
//! Rows come nearly in the order of their positions and times, so a range of either lies in few fragments.
//! Bounds of a column are read when a filter asks for them first, and kept: fragments never change, rows are
//! only deleted from them, and what bounds more rows bounds fewer. Nothing of this is on disk, so nothing
//! has to be kept up beside compaction and clean-up.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, PrimitiveArray};
use arrow::compute::{cast, max, min};
use arrow::datatypes::{DataType, Int64Type, Schema, SchemaRef, TimeUnit};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, ScalarValue};
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_optimizer::pruning::PruningPredicate;
use futures::{StreamExt, TryStreamExt};
use lance::Dataset;
use lance::table::format::Fragment;
use parking_lot::Mutex;

use crate::schema::{POS, POS_TO};

/// Fragments whose bounds are read at once.
const READ_AT_ONCE: usize = 4;

/// Bounds of the fragments that have been asked for, shared by all versions of a table.
#[derive(Debug, Default)]
pub(crate) struct Zones {
    known: Mutex<HashMap<(u64, String), Bounds>>,
}

/// The least and the greatest value of one column in one fragment; nothing if all are null.
type Bounds = Option<(i64, i64)>;

impl Zones {
    /// Returns, for each of some fragments of `dataset`, whether it may hold rows that satisfy `predicate`.
    pub async fn may_match(
        &self,
        dataset: &Dataset,
        fragments: &[Fragment],
        predicate: &Arc<dyn PhysicalExpr>,
        schema: &SchemaRef,
    ) -> Result<Vec<bool>> {
        let columns = zoned_columns(predicate, schema);
        if columns.is_empty() || fragments.is_empty() {
            return Ok(vec![true; fragments.len()]);
        }
        self.load(dataset, fragments, &columns).await?;
        let bounds = self.bounds(fragments, &columns, schema)?;
        PruningPredicate::try_new(predicate.clone(), schema.clone())?.prune(&bounds)
    }

    /// Forgets the fragments that the dataset no longer has.
    pub fn retain(&self, dataset: &Dataset) {
        let live: std::collections::HashSet<u64> = dataset.fragments().iter().map(|fragment| fragment.id).collect();
        self.known.lock().retain(|(id, _), _| live.contains(id));
    }

    /// Reads the bounds that are not known yet.
    async fn load(&self, dataset: &Dataset, fragments: &[Fragment], columns: &[String]) -> Result<()> {
        let missing = |fragment: &Fragment| -> Vec<String> {
            let known = self.known.lock();
            columns.iter().filter(|column| !known.contains_key(&(fragment.id, (*column).clone()))).cloned().collect()
        };
        let missing: Vec<(Fragment, Vec<String>)> = fragments
            .iter()
            .map(|fragment| (fragment.clone(), missing(fragment)))
            .filter(|(_, columns)| !columns.is_empty())
            .collect();
        let reads = missing.into_iter().map(|(fragment, columns)| read(dataset, fragment, columns));
        let mut reads = futures::stream::iter(reads).buffer_unordered(READ_AT_ONCE);
        while let Some((fragment, columns, bounds)) = reads.try_next().await? {
            let mut known = self.known.lock();
            known.extend(columns.into_iter().zip(bounds).map(|(column, bounds)| ((fragment, column), bounds)));
        }
        Ok(())
    }

    fn bounds(&self, fragments: &[Fragment], columns: &[String], schema: &SchemaRef) -> Result<FragmentBounds> {
        let known = self.known.lock();
        let of_column = |name: &String| {
            let of = |fragment: &Fragment| known.get(&(fragment.id, name.clone())).copied().flatten();
            let both: Vec<Bounds> = fragments.iter().map(of).collect();
            let ty = schema.field_with_name(name)?.data_type();
            let array = |side: fn(&(i64, i64)) -> i64| {
                cast(&Int64Array::from_iter(both.iter().map(|bounds| bounds.as_ref().map(side))), ty)
            };
            Ok((name.clone(), (array(|bounds| bounds.0)?, array(|bounds| bounds.1)?)))
        };
        let columns = columns.iter().map(of_column).collect::<Result<_>>()?;
        Ok(FragmentBounds { fragments: fragments.len(), columns })
    }
}

/// Returns the columns of a predicate that have zones.
pub(crate) fn zoned_columns(predicate: &Arc<dyn PhysicalExpr>, schema: &Schema) -> Vec<String> {
    let mut names: Vec<String> = collect_columns(predicate).iter().map(|column| column.name().to_owned()).collect();
    names.sort_unstable();
    names.retain(|name| schema.field_with_name(name).is_ok_and(|field| is_zoned(name, field.data_type())));
    names
}

/// Returns whether rows come nearly in the order of the column.
fn is_zoned(name: &str, ty: &DataType) -> bool {
    matches!(ty, DataType::Timestamp(TimeUnit::Microsecond, _)) || [POS, POS_TO, "position"].contains(&name)
}

async fn read(dataset: &Dataset, fragment: Fragment, columns: Vec<String>) -> Result<(u64, Vec<String>, Vec<Bounds>)> {
    let mut scanner = dataset.scan();
    scanner.with_fragments(vec![fragment.clone()]).scan_in_order(false).project(&columns)?;
    let mut stream = scanner.try_into_stream().await?;
    let mut bounds: Vec<Bounds> = vec![None; columns.len()];
    while let Some(batch) = stream.try_next().await? {
        for (known, column) in bounds.iter_mut().zip(batch.columns()) {
            *known = joined(*known, bounds_of(column)?);
        }
    }
    Ok((fragment.id, columns, bounds))
}

fn bounds_of(column: &ArrayRef) -> Result<Bounds> {
    let numbers = cast(column, &DataType::Int64)?;
    let numbers = numbers.as_any().downcast_ref::<PrimitiveArray<Int64Type>>();
    let numbers = numbers.ok_or_else(|| DataFusionError::Internal("zones are of numbers".into()))?;
    Ok(min(numbers).zip(max(numbers)))
}

fn joined(one: Bounds, other: Bounds) -> Bounds {
    match (one, other) {
        (Some(one), Some(other)) => Some((one.0.min(other.0), one.1.max(other.1))),
        (one, other) => one.or(other),
    }
}

/// Bounds of all fragments, as DataFusion asks for them.
struct FragmentBounds {
    fragments: usize,
    columns: HashMap<String, (ArrayRef, ArrayRef)>,
}

impl PruningStatistics for FragmentBounds {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.columns.get(&column.name).map(|(min, _)| min.clone())
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.columns.get(&column.name).map(|(_, max)| max.clone())
    }

    fn num_containers(&self) -> usize {
        self.fragments
    }

    fn null_counts(&self, _: &Column) -> Option<ArrayRef> {
        None
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        None
    }

    fn contained(&self, _: &Column, _: &std::collections::HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
