//! Random numbers of a picture: cheap, and the same on every machine.

/// A stream of random numbers (SplitMix64).
pub struct Dice(u64);

impl Dice {
    /// The stream `index` of `key`.
    pub fn new(key: u64, index: u64) -> Self {
        let mut dice = Self(key ^ index.wrapping_mul(0xd134_2543_de82_ef95));
        dice.next();
        Self(dice.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `low..high`.
    pub fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * ((self.next() >> 40) as f32 / (1u64 << 24) as f32)
    }

    /// An integer below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (((self.next() >> 32) * n as u64) >> 32) as usize
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f32) -> bool {
        self.range(0.0, 1.0) < p
    }

    /// The seed of a texture.
    pub fn seed(&mut self) -> u32 {
        self.next() as u32
    }
}
