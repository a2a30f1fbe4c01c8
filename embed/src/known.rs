//! The models that fastembed knows: their names, files and pooling, so that a user need not say them.

use fastembed::{EmbeddingModel, Pooling as FastPooling, TextEmbedding};

use crate::model::Pooling;

/// One model that fastembed knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownModel {
    /// Name of the folder that holds its files.
    pub folder: String,
    /// Its name where it is published, such as `Xenova/bge-small-en-v1.5`.
    pub code: String,
    /// Its ONNX file there.
    pub file: String,
    /// How its token vectors become one.
    pub pooling: Pooling,
}

impl KnownModel {
    /// Finds a model by fastembed's name (`BGESmallENV15`), by its published one or the last part of that.
    pub fn find(name: &str) -> Option<Self> {
        let infos = TextEmbedding::list_supported_models();
        let same = |text: &str| text.eq_ignore_ascii_case(name);
        let info = infos.iter().find(|info| {
            same(&info.model.to_string()) || same(&info.model_code) || same(last_part(&info.model_code))
        })?;
        Some(Self {
            folder: last_part(&info.model_code).to_owned(),
            code: info.model_code.clone(),
            file: info.model_file.clone(),
            pooling: pooling(&info.model),
        })
    }

    /// Returns the names of all of them, as folders are called.
    pub fn names() -> Vec<String> {
        let infos = TextEmbedding::list_supported_models();
        let mut names: Vec<_> = infos.iter().map(|info| last_part(&info.model_code).to_owned()).collect();
        names.sort();
        names.dedup();
        names
    }
}

fn last_part(code: &str) -> &str {
    code.rsplit('/').next().unwrap_or(code)
}

fn pooling(model: &EmbeddingModel) -> Pooling {
    match TextEmbedding::get_default_pooling_method(model) {
        Some(FastPooling::Cls) => Pooling::Cls,
        _ => Pooling::Mean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_found_by_each_of_its_names() {
        for name in ["BGESmallENV15", "bgesmallenv15", "Xenova/bge-small-en-v1.5", "bge-small-en-v1.5"] {
            let known = KnownModel::find(name).unwrap_or_else(|| panic!("{name} is known"));
            assert_eq!((known.folder.as_str(), known.pooling), ("bge-small-en-v1.5", Pooling::Cls), "{name}");
        }
        assert_eq!(KnownModel::find("bge-tiny"), None);
        assert!(KnownModel::names().iter().any(|name| name == "bge-small-en-v1.5"));
    }
}
