//! The exact sum of floats, fast for those that people measure in.
//!
//! Every float from 2⁻¹² up to 2⁴³ is a whole number of 2⁻⁶⁴, so such floats are added as wide integers:
//! that is exact, quick, and does not care about order. What is smaller or larger goes to an
//! [`Expansion`]. Both are put together and rounded once, when the sum is read.

use super::expansion::Expansion;

/// Bits of a float's fraction.
const MANTISSA_BITS: u32 = 52;
/// Weight of the integer's lowest bit: 2⁻⁶⁴.
const UNIT_EXPONENT: i32 = -64;
/// Exponent, as floats store it, of the smallest ones that are taken: their last bit weighs one unit.
const EXPONENT_MIN: u32 = 1023 - 12;
/// How much further up they may begin; 20 bits are left for a million of the largest.
const SHIFT_MAX: u32 = 54;

/// An exact sum.
#[derive(Clone, Debug, Default)]
pub(super) struct ExactSum {
    /// In units of 2⁻⁶⁴.
    whole: i128,
    rest: Option<Box<Expansion>>,
}

impl ExactSum {
    /// Adds `x`.
    #[inline]
    pub fn add(&mut self, x: f64) {
        match as_whole(x).and_then(|units| self.whole.checked_add(units)) {
            Some(sum) => self.whole = sum,
            None => self.add_to_rest(x),
        }
    }

    /// Takes `x` away: what remains is as if it had never been added.
    pub fn remove(&mut self, x: f64) {
        if x.is_finite() {
            self.add(-x);
        } else {
            self.rest.get_or_insert_default().remove(x);
        }
    }

    /// Adds `x * y`.
    pub fn add_product(&mut self, x: f64, y: f64) {
        let product = x * y;
        if product.is_finite() {
            self.add(x.mul_add(y, -product));
        }
        self.add(product);
    }

    #[cold]
    fn add_to_rest(&mut self, x: f64) {
        if x != 0.0 {
            self.rest.get_or_insert_default().add(x);
        }
    }

    /// Returns floats that, added one by one to another sum, add all of this one.
    pub fn pieces(&self) -> impl Iterator<Item = f64> + '_ {
        whole_pieces(self.whole).chain(self.rest.iter().flat_map(|rest| rest.pieces()))
    }

    /// Returns the sum as an expansion.
    pub fn expansion(&self) -> Expansion {
        let mut all = self.rest.as_deref().cloned().unwrap_or_default();
        whole_pieces(self.whole).for_each(|piece| all.add(piece));
        all
    }

    /// Returns the sum, rounded once to the nearest float (ties to even).
    pub fn value(&self) -> f64 {
        self.expansion().value()
    }

    /// Returns the bytes that it holds outside of itself.
    pub fn heap_size(&self) -> usize {
        self.rest.as_ref().map_or(0, |rest| size_of::<Expansion>() + rest.heap_size())
    }
}

/// Returns `x` in units of 2⁻⁶⁴, if it is within the range that is taken.
#[inline]
fn as_whole(x: f64) -> Option<i128> {
    let bits = x.to_bits();
    let shift = (((bits >> MANTISSA_BITS) & 0x7ff) as u32).wrapping_sub(EXPONENT_MIN);
    if shift > SHIFT_MAX {
        return None;
    }
    let mantissa = (bits & ((1 << MANTISSA_BITS) - 1)) | (1 << MANTISSA_BITS);
    let units = i128::from(mantissa) << shift;
    Some(if x.is_sign_negative() { -units } else { units })
}

/// Cuts an integer into floats that hold 48 bits each, so that none is rounded.
fn whole_pieces(whole: i128) -> impl Iterator<Item = f64> {
    let (sign, magnitude) = (if whole < 0 { -1.0 } else { 1.0 }, whole.unsigned_abs());
    [0, 48, 96].into_iter().filter_map(move |low| {
        let part = ((magnitude >> low) & ((1 << 48) - 1)) as u64;
        (part != 0).then(|| sign * part as f64 * 2f64.powi(UNIT_EXPONENT + low))
    })
}

#[cfg(test)]
mod tests {
    use super::{ExactSum, Expansion};

    fn both(values: &[f64]) -> (ExactSum, Expansion) {
        let (mut sum, mut expansion) = (ExactSum::default(), Expansion::default());
        for value in values {
            sum.add(*value);
            expansion.add(*value);
        }
        (sum, expansion)
    }

    #[test]
    fn it_is_what_the_expansion_is() {
        let near_the_borders = [2f64.powi(-12), 2f64.powi(-13), 2f64.powi(43), 2f64.powi(42), f64::MIN_POSITIVE];
        let mut values = vec![0.1, -0.3, 1e15, 1200.5, 7e-5, -2.5e17, 1e300, 3.25, 1e-300];
        for border in near_the_borders {
            values.extend([border, -border, border.next_up(), border.next_down()]);
        }
        for from in 0..values.len() {
            values.rotate_left(1);
            let (sum, expansion) = both(&values[from..]);
            assert_eq!(sum.value().to_bits(), expansion.value().to_bits(), "{values:?}");
            let (mut merged, mut first) = both(&values[..from]);
            sum.pieces().for_each(|piece| merged.add(piece));
            expansion.pieces().for_each(|piece| first.add(piece));
            assert_eq!(merged.value().to_bits(), first.value().to_bits(), "{values:?}");
        }
    }

    #[test]
    fn too_many_large_ones_go_on_elsewhere() {
        let large = 2f64.powi(43).next_down();
        let mut sum = ExactSum::default();
        (0..3 << 20).for_each(|_| sum.add(large));
        assert_eq!(sum.value(), large * f64::from(3 << 20));
        (0..3 << 20).for_each(|_| sum.remove(large));
        assert_eq!(sum.value(), 0.0);
    }

    #[test]
    fn what_is_removed_was_never_there() {
        let (mut sum, _) = both(&[0.1, 1e20, 7.25, f64::NAN, f64::INFINITY]);
        assert!(sum.value().is_nan());
        sum.remove(1e20);
        sum.remove(f64::NAN);
        assert_eq!(sum.value(), f64::INFINITY);
        sum.remove(f64::INFINITY);
        assert_eq!(sum.value(), 0.1 + 7.25);
    }
}
