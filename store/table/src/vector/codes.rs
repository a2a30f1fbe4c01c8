//! Rows in one byte per number: what a scan reads instead of four, with a bound on how far it is off.
//!
//! A row `v` is kept as whole numbers 1 to 255 around 128, with a scale of its own: `v ≈ scale × (code − 128)`.
//! The product of two such rows differs from the true one by at most `|q̂|·e + e_q·|v|`, where the `e` are the
//! lengths of what rounding took. So a scan of codes never decides: it names the rows that could be among the
//! nearest, and their products are computed again with all bits. The answer is that of an exact scan.

use lance_linalg::distance::dot_u8::dot_u8_u64;

const MIDDLE: f32 = 128.0;
/// Largest distance from the middle.
const REACH: f32 = 127.0;
/// More than the sums of floats can be off.
const ROUNDING: f32 = 1e-5;

/// All rows, coded.
#[derive(Debug, Default)]
pub(super) struct Codes {
    dims: usize,
    bytes: Vec<u8>,
    /// Scale, and the sum of the codes.
    rows: Vec<(f32, u32)>,
    /// Longest of what rounding took from a row.
    error: f32,
    /// Longest row.
    length: f32,
}

/// A query, coded.
pub(super) struct CodedQuery {
    bytes: Vec<u8>,
    scale: f32,
    sum: u32,
    /// How far a product can be off.
    pub slack: f32,
}

struct Coded {
    scale: f32,
    sum: u32,
    error: f32,
    /// Length of what the codes say.
    length: f32,
}

impl Codes {
    pub fn new(dims: usize) -> Self {
        Self { dims, ..Self::default() }
    }

    /// Adds a row.
    pub fn push(&mut self, vector: &[f32]) {
        let coded = code(vector, &mut self.bytes);
        self.rows.push((coded.scale, coded.sum));
        self.error = self.error.max(coded.error);
        self.length = self.length.max(length(vector));
    }

    /// Codes a query.
    pub fn query(&self, vector: &[f32]) -> CodedQuery {
        let mut bytes = Vec::with_capacity(vector.len());
        let Coded { scale, sum, error, length } = code(vector, &mut bytes);
        let slack = length * self.error + error * self.length + ROUNDING;
        CodedQuery { bytes, scale, sum, slack }
    }

    /// Returns the product of the query and a row, off by at most the query's slack.
    pub fn product(&self, query: &CodedQuery, row: usize) -> f32 {
        let (scale, sum) = self.rows[row];
        let dot = dot_u8_u64(&query.bytes, &self.bytes[row * self.dims..][..self.dims]) as i64;
        // In whole numbers, because the terms are large and nearly cancel each other.
        let centred = dot - 128 * (i64::from(sum) + i64::from(query.sum)) + (128 * 128 * self.dims) as i64;
        scale * query.scale * centred as f32
    }
}

fn code(vector: &[f32], bytes: &mut Vec<u8>) -> Coded {
    let largest = vector.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    let scale = if largest > 0.0 { largest / REACH } else { 1.0 };
    let (mut sum, mut error, mut long) = (0_u32, 0.0_f64, 0.0_f64);
    for x in vector {
        let level = (x / scale).round().clamp(-REACH, REACH);
        let byte = (level + MIDDLE) as u8;
        bytes.push(byte);
        sum += u32::from(byte);
        error += f64::from(x - level * scale).powi(2);
        long += f64::from(level * scale).powi(2);
    }
    Coded { scale, sum, error: error.sqrt() as f32, length: long.sqrt() as f32 }
}

fn length(vector: &[f32]) -> f32 {
    vector.iter().map(|x| x * x).sum::<f32>().sqrt()
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn products_are_off_by_no_more_than_the_slack() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for dims in [1, 16, 384, 1024] {
            let mut random = |spread: f32| {
                let raw: Vec<f32> = (0..dims).map(|_| rng.random_range(-spread..1.0)).collect();
                let norm = length(&raw).max(f32::MIN_POSITIVE);
                raw.into_iter().map(|x| x / norm).collect::<Vec<f32>>()
            };
            let mut rows: Vec<_> = (0..200).map(|n| random(n as f32 / 100.0)).collect();
            rows.push(vec![0.0; dims]);
            let mut codes = Codes::new(dims);
            rows.iter().for_each(|row| codes.push(row));
            for query in (0..20).map(|_| random(1.0)) {
                let coded = codes.query(&query);
                assert!(coded.slack < 0.05, "{dims}: {}", coded.slack);
                for (at, row) in rows.iter().enumerate() {
                    let truth: f32 = query.iter().zip(row).map(|(a, b)| a * b).sum();
                    let off = (codes.product(&coded, at) - truth).abs();
                    assert!(off <= coded.slack, "{dims}, row {at}: {off} > {}", coded.slack);
                }
            }
        }
    }
}
