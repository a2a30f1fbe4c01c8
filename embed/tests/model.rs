//! The default model: its numbers, and that a text's vector is a function of the text alone.

use partitura_embed::{Embedder, FastEmbedder, ModelSettings, Purpose};

fn open(file: &str) -> FastEmbedder {
    let settings = ModelSettings { file: Some(file.to_owned()), ..ModelSettings::default() };
    let settings = settings.located(|name| std::env::var(name).ok());
    FastEmbedder::open(&settings).expect("the model is installed; run `scripts/setup.sh`")
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

const FOOD: &str = "A man is eating food.";
const BREAD: &str = "A man is eating a piece of bread.";

#[test]
fn gives_the_published_similarity() {
    for (file, tolerance) in [("model_fp32.onnx", 0.002), ("model.onnx", 0.03)] {
        let model = open(file);
        let vectors = model.embed(&[FOOD, BREAD], Purpose::Passage).unwrap();
        assert_eq!(vectors[0].len(), 384);
        assert_eq!(model.dims(), 384);
        assert!((cosine(&vectors[0], &vectors[0]) - 1.0).abs() < 1e-5);
        let similarity = cosine(&vectors[0], &vectors[1]);
        assert!((similarity - 0.755).abs() < tolerance, "{file}: {similarity}");
    }
}

#[test]
fn a_vector_never_depends_on_its_neighbours() {
    let model = open("model.onnx");
    let long = "the migration of the schema failed again because of a lock that nobody held ".repeat(30);
    let texts = [FOOD, "", "ok", &long, BREAD, "E0277 in src/main.rs", "日本語のテキスト", FOOD];
    let together = model.embed(&texts, Purpose::Passage).unwrap();
    let backwards: Vec<_> = texts.iter().rev().copied().collect();
    let mut backwards = model.embed(&backwards, Purpose::Query).unwrap();
    backwards.reverse();
    for (at, text) in texts.iter().enumerate() {
        let alone = model.embed(&[text], Purpose::Passage).unwrap();
        assert_eq!(alone[0], together[at], "{text}");
        assert_eq!(alone[0], backwards[at], "{text}");
    }
}

#[test]
fn the_id_changes_with_what_changes_vectors() {
    let (int8, fp32) = (open("model.onnx"), open("model_fp32.onnx"));
    assert_eq!(int8.model().name(), "all-MiniLM-L6-v2");
    assert_ne!(int8.model(), fp32.model());
    assert_eq!(int8.model(), open("model.onnx").model());
    let settings = ModelSettings { query_prefix: "query: ".to_owned(), ..ModelSettings::default() };
    let prefixed = FastEmbedder::open(&settings.located(|name| std::env::var(name).ok())).unwrap();
    assert_ne!(prefixed.model(), int8.model());
}

#[test]
fn a_missing_file_is_named_with_its_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let settings = ModelSettings { dir: Some(dir.path().to_owned()), ..ModelSettings::default() };
    let error = FastEmbedder::open(&settings.located(|name| std::env::var(name).ok())).err().unwrap();
    assert_eq!(error.code, "model_missing");
    assert!(error.detail.contains("model.onnx"), "{error}");
    assert!(error.hint.unwrap().contains("scripts/setup.sh model"));
}
