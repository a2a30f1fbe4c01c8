//! All chance of a simulation, out of one seed.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A seeded source of chance.
pub struct Dice(ChaCha8Rng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Returns a number from 0 up to 1.
    pub fn unit(&mut self) -> f64 {
        self.0.random()
    }

    /// Returns true with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Returns a number of `low..high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0.random_range(low..high)
    }

    /// Returns one of `all`.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let at = self.0.random_range(0..all.len());
        &all[at]
    }

    /// Returns a positive number around `median`, with a long tail to the right.
    pub fn around(&mut self, median: f64, spread: f64) -> f64 {
        // The sum of twelve uniform numbers is close to normal, and needs no library.
        let normal: f64 = (0..12).map(|_| self.unit()).sum::<f64>() - 6.0;
        median * (normal * spread).exp()
    }

    /// Returns the place of a weight, by weight.
    pub fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (at, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return at;
            }
        }
        weights.len().saturating_sub(1)
    }
}
