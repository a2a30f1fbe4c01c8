//! Chunks and passages: every token in some chunk, ranges on character borders, context only where it fits.

use partitura_embed::{Embedder, HashEmbedder, Passage, chunks};

fn numbered(count: usize) -> String {
    (0..count).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ")
}

#[test]
fn chunks_cover_the_text_and_overlap() {
    let model = HashEmbedder::new(8, 100);
    for (words, budget, expected) in [(0, 100, 0), (1, 100, 1), (100, 100, 1), (101, 100, 2), (500, 100, 7), (5, 1, 5)]
    {
        let text = numbered(words);
        let cut = chunks(&model, &text, budget).unwrap();
        assert_eq!(cut.len(), expected, "{words} words, {budget} each");
        let mut seen = 0;
        for chunk in &cut {
            let piece = &text[chunk.range.clone()];
            assert!(model.tokens(piece).unwrap().len() <= budget);
            assert!(chunk.range.start <= seen + 1, "no gap before byte {}", chunk.range.start);
            seen = chunk.range.end;
        }
        assert_eq!(seen, text.len());
    }
}

#[test]
fn ranges_fall_on_character_borders() {
    let model = HashEmbedder::new(8, 4);
    let text = "größe 日本 語 naïve 🎼🎼 Привет мир ßß éé";
    for chunk in chunks(&model, text, 2).unwrap() {
        assert!(text.get(chunk.range.clone()).is_some(), "{chunk:?}");
    }
}

#[test]
fn passages_carry_title_and_context() {
    let model = HashEmbedder::new(8, 30);
    let of = |title: Option<&str>, text: &str, context: Option<&str>| {
        let passages = Passage::of(&model, title, text, context).unwrap();
        passages.into_iter().map(|passage| passage.text).collect::<Vec<_>>()
    };
    assert_eq!(of(None, "yes", None), ["yes"]);
    assert_eq!(of(None, "", None), Vec::<String>::new());
    assert_eq!(of(Some("Locks"), "", None), ["Locks"]);
    assert_eq!(of(Some("Locks"), "hold them briefly", None), ["Locks\nhold them briefly"]);
    assert_eq!(of(Some("Locks"), "Locks and keys", None), ["Locks and keys"], "a title that the text repeats");
    assert_eq!(of(None, "ann: yes", Some("bob: tea?")), ["bob: tea?\nann: yes"]);
    let context = numbered(100);
    let tail = (80..100).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
    assert_eq!(of(None, &numbered(10), Some(&context)), [format!("{tail}\n{}", numbered(10))]);
    assert_eq!(of(None, &numbered(25), Some(&context)), [numbered(25)], "no room worth using");
    assert!(of(None, &numbered(45), Some(&context)).iter().all(|text| !text.contains("w99")));
}
