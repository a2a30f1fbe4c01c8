//! `approx_percentile_cont` and `approx_median` of floats that do not depend on the order of rows.
//!
//! DataFusion keeps a t-digest, whose answer depends on the order in which rows come. Here a [`Sketch`] of
//! buckets is kept: the same rows give the same answer, and adding a row is a count.

mod sketch;

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Float64Builder, ListBuilder, RecordBatch,
};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Schema};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::functions_aggregate::{approx_median, approx_percentile_cont};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, EmitTo, GroupsAccumulator, Signature,
};

use self::sketch::{Bucket, Sketch};

/// Returns the replacements.
pub(super) fn all() -> Vec<AggregateUDF> {
    [approx_percentile_cont::approx_percentile_cont_udaf(), approx_median::approx_median_udaf()]
        .into_iter()
        .map(|inner| AggregateUDF::from(Quantile { inner }))
        .collect()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Quantile {
    inner: Arc<AggregateUDF>,
}

impl Quantile {
    /// Returns the quantile that is asked for, if it is one of floats that we answer.
    fn of(&self, args: &AccumulatorArgs<'_>) -> Option<f64> {
        if args.is_distinct || args.expr_fields.first()?.data_type() != &DataType::Float64 {
            return None;
        }
        let Some(expr) = args.exprs.get(1) else { return Some(0.5) };
        let nothing = RecordBatch::new_empty(Arc::new(Schema::empty()));
        let ColumnarValue::Scalar(ScalarValue::Float64(Some(quantile))) = expr.evaluate(&nothing).ok()? else {
            return None;
        };
        let descending = args.order_bys.first().is_some_and(|order| order.options.descending);
        (0.0..=1.0).contains(&quantile).then_some(if descending { 1.0 - quantile } else { quantile })
    }
}

impl AggregateUDFImpl for Quantile {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arg_types)
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(arg_types)
    }

    fn supports_within_group_clause(&self) -> bool {
        self.inner.supports_within_group_clause()
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let ours = !args.is_distinct && args.input_fields.first().is_some_and(|f| f.data_type() == &DataType::Float64);
        if !ours {
            return self.inner.state_fields(args);
        }
        let item = Arc::new(Field::new_list_field(DataType::Float64, true));
        Ok(vec![Arc::new(Field::new(format!("{}[buckets]", args.name), DataType::List(item), false))])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match self.of(&args) {
            Some(quantile) => Ok(Box::new(Single { quantile, sketch: Sketch::default() })),
            None => self.inner.accumulator(args),
        }
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.of(&args).is_some()
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        match self.of(&args) {
            Some(quantile) => Ok(Box::new(Groups { quantile, sketches: Vec::new(), heap: 0 })),
            None => self.inner.create_groups_accumulator(args),
        }
    }
}

/// Writes sketches as lists of (count, least, greatest).
fn state_of<'a>(sketches: impl Iterator<Item = &'a Sketch>) -> ArrayRef {
    let mut lists = ListBuilder::new(Float64Builder::new());
    for sketch in sketches {
        for Bucket { count, least, greatest } in sketch.buckets() {
            lists.values().append_slice(&[count as f64, least, greatest]);
        }
        lists.append(true);
    }
    Arc::new(lists.finish())
}

/// Adds row `row` of what [`state_of`] wrote.
fn merge(sketch: &mut Sketch, states: &ArrayRef, row: usize) {
    let lists = states.as_list::<i32>();
    let offsets = lists.value_offsets();
    let parts = lists.values().as_primitive::<Float64Type>().values();
    for part in parts[offsets[row] as usize..offsets[row + 1] as usize].chunks_exact(3) {
        sketch.add_bucket(Bucket { count: part[0] as u64, least: part[1], greatest: part[2] });
    }
}

#[derive(Debug)]
struct Single {
    quantile: f64,
    sketch: Sketch,
}

impl Accumulator for Single {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = values[0].as_primitive::<Float64Type>();
        values.iter().flatten().for_each(|value| self.sketch.add(value));
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.sketch.quantile(self.quantile)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.sketch.heap_size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::try_from_array(&state_of(std::iter::once(&self.sketch)), 0)?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        (0..states[0].len()).for_each(|row| merge(&mut self.sketch, &states[0], row));
        Ok(())
    }
}

struct Groups {
    quantile: f64,
    sketches: Vec<Sketch>,
    /// Bytes that the sketches hold, kept up to date: it is asked for after each batch.
    heap: usize,
}

impl Groups {
    fn each(
        &mut self,
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
        mut add: impl FnMut(&mut Sketch, usize),
    ) {
        self.sketches.resize_with(total, Sketch::default);
        for (row, group) in groups.iter().enumerate() {
            if filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row)) {
                let sketch = &mut self.sketches[*group];
                let before = sketch.heap_size();
                add(sketch, row);
                self.heap += sketch.heap_size() - before;
            }
        }
    }

    fn take(&mut self, emit_to: EmitTo) -> Vec<Sketch> {
        let taken = emit_to.take_needed(&mut self.sketches);
        self.heap -= taken.iter().map(Sketch::heap_size).sum::<usize>();
        taken
    }
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        let values = values[0].as_primitive::<Float64Type>();
        let (raw, nulls) = (values.values(), values.nulls());
        self.each(group_indices, opt_filter, total_num_groups, |sketch, row| {
            if nulls.is_none_or(|nulls| nulls.is_valid(row)) {
                sketch.add(raw[row]);
            }
        });
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let sketches = self.take(emit_to);
        Ok(Arc::new(sketches.iter().map(|sketch| sketch.quantile(self.quantile)).collect::<Float64Array>()))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![state_of(self.take(emit_to).iter())])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.each(group_indices, opt_filter, total_num_groups, |sketch, row| merge(sketch, &values[0], row));
        Ok(())
    }

    fn size(&self) -> usize {
        self.sketches.capacity() * size_of::<Sketch>() + self.heap
    }
}
