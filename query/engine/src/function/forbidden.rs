//! `random()`, `rand()` and `uuid()`: refused, so that the same question has the same answer.

use datafusion::arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use partitura_event::{ErrorClass, Problem};

use crate::failure::external;

/// Returns a refusing function for each name that DataFusion would make random.
pub(super) fn all() -> Vec<ScalarUDF> {
    let named = [("random", vec!["rand".to_owned()]), ("uuid", Vec::new())];
    named.into_iter().map(|(name, aliases)| ScalarUDF::from(Forbidden::new(name, aliases))).collect()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Forbidden {
    name: &'static str,
    /// All that DataFusion has: a session registers its functions anew, and one that is left under an alias would come
    /// back under its name too.
    aliases: Vec<String>,
    signature: Signature,
}

impl Forbidden {
    fn new(name: &'static str, aliases: Vec<String>) -> Self {
        let signature = Signature::one_of(
            vec![
                datafusion::logical_expr::TypeSignature::Nullary,
                datafusion::logical_expr::TypeSignature::VariadicAny,
            ],
            Volatility::Immutable,
        );
        Self { name, aliases, signature }
    }

    fn problem(&self) -> Problem {
        Problem::new(ErrorClass::Invalid, format!("{}() is refused: the same query has the same answer", self.name))
            .code("sql_random")
            .hint("for a sample, order or filter by md5 of an id and a seed: md5(concat(task_id, 'seed'))")
    }
}

impl ScalarUDFImpl for Forbidden {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Err(external(self.problem()))
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Err(external(self.problem()))
    }
}
