//! `embed(text)`: the vector of a text, by the model of the server.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, FixedSizeListBuilder, Float32Builder};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use partitura_event::{ErrorClass, Problem};

use crate::failure::external;
use crate::hook::SqlEmbed;

/// Most texts that one batch may embed: a model does some hundred per second.
const TEXTS_MAX: usize = 1_024;

/// Returns the function.
pub(super) fn embed(model: Arc<dyn SqlEmbed>) -> ScalarUDF {
    ScalarUDF::from(Embed { model, signature: Signature::string(1, Volatility::Immutable) })
}

fn dims(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

struct Embed {
    model: Arc<dyn SqlEmbed>,
    signature: Signature,
}

impl fmt::Debug for Embed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embed").field("dims", &self.model.dims()).finish_non_exhaustive()
    }
}

impl PartialEq for Embed {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.model, &other.model)
    }
}

impl Eq for Embed {}

impl Hash for Embed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.model).cast::<()>().hash(state);
    }
}

impl ScalarUDFImpl for Embed {
    fn name(&self) -> &str {
        "embed"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::FixedSizeList(Arc::new(Field::new_list_field(DataType::Float32, true)), dims(self.model.dims())))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = matches!(args.args[0], ColumnarValue::Scalar(_));
        let rows = if constant { 1 } else { args.number_rows };
        let texts = cast(&args.args[0].to_array(rows)?, &DataType::Utf8)?;
        let texts = texts.as_string::<i32>();
        if texts.len() - texts.null_count() > TEXTS_MAX {
            let detail = format!("embed was given {} texts at once; at most {TEXTS_MAX} are embedded", texts.len());
            let hint = "embed a few constants; documents have their vectors already: use vector_search";
            return Err(external(Problem::new(ErrorClass::TooLarge, detail).code("sql_too_complex").hint(hint)));
        }
        let given: Vec<&str> = texts.iter().flatten().collect();
        let mut vectors = self.model.embed(&given).map_err(external)?.into_iter();
        // The plan's length: another model may have taken over since it was made.
        let DataType::FixedSizeList(_, length) = args.return_field.data_type() else {
            return Err(external(Problem::new(ErrorClass::Internal, "embed was planned without a length")));
        };
        if vectors.as_slice().iter().any(|vector| dims(vector.len()) != *length) {
            let problem = Problem::new(ErrorClass::Unavailable, "another embedding model took over during the query");
            return Err(external(problem.hint("send it again")));
        }
        let mut lists = FixedSizeListBuilder::new(Float32Builder::new(), *length);
        for row in 0..texts.len() {
            match (!texts.is_null(row)).then(|| vectors.next()).flatten() {
                Some(vector) => vector.iter().for_each(|value| lists.values().append_value(*value)),
                None => (0..*length).for_each(|_| lists.values().append_null()),
            }
            lists.append(!texts.is_null(row));
        }
        let array: ArrayRef = Arc::new(lists.finish());
        match constant {
            true => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?)),
            false => Ok(ColumnarValue::Array(array)),
        }
    }
}
