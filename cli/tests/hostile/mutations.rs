//! What is done to a whole file to make hostile ones of it.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Integers that sizes and offsets are replaced by: the largest ones and those around the limits of 32 and 64 bits.
const HUGE: [u64; 7] = [u64::MAX, i64::MAX as u64, 1 << 63, 1 << 31, u32::MAX as u64, (1 << 32) + 1, 1 << 48];
/// The same in text.
const HUGE_TEXT: [&str; 9] = [
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775807",
    "9223372036854775808",
    "4294967297",
    "2147483648",
    "-1",
    "1e999",
    "0",
];

/// Calls `check` with every file that differs from `seed` by a cut at its end, by one bit, or by one integer of 1, 2, 4 or 8 bytes
/// of either order, or by one number of its text.
pub(crate) fn systematic(seed: &[u8], check: &mut dyn FnMut(&[u8])) {
    for end in 0..seed.len() {
        check(&seed[..end]);
    }
    let mut bytes = seed.to_vec();
    for index in 0..8 * seed.len() {
        bytes[index / 8] ^= 1 << (index % 8);
        check(&bytes);
        bytes[index / 8] = seed[index / 8];
    }
    for offset in 0..seed.len() {
        for byte in [0, 0x7F, 0x80, 0xFF] {
            replace(seed, &mut bytes, offset, &[byte], check);
        }
        for huge in HUGE {
            for width in [2, 4, 8] {
                // Cut to fewer bytes most are the same.
                if width < 8 && huge > u64::from(u32::MAX) && huge != u64::MAX {
                    continue;
                }
                let little = huge.to_le_bytes();
                replace(seed, &mut bytes, offset, &little[..width], check);
                replace(seed, &mut bytes, offset, &huge.to_be_bytes()[8 - width..], check);
            }
        }
    }
    let digits = |byte: &u8| byte.is_ascii_digit();
    let mut offset = 0;
    for token in seed.chunk_by(|one, other| digits(one) == digits(other)) {
        if digits(&token[0]) {
            for text in HUGE_TEXT {
                check(&[&seed[..offset], text.as_bytes(), &seed[offset + token.len()..]].concat());
            }
        }
        offset += token.len();
    }
}

/// Puts `value` at `offset` of `bytes`, which are those of `seed` before and after.
fn replace(seed: &[u8], bytes: &mut [u8], offset: usize, value: &[u8], check: &mut dyn FnMut(&[u8])) {
    let Some(place) = bytes.get_mut(offset..offset + value.len()) else { return };
    if *place != *value {
        place.copy_from_slice(value);
        check(bytes);
        bytes[offset..offset + value.len()].copy_from_slice(&seed[offset..offset + value.len()]);
    }
}

/// An endless source of files that are made of `seeds` by chance: several changes at once, blocks that are deleted, repeated,
/// exchanged, or come from another file, and now and then bytes that are no file at all.
pub(crate) struct Random<'a> {
    seeds: &'a [Vec<u8>],
    generator: Xoshiro256PlusPlus,
}

impl<'a> Random<'a> {
    pub(crate) fn new(seeds: &'a [Vec<u8>]) -> Self {
        Self { seeds, generator: Xoshiro256PlusPlus::seed_from_u64(1) }
    }

    /// A number below `limit`, 0 where there is none.
    fn below(&mut self, limit: usize) -> usize {
        (self.generator.next_u64() % limit.max(1) as u64) as usize
    }

    /// A part of `bytes`.
    fn part(&mut self, bytes: &[u8]) -> std::ops::Range<usize> {
        let (start, length) = (self.below(bytes.len() + 1), self.below(64));
        start..(start + length).min(bytes.len())
    }

    pub(crate) fn next(&mut self) -> Vec<u8> {
        if self.below(16) == 0 {
            let mut bytes = vec![0; self.below(300)];
            self.generator.fill_bytes(&mut bytes);
            return bytes;
        }
        let mut bytes = self.seeds[self.below(self.seeds.len())].clone();
        for _ in 0..=self.below(4) {
            let part = self.part(&bytes);
            match self.below(7) {
                0 => drop(bytes.drain(part)),
                1 => {
                    let copy = bytes[part].to_vec();
                    let place = self.below(bytes.len() + 1);
                    bytes.splice(place..place, copy);
                }
                2 => {
                    let copy = bytes[part.clone()].to_vec();
                    let repeated = copy.repeat(1 + self.below(8));
                    bytes.splice(part, repeated);
                }
                3 => bytes[part].reverse(),
                4 => {
                    let middle = part.start + (part.end - part.start) / 2;
                    bytes[part.clone()].rotate_left(middle - part.start);
                }
                5 => {
                    let other = &self.seeds[self.below(self.seeds.len())];
                    let theirs = self.part(other);
                    bytes.splice(part, other[theirs].to_vec());
                }
                _ if !bytes.is_empty() => {
                    let place = self.below(bytes.len());
                    let huge = HUGE[self.below(HUGE.len())].to_le_bytes();
                    let width = (1 << self.below(4)).min(bytes.len() - place);
                    bytes[place..place + width].copy_from_slice(&huge[..width]);
                }
                _ => {}
            }
        }
        bytes
    }
}
