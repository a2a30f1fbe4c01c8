//! `sum`, `avg`, `var`, `stddev` of floats that do not depend on the order of rows.
//!
//! Each wraps DataFusion's aggregate of the same name and leaves it every type but floats, whose sums
//! are kept exactly ([`sum::ExactSum`]) and rounded once. That costs a nanosecond or two per value and makes
//! the promise of the same bytes independent of partitions, compaction and restarts.

mod expansion;
mod moments;
mod sum;

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Builder};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::functions_aggregate;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF, SetMonotonicity, Signature,
};

use self::moments::{Measure, Moments, pieces_type, state_of};

/// Returns the replacements.
pub(super) fn all() -> Vec<AggregateUDF> {
    let sample = true;
    [
        (Measure::Sum, functions_aggregate::sum::sum_udaf()),
        (Measure::Mean, functions_aggregate::average::avg_udaf()),
        (Measure::Variance { sample }, functions_aggregate::variance::var_samp_udaf()),
        (Measure::Variance { sample: false }, functions_aggregate::variance::var_pop_udaf()),
        (Measure::Deviation { sample }, functions_aggregate::stddev::stddev_udaf()),
        (Measure::Deviation { sample: false }, functions_aggregate::stddev::stddev_pop_udaf()),
    ]
    .into_iter()
    .map(|(measure, inner)| AggregateUDF::from(Exact { measure, inner }))
    .collect()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Exact {
    measure: Measure,
    inner: Arc<AggregateUDF>,
}

impl Exact {
    fn takes(&self, ty: &DataType) -> bool {
        *ty == DataType::Float64 || !matches!(self.measure, Measure::Sum | Measure::Mean)
    }

    fn is_ours(&self, args: &AccumulatorArgs<'_>) -> bool {
        args.expr_fields.first().is_some_and(|field| self.takes(field.data_type()))
    }
}

impl AggregateUDFImpl for Exact {
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

    fn is_nullable(&self) -> bool {
        self.inner.is_nullable()
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        self.inner.default_value(data_type)
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        if matches!(data_type, DataType::Float64) {
            return SetMonotonicity::NotMonotonic;
        }
        self.inner.inner().set_monotonicity(data_type)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let float = args.input_fields.first().is_some_and(|field| self.takes(field.data_type()));
        if !float {
            return self.inner.state_fields(args);
        }
        let name = args.name;
        if args.is_distinct {
            return Ok(vec![Arc::new(Field::new(format!("{name}[distinct]"), pieces_type(), true))]);
        }
        Ok(self.measure.state_fields(name))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let (ours, distinct) = (self.is_ours(&args), args.is_distinct);
        match (ours, distinct) {
            (true, false) => Ok(Box::new(Single { measure: self.measure, moments: Moments::default() })),
            (true, true) => Ok(Box::new(Distinct { measure: self.measure, seen: HashSet::new() })),
            (false, _) => self.inner.accumulator(args),
        }
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match self.is_ours(&args) {
            true => self.accumulator(args),
            false => self.inner.create_sliding_accumulator(args),
        }
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        match (self.is_ours(&args), args.is_distinct) {
            (true, distinct) => !distinct,
            (false, _) => self.inner.groups_accumulator_supported(args),
        }
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        match self.is_ours(&args) {
            true => Ok(Box::new(Groups { measure: self.measure, groups: Vec::new(), heap: 0 })),
            false => self.inner.create_groups_accumulator(args),
        }
    }
}

#[derive(Debug)]
struct Single {
    measure: Measure,
    moments: Moments,
}

impl Accumulator for Single {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = values[0].as_primitive::<Float64Type>();
        match values.null_count() {
            0 => values.values().iter().for_each(|value| self.moments.add(self.measure, *value)),
            _ => values.iter().flatten().for_each(|value| self.moments.add(self.measure, value)),
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in values[0].as_primitive::<Float64Type>().iter().flatten() {
            self.moments.remove(value);
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        !self.measure.needs_squares()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.moments.value(self.measure)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.moments.heap_size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        state_of(self.measure, std::iter::once(&self.moments))
            .iter()
            .map(|array| ScalarValue::try_from_array(array, 0))
            .collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        (0..states[0].len()).for_each(|row| self.moments.merge(states, row));
        Ok(())
    }
}

/// Of each different value, one. The state is a list of them.
#[derive(Debug)]
struct Distinct {
    measure: Measure,
    seen: HashSet<u64>,
}

impl Accumulator for Distinct {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.seen.extend(values[0].as_primitive::<Float64Type>().iter().flatten().map(f64::to_bits));
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut moments = Moments::default();
        self.seen.iter().for_each(|bits| moments.add(self.measure, f64::from_bits(*bits)));
        Ok(ScalarValue::Float64(moments.value(self.measure)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.seen.capacity() * size_of::<u64>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values: Vec<_> = self.seen.iter().map(|bits| ScalarValue::Float64(Some(f64::from_bits(*bits)))).collect();
        Ok(vec![ScalarValue::List(ScalarValue::new_list_nullable(&values, &DataType::Float64))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for list in states[0].as_list::<i32>().iter().flatten() {
            self.update_batch(&[list])?;
        }
        Ok(())
    }
}

struct Groups {
    measure: Measure,
    groups: Vec<Moments>,
    /// Bytes that the groups hold, kept up to date: it is asked for after each batch.
    heap: usize,
}

impl Groups {
    fn each(
        &mut self,
        indexes: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
        mut add: impl FnMut(&mut Moments, usize),
    ) {
        self.groups.resize_with(total, Moments::default);
        for (row, group) in indexes.iter().enumerate() {
            if filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row)) {
                let moments = &mut self.groups[*group];
                let before = moments.heap_size();
                add(moments, row);
                self.heap = self.heap + moments.heap_size() - before;
            }
        }
    }

    fn take(&mut self, emit_to: EmitTo) -> Vec<Moments> {
        let taken = emit_to.take_needed(&mut self.groups);
        self.heap -= taken.iter().map(Moments::heap_size).sum::<usize>();
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
        let (values, measure) = (values[0].as_primitive::<Float64Type>(), self.measure);
        let (raw, nulls) = (values.values(), values.nulls());
        self.each(group_indices, opt_filter, total_num_groups, |moments, row| {
            if nulls.is_none_or(|nulls| nulls.is_valid(row)) {
                moments.add(measure, raw[row]);
            }
        });
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let mut values = Float64Builder::new();
        for moments in self.take(emit_to) {
            values.append_option(moments.value(self.measure));
        }
        Ok(Arc::new(values.finish()))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(state_of(self.measure, self.take(emit_to).iter()))
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.each(group_indices, opt_filter, total_num_groups, |moments, row| moments.merge(values, row));
        Ok(())
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let values = values[0].as_primitive::<Float64Type>();
        let rows: Vec<Moments> = (0..values.len())
            .map(|row| {
                let mut moments = Moments::default();
                if values.is_valid(row) && opt_filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row)) {
                    moments.add(self.measure, values.value(row));
                }
                moments
            })
            .collect();
        Ok(state_of(self.measure, rows.iter()))
    }

    fn supports_convert_to_state(&self) -> bool {
        true
    }

    fn size(&self) -> usize {
        self.groups.capacity() * size_of::<Moments>() + self.heap
    }
}
