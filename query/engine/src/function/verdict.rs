//! `_verdict(…)`: what a piece of work came to, by the workspace's policy. Used by `tasks` and `attempts`.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, ListArray, StringArray, StringBuilder, StructArray,
    TimestampMicrosecondArray, UInt64Array,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use partitura_event::Timestamp;

use super::by_rules::ByRules;
use crate::rules::Rules;
use crate::rules::condition::{Artifact, Evidence, Outcome};

/// Returns `_verdict(task_type, result, ended_at, outcomes, artifacts)` → `{verdict, verdict_by}`, where
/// outcomes are a list of `{time, pos, name, evaluator, value, label, success}` in any order, and
/// artifacts a list of `{kind, state}`.
pub(super) fn verdict(rules: Arc<Rules>) -> ScalarUDF {
    ScalarUDF::from(VerdictFunction { rules: ByRules(rules), signature: Signature::any(5, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct VerdictFunction {
    rules: ByRules,
    signature: Signature,
}

fn fields() -> Fields {
    Fields::from(vec![Field::new("verdict", DataType::Utf8, true), Field::new("verdict_by", DataType::Utf8, true)])
}

impl ScalarUDFImpl for VerdictFunction {
    fn name(&self) -> &str {
        "_verdict"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(fields()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let arrays = args.args.iter().map(|arg| arg.to_array(rows)).collect::<Result<Vec<_>>>()?;
        let types: StringArray = cast(&arrays[0], &DataType::Utf8)?.as_string().clone();
        let results: StringArray = cast(&arrays[1], &DataType::Utf8)?.as_string().clone();
        let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let ended: TimestampMicrosecondArray = cast(&arrays[2], &utc)?.as_primitive().clone();
        let outcomes = Outcomes::new(&arrays[3])?;
        let artifacts = Artifacts::new(&arrays[4])?;

        let (mut verdicts, mut by) = (StringBuilder::new(), StringBuilder::new());
        for row in 0..rows {
            let evidence = Evidence {
                outcomes: outcomes.of(row),
                artifacts: artifacts.of(row),
                result: cell(&results, row).map(str::to_owned),
            };
            let ended_at = (!ended.is_null(row)).then(|| Timestamp::from_micros(ended.value(row))).flatten();
            let rules = &self.rules.0;
            let decided = rules.policies.decide(cell(&types, row), &evidence, ended_at, rules.now);
            verdicts.append_option(decided.as_ref().map(|decided| decided.verdict));
            by.append_option(decided.and_then(|decided| decided.by));
        }
        let columns: Vec<ArrayRef> = vec![Arc::new(verdicts.finish()), Arc::new(by.finish())];
        Ok(ColumnarValue::Array(Arc::new(StructArray::try_new(fields(), columns, None)?)))
    }
}

fn cell(column: &StringArray, row: usize) -> Option<&str> {
    (!column.is_null(row)).then(|| column.value(row))
}

/// Where the items of each row begin and end.
struct Items {
    lists: ListArray,
}

impl Items {
    fn of(&self, row: usize) -> std::ops::Range<usize> {
        if self.lists.is_null(row) {
            return 0..0;
        }
        let offsets = self.lists.value_offsets();
        offsets[row] as usize..offsets[row + 1] as usize
    }
}

fn column(items: &StructArray, name: &str, ty: &DataType) -> Result<ArrayRef> {
    match items.column_by_name(name) {
        Some(column) => Ok(cast(column, ty)?),
        None => Err(DataFusionError::Internal(format!("evidence has no `{name}`"))),
    }
}

struct Outcomes {
    items: Items,
    times: TimestampMicrosecondArray,
    positions: UInt64Array,
    names: StringArray,
    evaluators: StringArray,
    values: Float64Array,
    labels: StringArray,
    successes: ArrayRef,
}

impl Outcomes {
    fn new(array: &ArrayRef) -> Result<Self> {
        let lists = array.as_list::<i32>().clone();
        let items = lists.values().as_struct().clone();
        let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        Ok(Self {
            times: column(&items, "time", &utc)?.as_primitive().clone(),
            positions: column(&items, "pos", &DataType::UInt64)?.as_primitive().clone(),
            names: column(&items, "name", &DataType::Utf8)?.as_string().clone(),
            evaluators: column(&items, "evaluator", &DataType::Utf8)?.as_string().clone(),
            values: column(&items, "value", &DataType::Float64)?.as_primitive().clone(),
            labels: column(&items, "label", &DataType::Utf8)?.as_string().clone(),
            successes: column(&items, "success", &DataType::Boolean)?,
            items: Items { lists },
        })
    }

    /// Returns the outcomes of a row in the order of their times, ties by position.
    fn of(&self, row: usize) -> Vec<Outcome> {
        let mut order: Vec<usize> = self.items.of(row).collect();
        order.sort_by_key(|index| (self.times.value(*index), self.positions.value(*index)));
        let successes = self.successes.as_boolean();
        let outcome = |index: usize| Outcome {
            name: cell(&self.names, index).unwrap_or_default().to_owned(),
            evaluator: cell(&self.evaluators, index).unwrap_or_default().to_owned(),
            value: (!self.values.is_null(index)).then(|| self.values.value(index)),
            label: cell(&self.labels, index).map(str::to_owned),
            success: (!successes.is_null(index)).then(|| successes.value(index)),
        };
        order.into_iter().map(outcome).collect()
    }
}

struct Artifacts {
    items: Items,
    kinds: StringArray,
    states: StringArray,
}

impl Artifacts {
    fn new(array: &ArrayRef) -> Result<Self> {
        let lists = array.as_list::<i32>().clone();
        let items = lists.values().as_struct().clone();
        let kinds = column(&items, "kind", &DataType::Utf8)?.as_string().clone();
        let states = column(&items, "state", &DataType::Utf8)?.as_string().clone();
        Ok(Self { items: Items { lists }, kinds, states })
    }

    fn of(&self, row: usize) -> Vec<Artifact> {
        let artifact = |index: usize| Artifact {
            kind: cell(&self.kinds, index).map(str::to_owned),
            state: cell(&self.states, index).map(str::to_owned),
        };
        self.items.of(row).map(artifact).collect()
    }
}
