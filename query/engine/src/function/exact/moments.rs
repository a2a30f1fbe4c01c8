//! Count, sum and sum of squares, exact, and what is made of them.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Float64Builder, Int64Array, ListBuilder};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};

use super::expansion::Expansion;
use super::sum::ExactSum;

/// What is made of count, sum and sum of squares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Measure {
    Sum,
    Mean,
    Variance { sample: bool },
    Deviation { sample: bool },
}

impl Measure {
    /// Returns whether it needs the sum of squares.
    pub const fn needs_squares(self) -> bool {
        matches!(self, Self::Variance { .. } | Self::Deviation { .. })
    }

    /// Returns the columns of an unfinished aggregate.
    pub fn state_fields(self, name: &str) -> Vec<FieldRef> {
        let field = |part: &str, ty: DataType| Arc::new(Field::new(format!("{name}[{part}]"), ty, false));
        let mut fields = vec![field("count", DataType::Int64), field("sum", pieces_type())];
        fields.extend(self.needs_squares().then(|| field("squares", pieces_type())));
        fields
    }
}

/// Returns the type of a sum that is handed on: floats whose exact sum it is.
pub(super) fn pieces_type() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Float64, true)))
}

/// Of one group.
#[derive(Clone, Debug, Default)]
pub(super) struct Moments {
    count: i64,
    sum: ExactSum,
    squares: ExactSum,
}

impl Moments {
    /// Adds a value.
    #[inline]
    pub fn add(&mut self, measure: Measure, value: f64) {
        self.count += 1;
        self.sum.add(value);
        if measure.needs_squares() {
            self.squares.add_product(value, value);
        }
    }

    /// Takes a value away, of measures that need no squares.
    pub fn remove(&mut self, value: f64) {
        self.count -= 1;
        self.sum.remove(value);
    }

    /// Returns the measure, or `None` when there are too few values for it.
    pub fn value(&self, measure: Measure) -> Option<f64> {
        let count = self.count as f64;
        match measure {
            _ if self.count <= 0 => None,
            Measure::Sum => Some(self.sum.value()),
            Measure::Mean => Some(self.sum.value() / count),
            Measure::Variance { sample } => self.variance(sample),
            Measure::Deviation { sample } => self.variance(sample).map(f64::sqrt),
        }
    }

    /// `(n Σx² − (Σx)²) / n / (n − 1)`, the difference computed exactly.
    fn variance(&self, sample: bool) -> Option<f64> {
        let count = self.count as f64;
        let divisor = if sample { count - 1.0 } else { count };
        if divisor <= 0.0 {
            return None;
        }
        let (sum, squares) = (self.sum.expansion(), self.squares.expansion());
        if !sum.is_finite() || !squares.is_finite() {
            return Some(f64::NAN);
        }
        let mut difference = Expansion::default();
        for square in squares.parts() {
            difference.add_product(count, *square);
        }
        for left in sum.parts() {
            for right in sum.parts() {
                difference.add_product(-left, *right);
            }
        }
        Some(difference.value().max(0.0) / count / divisor)
    }

    /// Adds row `row` of what [`state_of`] made.
    pub fn merge(&mut self, states: &[ArrayRef], row: usize) {
        self.count += states[0].as_primitive::<Int64Type>().value(row);
        for (sum, lists) in [&mut self.sum, &mut self.squares].into_iter().zip(&states[1..]) {
            let lists = lists.as_list::<i32>();
            let offsets = lists.value_offsets();
            let pieces = lists.values().as_primitive::<Float64Type>().values();
            pieces[offsets[row] as usize..offsets[row + 1] as usize].iter().for_each(|piece| sum.add(*piece));
        }
    }

    /// Returns the bytes that it holds outside of itself.
    pub fn heap_size(&self) -> usize {
        self.sum.heap_size() + self.squares.heap_size()
    }
}

/// Returns unfinished aggregates, one row each, in the columns of [`Measure::state_fields`].
pub(super) fn state_of<'a>(measure: Measure, groups: impl Iterator<Item = &'a Moments> + Clone) -> Vec<ArrayRef> {
    let list = |of: fn(&Moments) -> &ExactSum| {
        let mut lists = ListBuilder::new(Float64Builder::new());
        for moments in groups.clone() {
            of(moments).pieces().for_each(|piece| lists.values().append_value(piece));
            lists.append(true);
        }
        Arc::new(lists.finish()) as ArrayRef
    };
    let counts = Int64Array::from_iter_values(groups.clone().map(|moments| moments.count));
    let mut columns: Vec<ArrayRef> = vec![Arc::new(counts), list(|moments| &moments.sum)];
    if measure.needs_squares() {
        columns.push(list(|moments| &moments.squares));
    }
    columns
}
