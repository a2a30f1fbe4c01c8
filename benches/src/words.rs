//! Words of the trade, and texts of them: no data of anybody's.

use std::sync::LazyLock;

use crate::dice::Dice;

/// What people and agents write about.
pub static WORDS: LazyLock<Vec<&'static str>> = LazyLock::new(|| TEXT.split_whitespace().collect());

/// Many words in a row, to copy from: a load must not be busy with making its texts.
static LONG: LazyLock<String> = LazyLock::new(|| {
    let mut dice = Dice::new(12, 0);
    let word = |_| WORDS[dice.below(WORDS.len() as u64) as usize];
    (0..60_000).map(word).collect::<Vec<_>>().join(" ")
});

/// Appends about `bytes` of words, at most half of what there are.
pub fn fill(text: &mut String, dice: &mut Dice, bytes: usize) {
    let from = dice.below((LONG.len() / 2) as u64) as usize;
    let part = &LONG[from..(from + bytes).min(LONG.len())];
    text.push_str(part.trim());
}

/// Returns a text of `count` words about a topic: some of its own words, some of everybody's.
pub fn about(topic: u64, dice: &mut Dice, count: usize) -> String {
    let own: Vec<&str> = {
        let mut dice = Dice::new(11, topic);
        (0..18).map(|_| WORDS[dice.below(WORDS.len() as u64) as usize]).collect()
    };
    let mut text = String::with_capacity(count * 9);
    for n in 0..count {
        let word = match dice.below(10) {
            0..=5 => dice.skewed(&own),
            6 | 7 => dice.skewed(LINKS),
            _ => WORDS[dice.below(WORDS.len() as u64) as usize],
        };
        text.push_str(if n == 0 { "" } else { " " });
        text.push_str(word);
    }
    text
}

const LINKS: &[&str] =
    &["the", "of", "and", "after", "with", "in", "on", "when", "because", "to", "for", "fails", "is slow", "does not"];

const TEXT: &str = "\
    schema migration timeout connection pool retry index query planner cache deploy rollback token latency \
    budget review refactor parser stream worker queue memory segment commit replica failover metric alert \
    dashboard policy agent handoff login session password certificate header cookie browser button layout \
    translation invoice payment refund currency tax customer order basket warehouse shipment courier address \
    map route sensor battery firmware kernel driver scheduler thread deadlock race lock mutex channel socket \
    packet gateway proxy firewall subnet domain resolver backup restore snapshot volume disk partition \
    checksum corruption repair compiler linker symbol macro lifetime borrow trait generic closure iterator \
    panic exception stack heap allocator garbage profile benchmark regression coverage fixture mock assertion \
    flake pipeline artifact container image registry cluster node quota namespace secret rotation audit \
    consent retention erasure export import report chart forecast anomaly cohort experiment variant \
    significance survey ticket incident escalation runbook postmortem outage capacity throttle burst backlog \
    sprint estimate milestone roadmap release changelog version dependency licence vulnerability patch \
    sandbox prompt embedding vector retrieval ranking summary citation hallucination grader rubric dataset \
    label annotation tokenizer transcript meeting calendar reminder notification webhook signature callback \
    polling pagination cursor filter sort join aggregate window column row table view trigger constraint \
    transaction isolation";
