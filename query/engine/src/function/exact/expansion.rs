//! Sums of floats without rounding, so that they do not depend on the order of rows.
//!
//! A sum of floats rounds at every step, so the same rows in another order (another partition, after a
//! compaction) give another last digit. Here a sum is an *expansion*: a list of floats that do not
//! overlap and whose exact sum is the sum of all that was added (Shewchuk 1997). It is rounded once, when
//! it is read. Most expansions have one or two parts.

/// An exact sum. NaN and infinities are counted apart, by the rules of float addition.
#[derive(Clone, Debug, Default)]
pub(super) struct Expansion {
    /// Parts in the order of their size, without overlap; none is NaN or infinite.
    parts: Vec<f64>,
    nans: i64,
    infinities: i64,
    negative_infinities: i64,
}

impl Expansion {
    /// Adds `x`.
    pub fn add(&mut self, x: f64) {
        if x.is_finite() {
            self.add_finite(x);
        } else {
            self.count_special(x, 1);
        }
    }

    /// Takes `x` away, exactly: what remains is as if it had never been added.
    pub fn remove(&mut self, x: f64) {
        if x.is_finite() {
            self.add_finite(-x);
        } else {
            self.count_special(x, -1);
        }
    }

    /// Adds `x * y`, exactly.
    pub fn add_product(&mut self, x: f64, y: f64) {
        let product = x * y;
        if !product.is_finite() {
            return self.count_special(product, 1);
        }
        self.add_finite(x.mul_add(y, -product));
        self.add_finite(product);
    }

    fn add_finite(&mut self, mut x: f64) {
        let mut kept = 0;
        for index in 0..self.parts.len() {
            let (sum, rest) = two_sum(x, self.parts[index]);
            if rest != 0.0 {
                self.parts[kept] = rest;
                kept += 1;
            }
            x = sum;
        }
        self.parts.truncate(kept);
        if x.is_finite() {
            self.parts.push(x);
        } else {
            self.parts.clear();
            self.count_special(x, 1);
        }
    }

    fn count_special(&mut self, x: f64, by: i64) {
        if x.is_nan() {
            self.nans += by;
        } else if x > 0.0 {
            self.infinities += by;
        } else {
            self.negative_infinities += by;
        }
    }

    /// Returns floats that, added one by one to another expansion, add all of this one.
    pub fn pieces(&self) -> impl Iterator<Item = f64> + '_ {
        let special = |count: i64, value: f64| std::iter::repeat_n(value, usize::from(count > 0));
        self.parts
            .iter()
            .copied()
            .chain(special(self.nans, f64::NAN))
            .chain(special(self.infinities, f64::INFINITY))
            .chain(special(self.negative_infinities, f64::NEG_INFINITY))
    }

    /// Returns the parts; [`Expansion::is_finite`] says whether they are all.
    pub fn parts(&self) -> &[f64] {
        &self.parts
    }

    /// Returns whether neither NaN nor an infinity was added.
    pub const fn is_finite(&self) -> bool {
        self.nans <= 0 && self.infinities <= 0 && self.negative_infinities <= 0
    }

    /// Returns the sum, rounded once to the nearest float (ties to even).
    pub fn value(&self) -> f64 {
        match (self.nans > 0, self.infinities > 0, self.negative_infinities > 0) {
            (true, ..) | (_, true, true) => f64::NAN,
            (_, true, _) => f64::INFINITY,
            (.., true) => f64::NEG_INFINITY,
            _ => self.rounded(),
        }
    }

    fn rounded(&self) -> f64 {
        let Some(mut index) = self.parts.len().checked_sub(1) else { return 0.0 };
        let (mut high, mut low) = (self.parts[index], 0.0);
        while index > 0 && low == 0.0 {
            index -= 1;
            (high, low) = two_sum(high, self.parts[index]);
        }
        // `high` was rounded half to even, but what is below `low` may break the tie.
        if index > 0 && low != 0.0 && low.signum() == self.parts[index - 1].signum() {
            let doubled = low * 2.0;
            let candidate = high + doubled;
            if candidate - high == doubled {
                return candidate;
            }
        }
        high
    }

    /// Returns the bytes that it holds outside of itself.
    pub fn heap_size(&self) -> usize {
        self.parts.capacity() * size_of::<f64>()
    }
}

/// Returns the rounded sum and exactly what the rounding lost.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    let a_part = sum - b_part;
    (sum, (a - a_part) + (b - b_part))
}

#[cfg(test)]
mod tests {
    use super::Expansion;

    fn sum(values: &[f64]) -> Expansion {
        let mut sum = Expansion::default();
        values.iter().for_each(|value| sum.add(*value));
        sum
    }

    #[test]
    fn sums_exactly_in_any_order() {
        let values = [1e100, 1.0, -1e100, 1e-30, 0.1, 0.2, -0.3, 1e16, -1e16, 3.5e-310];
        let forward = sum(&values).value();
        let mut turned = values;
        for _ in 0..values.len() {
            turned.rotate_left(1);
            assert_eq!(sum(&turned).value().to_bits(), forward.to_bits());
        }
        assert_eq!(sum(&[0.1; 10]).value(), 1.0);
        assert_eq!(sum(&[1e16, 1.0, 1e-16]).value(), 10_000_000_000_000_002.0);
        assert_eq!(sum(&[]).value(), 0.0);
    }

    #[test]
    fn what_is_removed_was_never_there() {
        let mut kept = sum(&[0.1, 1e20, 7.25, f64::NAN]);
        kept.remove(1e20);
        kept.remove(f64::NAN);
        assert_eq!(kept.value(), sum(&[0.1, 7.25]).value());
    }

    #[test]
    fn specials_follow_the_rules_of_floats() {
        assert!(sum(&[1.0, f64::NAN]).value().is_nan());
        assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).value().is_nan());
        assert_eq!(sum(&[f64::NEG_INFINITY, 1.0]).value(), f64::NEG_INFINITY);
        assert_eq!(sum(&[f64::MAX, f64::MAX]).value(), f64::INFINITY);
    }

    #[test]
    fn products_are_exact() {
        let mut squares = Expansion::default();
        squares.add_product(1.0 + f64::EPSILON, 1.0 + f64::EPSILON);
        squares.add(-1.0);
        squares.add(-2.0 * f64::EPSILON);
        assert_eq!(squares.value(), f64::EPSILON * f64::EPSILON);
    }
}
