//! Chance that is the same in every run: xorshift, seeded by a number and what it is for.

/// A source of numbers.
pub struct Dice(u64);

impl Dice {
    /// Makes the dice of `number` for `purpose`.
    pub fn new(purpose: u64, number: u64) -> Self {
        // SplitMix64, so that neighbours have nothing in common.
        let mut state = number.wrapping_add(purpose.wrapping_mul(0xd1b5_4a32_d192_ed03));
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self((state ^ (state >> 31)) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Returns a number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 11) % bound.max(1)
    }

    /// Returns a number from 0 to 1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Returns a number around 0 with variance 1: three uniform ones make a bell that is good enough.
    pub fn bell(&mut self) -> f32 {
        let bits = self.next();
        let part = |shift: u32| ((bits >> shift) & 0x1f_ffff) as f32 / 0x1f_ffff as f32;
        (part(1) + part(22) + part(43) - 1.5) * 2.0
    }

    /// Returns one of `all`, the first ones more often.
    pub fn skewed<T: Copy>(&mut self, all: &[T]) -> T {
        let at = (self.unit() * self.unit() * all.len() as f64) as usize;
        all[at.min(all.len() - 1)]
    }
}
