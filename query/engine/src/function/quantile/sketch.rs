//! How values are distributed, kept in buckets that do not depend on the order of rows.
//!
//! A bucket holds values of the same sign whose logarithms are close: 128 buckets for each doubling, so
//! values in one differ by less than 0.8 %. Each keeps how many it holds, the least and the greatest.
//! Where a bucket holds one value, or equal ones, quantiles are exact.

/// Bits of a float's fraction that tell buckets apart.
const FINE_BITS: u32 = 7;
const DROPPED_BITS: u32 = 52 - FINE_BITS;

/// Values in one bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bucket {
    pub count: u64,
    pub least: f64,
    pub greatest: f64,
}

const EMPTY: Bucket = Bucket { count: 0, least: f64::INFINITY, greatest: f64::NEG_INFINITY };

impl Bucket {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.least = self.least.min(other.least);
        self.greatest = self.greatest.max(other.greatest);
    }

    /// Returns the value at `place` of the bucket's values in order, as if they lay evenly.
    fn at(&self, place: u64) -> f64 {
        if self.count < 2 || self.least == self.greatest {
            return self.least;
        }
        self.least + (self.greatest - self.least) * (place as f64 / (self.count - 1) as f64)
    }
}

/// Buckets of values of one sign, without gaps between the first and the last.
#[derive(Clone, Debug, Default)]
struct Side {
    first: u64,
    buckets: Vec<Bucket>,
}

impl Side {
    #[inline]
    fn add(&mut self, added: Bucket) {
        let place = added.least.abs().to_bits() >> DROPPED_BITS;
        if let Some(bucket) = place.checked_sub(self.first).and_then(|place| self.buckets.get_mut(place as usize)) {
            return bucket.add(added);
        }
        self.make_place(place);
        self.buckets[(place - self.first) as usize].add(added);
    }

    #[cold]
    fn make_place(&mut self, place: u64) {
        if self.buckets.is_empty() {
            self.first = place;
        }
        if place < self.first {
            let missing = (self.first - place) as usize;
            self.buckets.splice(0..0, std::iter::repeat_n(EMPTY, missing));
            self.first = place;
        }
        let needed = (place - self.first) as usize + 1;
        if needed > self.buckets.len() {
            self.buckets.resize(needed, EMPTY);
        }
    }

    fn filled(&self) -> impl DoubleEndedIterator<Item = Bucket> + '_ {
        self.buckets.iter().copied().filter(|bucket| bucket.count > 0)
    }
}

/// The distribution of one group. Zeros, infinities and NaN are counted apart; NaN is the greatest.
#[derive(Clone, Debug, Default)]
pub(super) struct Sketch {
    negative: Side,
    positive: Side,
    zeros: u64,
    infinities: u64,
    negative_infinities: u64,
    nans: u64,
}

impl Sketch {
    /// Adds a value.
    #[inline]
    pub fn add(&mut self, value: f64) {
        self.add_bucket(Bucket { count: 1, least: value, greatest: value });
    }

    /// Adds what another sketch says of one bucket.
    #[inline]
    pub fn add_bucket(&mut self, bucket: Bucket) {
        let value = bucket.least;
        if value.is_finite() && value > 0.0 {
            self.positive.add(bucket);
        } else if value.is_finite() && value < 0.0 {
            self.negative.add(bucket);
        } else if value == 0.0 {
            self.zeros += bucket.count;
        } else if value.is_nan() {
            self.nans += bucket.count;
        } else if value > 0.0 {
            self.infinities += bucket.count;
        } else {
            self.negative_infinities += bucket.count;
        }
    }

    /// Returns the filled buckets in the order of their values.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> + '_ {
        let one =
            |count: u64, value: f64| (count > 0).then_some(Bucket { count, least: value, greatest: value }).into_iter();
        one(self.negative_infinities, f64::NEG_INFINITY)
            .chain(self.negative.filled().rev())
            .chain(one(self.zeros, 0.0))
            .chain(self.positive.filled())
            .chain(one(self.infinities, f64::INFINITY))
            .chain(one(self.nans, f64::NAN))
    }

    /// Returns the value below which the part `quantile` of all values lies, between neighbours where it
    /// falls between them; `None` without values.
    pub fn quantile(&self, quantile: f64) -> Option<f64> {
        let total: u64 = self.buckets().map(|bucket| bucket.count).sum();
        let last = total.checked_sub(1)?;
        let rank = quantile.clamp(0.0, 1.0) * last as f64;
        let (low, part) = (rank.floor(), rank.fract());
        let below = self.value_at(low as u64)?;
        if part == 0.0 {
            return Some(below);
        }
        let above = self.value_at((low as u64 + 1).min(last))?;
        Some(if below == above { below } else { below + (above - below) * part })
    }

    fn value_at(&self, rank: u64) -> Option<f64> {
        let mut before = 0;
        for bucket in self.buckets() {
            if rank < before + bucket.count {
                return Some(bucket.at(rank - before));
            }
            before += bucket.count;
        }
        None
    }

    /// Returns the bytes that it holds outside of itself.
    pub fn heap_size(&self) -> usize {
        (self.negative.buckets.capacity() + self.positive.buckets.capacity()) * size_of::<Bucket>()
    }
}

#[cfg(test)]
mod tests {
    use super::{Bucket, Sketch};

    fn sketch(values: impl IntoIterator<Item = f64>) -> Sketch {
        let mut sketch = Sketch::default();
        values.into_iter().for_each(|value| sketch.add(value));
        sketch
    }

    #[test]
    fn few_values_are_exact() {
        let of = sketch([5.0, -1.0, 0.0, 2.0, 1e-300, -7e9]);
        let at: Vec<_> = (0..=5).map(|n| of.quantile(f64::from(n) / 5.0).expect("values")).collect();
        assert_eq!(at, [-7e9, -1.0, 0.0, 1e-300, 2.0, 5.0]);
        assert_eq!(sketch([1.0, 2.0]).quantile(0.5), Some(1.5));
        assert_eq!(sketch([]).quantile(0.5), None);
    }

    #[test]
    fn many_values_are_near() {
        let of = sketch((1..=100_000).map(|n| f64::from(n * 7919 % 100_003) + 0.5));
        for quantile in [0.01, 0.25, 0.5, 0.9, 0.95, 0.999] {
            let (found, truth) = (of.quantile(quantile).expect("values"), 100_000.0 * quantile);
            assert!((found / truth - 1.0).abs() < 0.005, "{quantile}: {found} instead of {truth}");
        }
    }

    #[test]
    fn neither_order_nor_parts_matter() {
        let values: Vec<f64> = (0..5_000).map(|n: i32| f64::from(n * 7919 % 5_003 - 900).powi(3) / 77.0).collect();
        let forward = sketch(values.iter().copied());
        let mut merged = sketch(values.iter().rev().take(1_234).copied());
        sketch(values.iter().take(5_000 - 1_234).copied())
            .buckets()
            .for_each(|bucket: Bucket| merged.add_bucket(bucket));
        for quantile in 0..=100 {
            let quantile = f64::from(quantile) / 100.0;
            assert_eq!(forward.quantile(quantile), merged.quantile(quantile), "{quantile}");
        }
    }

    #[test]
    fn specials_have_their_place() {
        let of = sketch([f64::NAN, f64::INFINITY, 1.0, f64::NEG_INFINITY, -0.0]);
        assert_eq!(of.quantile(0.0), Some(f64::NEG_INFINITY));
        assert_eq!(of.quantile(0.25), Some(0.0));
        assert_eq!(of.quantile(0.75), Some(f64::INFINITY));
        assert!(of.quantile(1.0).is_some_and(f64::is_nan));
    }
}
