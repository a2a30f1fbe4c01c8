//! The approximate index: built by Lance, used only while it finds what an exact scan finds.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{AsArray, Float32Array};
use arrow::datatypes::UInt64Type;
use futures::TryStreamExt;
use lance::Dataset;
use lance::dataset::cleanup::CleanupPolicy;
use lance::dataset::optimize::{CompactionOptions, compact_files};
use lance::dataset::scanner::Scanner;
use lance::index::DatasetIndexExt;
use lance::index::vector::VectorIndexParams;
use lance_index::IndexType;
use lance_index::vector::ivf::IvfBuildParams;
use lance_index::vector::sq::builder::SQBuildParams;
use lance_linalg::distance::MetricType;
use parking_lot::RwLock;
use partitura_event::Problem;

use super::chunk::VECTOR;
use super::index::{VectorSettings, failed};
use super::rows::Rows;
use crate::text::Visible;

const NAME: &str = "nearest";
/// Rows of one partition, about.
const PARTITION: usize = 1_024;
/// Share of the partitions that a search reads.
const READ: f64 = 0.06;
/// Partitions that a search reads at least.
const READ_MIN: usize = 16;
/// Rows per partition from which its centre is learned.
const SAMPLE: usize = 64;
/// Rounds of learning.
const ROUNDS: usize = 12;
/// Rows that are asked for when it is measured, as a search would.
const MEASURED: usize = 100;
/// Rows whose true neighbours are compared with those that the index finds.
const PROBES: usize = 50;
/// Growth since the index was built from which it is built again; newer rows are compared one by one until then.
const GROWTH: f64 = 0.25;

/// An index over the first rows of the table.
pub(super) struct Ann {
    dataset: Arc<Dataset>,
    /// First row of each fragment.
    firsts: HashMap<u64, u32>,
    covered: usize,
    recall: f64,
}

impl Ann {
    /// Builds the index, or takes the one there is while it covers most rows, and measures it. `None`: it does not
    /// find enough, and every search goes on comparing with all rows.
    pub async fn build(
        dataset: &mut Dataset,
        rows: &Arc<RwLock<Rows>>,
        settings: &VectorSettings,
    ) -> Result<Option<Self>, Problem> {
        let total = dataset.fragments().iter().map(|fragment| fragment.physical_rows.unwrap_or(0)).sum::<usize>();
        let mut covered = covered_rows(dataset).await?;
        if covered as f64 * (1.0 + GROWTH) < total as f64 {
            let ivf = IvfBuildParams {
                sample_rate: SAMPLE,
                max_iters: ROUNDS,
                ..IvfBuildParams::new(total.div_ceil(PARTITION).max(1))
            };
            let params = VectorIndexParams::with_ivf_sq_params(MetricType::Dot, ivf, SQBuildParams::default());
            let name = Some(NAME.to_owned());
            let building = dataset.create_index(&[VECTOR], IndexType::Vector, name, &params, true);
            building.await.map_err(|error| failed("cannot index", &error))?;
            covered = covered_rows(dataset).await?;
        }
        let mut ann = Self { dataset: Arc::new(dataset.clone()), firsts: firsts(dataset), covered, recall: 0.0 };
        ann.recall = ann.measure(rows).await?;
        let (recall, target) = (ann.recall, settings.recall);
        if recall < target || covered == 0 {
            tracing::warn!(recall, target, rows = total, "the vector index is not used: it misses too much");
            return Ok(None);
        }
        tracing::info!(recall, rows = total, "vector index in use");
        Ok(Some(ann))
    }

    /// Takes the index that a dataset has, which has shown `recall` before.
    pub async fn adopt(dataset: &Dataset, recall: f64) -> Result<Option<Self>, Problem> {
        let covered = covered_rows(dataset).await?;
        let ann = Self { dataset: Arc::new(dataset.clone()), firsts: firsts(dataset), covered, recall };
        Ok((covered > 0).then_some(ann))
    }

    /// Follows the dataset to a newer version.
    pub fn moved(&self, dataset: &Dataset) -> Self {
        let (covered, recall) = (self.covered, self.recall);
        Self { dataset: Arc::new(dataset.clone()), firsts: firsts(dataset), covered, recall }
    }

    /// Compares with an exact scan, over rows taken at equal distances.
    async fn measure(&self, rows: &Arc<RwLock<Rows>>) -> Result<f64, Problem> {
        let (mut found, mut wanted) = (0_usize, 0_usize);
        let everything = Visible::everything();
        for row in (0..self.covered).step_by(self.covered.div_ceil(PROBES).max(1)) {
            let query = rows.read().vector(row as u32).to_vec();
            let near = self.nearest(&query, MEASURED).await?;
            let rows = rows.read();
            let truth = rows.nearest(&query, 10, &everything, 0..self.covered);
            // Equal texts have equal vectors: any of them is right.
            let floor = truth.last().map_or(0.0, |last| last.0) - 1e-5;
            wanted += truth.len();
            found += near.iter().filter(|row| rows.product(&query, **row) >= floor).count().min(truth.len());
        }
        Ok(if wanted == 0 { 0.0 } else { found as f64 / wanted as f64 })
    }

    /// Returns the recall@10 that it has shown.
    pub fn recall(&self) -> f64 {
        self.recall
    }

    /// Returns how many rows it covers: the first ones.
    pub fn covered(&self) -> usize {
        self.covered
    }

    /// Returns rows that are near, in no order. Nothing is read from the table: who asks has the vectors.
    pub async fn nearest(&self, query: &[f32], limit: usize) -> Result<Vec<u32>, Problem> {
        let query = Float32Array::from(query.to_vec());
        let partitions = self.covered.div_ceil(PARTITION);
        let read = ((partitions as f64 * READ) as usize).max(READ_MIN);
        let mut scanner = self.dataset.scan();
        let prepare = |scanner: &mut Scanner| {
            scanner.nearest(VECTOR, &query, limit)?.nprobes(read).fast_search().with_row_id();
            scanner.project::<&str>(&[])?;
            Ok::<_, lance::Error>(())
        };
        prepare(&mut scanner).map_err(|error| failed("cannot search", &error))?;
        let stream = scanner.try_into_stream().await.map_err(|error| failed("cannot search", &error))?;
        let batches: Vec<_> = stream.try_collect().await.map_err(|error| failed("cannot search", &error))?;
        let ids = batches.iter().filter_map(|batch| batch.column_by_name("_rowid"));
        let ids = ids.flat_map(|ids| ids.as_primitive::<UInt64Type>().values().iter().copied());
        Ok(ids.filter_map(|id| self.row_of(id)).collect())
    }

    /// Turns Lance's row address into the number of the row in table order.
    fn row_of(&self, address: u64) -> Option<u32> {
        let (fragment, offset) = (address >> 32, address as u32);
        self.firsts.get(&fragment).map(|first| first + offset)
    }
}

fn firsts(dataset: &Dataset) -> HashMap<u64, u32> {
    let mut next = 0;
    let mut firsts = HashMap::new();
    for fragment in dataset.fragments().iter() {
        firsts.insert(fragment.id, next);
        next += fragment.physical_rows.unwrap_or(0) as u32;
    }
    firsts
}

/// Returns how many rows the index covers, from the first on; 0 without one.
async fn covered_rows(dataset: &Dataset) -> Result<usize, Problem> {
    let indices = dataset.load_indices().await.map_err(|error| failed("cannot index", &error))?;
    let Some(index) = indices.iter().find(|index| index.name == NAME) else { return Ok(0) };
    let Some(fragments) = &index.fragment_bitmap else { return Ok(0) };
    let covered = dataset.fragments().iter().take_while(|fragment| fragments.contains(fragment.id as u32));
    Ok(covered.map(|fragment| fragment.physical_rows.unwrap_or(0)).sum())
}

/// Merges small fragments when there are more than `limit`, and removes versions of more than ten minutes ago.
pub(super) async fn compact(dataset: &mut Dataset, limit: usize) -> Result<(), Problem> {
    if dataset.fragments().len() <= limit {
        return Ok(());
    }
    // Deferred remapping has given wrong results in this version of Lance.
    let options = CompactionOptions { num_threads: Some(1), defer_index_remap: false, ..CompactionOptions::default() };
    compact_files(dataset, options, None).await.map_err(|error| failed("cannot compact", &error))?;
    let policy = CleanupPolicy {
        before_timestamp: Some(chrono::Utc::now() - chrono::TimeDelta::minutes(10)),
        error_if_tagged_old_versions: false,
        ..CleanupPolicy::default()
    };
    dataset.cleanup_with_policy(policy).await.map_err(|error| failed("cannot clean up", &error))?;
    Ok(())
}
