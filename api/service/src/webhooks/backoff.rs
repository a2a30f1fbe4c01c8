//! How long to wait after a failure: longer each time, and by chance, so that many do not come back at once.

use std::time::Duration;

/// Exponential backoff with full jitter.
#[derive(Clone)]
pub struct Backoff {
    /// Longest wait after the first failure.
    pub first: Duration,
    /// Longest wait at all.
    pub max: Duration,
    /// Draws a number from 0 up to, but not including, 1.
    pub random: fn() -> f64,
}

impl Backoff {
    /// Returns the wait after failure number `attempt`: a random part of `first` doubled with each attempt.
    pub fn after(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        let longest = self.first.saturating_mul(1 << doublings).min(self.max);
        longest.mul_f64((self.random)().clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Backoff;

    #[test]
    fn it_doubles_up_to_its_limit_and_takes_a_part_by_chance() {
        let (first, max) = (Duration::from_secs(1), Duration::from_secs(60));
        let waits = |random| {
            let backoff = Backoff { first, max, random };
            [1, 2, 3, 6, 7, 40, u32::MAX].map(|attempt| backoff.after(attempt).as_millis())
        };
        assert_eq!(waits(|| 0.5), [500, 1_000, 2_000, 16_000, 30_000, 30_000, 30_000]);
        assert_eq!(waits(|| 0.0), [0; 7]);
    }
}
