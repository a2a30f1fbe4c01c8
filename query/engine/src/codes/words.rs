//! `_code(word)` and `_word(code)`: numbers for words, as long as one plan lives.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayBuilder, ArrayRef, AsArray, DictionaryArray, Int32Builder, StringArray, StringBuilder, UInt32Array,
};
use datafusion::arrow::datatypes::{DataType, Int32Type, UInt32Type};
use datafusion::common::HashMap;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use parking_lot::Mutex;
use partitura_event::{ErrorClass, Problem};

use super::words_type;
use crate::failure::external;

/// Most bytes of words in one list: they are not counted as the memory of a query.
const BYTES_MAX: usize = 64 << 20;

/// A list of words; a word's number is its place.
#[derive(Debug, Default)]
pub(super) struct Words(Mutex<List>);

#[derive(Debug, Default)]
struct List {
    numbers: HashMap<Arc<str>, u32>,
    words: Vec<Arc<str>>,
    bytes: usize,
}

impl List {
    fn number(&mut self, word: &str) -> Result<u32> {
        if let Some(number) = self.numbers.get(word) {
            return Ok(*number);
        }
        self.bytes += word.len() + 2 * size_of::<(Arc<str>, u32)>();
        if self.bytes > BYTES_MAX {
            let detail = format!("the groups have more than {BYTES_MAX} bytes of different words");
            return Err(external(Problem::new(ErrorClass::ResourcesExhausted, detail).code("sql_memory")));
        }
        let (number, word): (u32, Arc<str>) = (self.words.len() as u32, Arc::from(word));
        self.words.push(Arc::clone(&word));
        self.numbers.insert(word, number);
        Ok(number)
    }
}

impl Words {
    /// Returns the numbers of a column of words; nulls have none.
    fn codes(&self, column: &DictionaryArray<Int32Type>) -> Result<UInt32Array> {
        let (keys, words) = (column.keys(), column.values().as_string::<i32>());
        let mut list = self.0.lock();
        if words.len() > keys.len() {
            let number = |key: Option<i32>| {
                let word = key.map(|key| key as usize).filter(|key| !words.is_null(*key));
                word.map(|key| list.number(words.value(key))).transpose()
            };
            return keys.iter().map(number).collect();
        }
        let number = |word: Option<&str>| word.map(|word| list.number(word)).transpose();
        let numbers = words.iter().map(number).collect::<Result<Vec<Option<u32>>>>()?;
        drop(list);
        if words.null_count() > 0 {
            // Tables keep null as one more word.
            return Ok(keys.iter().map(|key| numbers.get(key? as usize).copied().flatten()).collect());
        }
        // What lies under a null may point anywhere.
        Ok(keys.unary(|key| numbers.get(key as usize).copied().flatten().unwrap_or_default()))
    }

    /// Returns the words of a column of numbers.
    fn words(&self, codes: &UInt32Array) -> Result<DictionaryArray<Int32Type>> {
        let list = self.0.lock();
        let mut places: HashMap<u32, i32> = HashMap::new();
        let (mut keys, mut words) = (Int32Builder::with_capacity(codes.len()), StringBuilder::new());
        for code in codes {
            let place = code.map(|code| {
                *places.entry(code).or_insert_with_key(|code| {
                    words.append_value(list.words.get(*code as usize).map_or("", AsRef::as_ref));
                    words.len() as i32 - 1
                })
            });
            keys.append_option(place);
        }
        let words: StringArray = words.finish();
        Ok(DictionaryArray::try_new(keys.finish(), Arc::new(words))?)
    }
}

/// Returns the function from words to numbers.
pub(super) fn code(words: &Arc<Words>) -> ScalarUDF {
    ScalarUDF::from(Coding { direction: Direction::ToCode, words: Arc::clone(words), signature: signature() })
}

/// Returns the function from numbers to words.
pub(super) fn word(words: &Arc<Words>) -> ScalarUDF {
    ScalarUDF::from(Coding { direction: Direction::ToWord, words: Arc::clone(words), signature: signature() })
}

fn signature() -> Signature {
    Signature::any(1, Volatility::Immutable)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Direction {
    ToCode,
    ToWord,
}

/// Two functions are the same when they share a list and a direction.
#[derive(Debug)]
struct Coding {
    direction: Direction,
    words: Arc<Words>,
    signature: Signature,
}

impl PartialEq for Coding {
    fn eq(&self, other: &Self) -> bool {
        self.direction == other.direction && Arc::ptr_eq(&self.words, &other.words)
    }
}

impl Eq for Coding {}

impl Hash for Coding {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.direction.hash(state);
        Arc::as_ptr(&self.words).hash(state);
    }
}

impl ScalarUDFImpl for Coding {
    fn name(&self) -> &str {
        match self.direction {
            Direction::ToCode => "_code",
            Direction::ToWord => "_word",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.direction {
            Direction::ToCode => DataType::UInt32,
            Direction::ToWord => words_type(),
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let values = args.args[0].to_array(args.number_rows)?;
        let wrong = || DataFusionError::Internal(format!("{} of {}", self.name(), values.data_type()));
        let made: ArrayRef = match self.direction {
            Direction::ToCode => {
                Arc::new(self.words.codes(values.as_dictionary_opt::<Int32Type>().ok_or_else(wrong)?)?)
            }
            Direction::ToWord => {
                Arc::new(self.words.words(values.as_primitive_opt::<UInt32Type>().ok_or_else(wrong)?)?)
            }
        };
        Ok(ColumnarValue::Array(made))
    }
}
