//! Mutated inputs without a view of coverage: what a bounded run feeds to a target.

use fastrand::Rng;

/// Bytes of one input at most; larger ones find little more and take long.
const BYTES_MAX: usize = 8 * 1024;
/// Numbers at which code likes to break.
const EDGES: [u64; 10] = [
    0,
    1,
    0x7F,
    0x80,
    0xFF,
    0x7FFF_FFFF,
    0x8000_0000,
    0xFFFF_FFFF,
    i64::MAX.cast_unsigned(),
    u64::MAX,
];

/// An input that is new, or one of the corpus with some changes.
pub fn input(random: &mut Rng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = match random.choice(corpus) {
        Some(known) if random.u8(..) < 224 => known.clone(),
        _ => noise(random),
    };
    for _ in 0..1 << random.u32(0..5) {
        change(random, corpus, &mut bytes);
    }
    bytes.truncate(BYTES_MAX);
    bytes
}

fn noise(random: &mut Rng) -> Vec<u8> {
    let bits = random.u32(1..10);
    let length = random.usize(0..1 << bits);
    (0..length).map(|_| random.u8(..)).collect()
}

fn change(random: &mut Rng, corpus: &[Vec<u8>], bytes: &mut Vec<u8>) {
    let at = random.usize(0..=bytes.len());
    let from = random.usize(0..=bytes.len());
    let upto = (from + random.usize(0..32)).min(bytes.len());
    match random.u8(0..9) {
        0 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.u32(0..8);
            }
        }
        1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random.u8(..);
            }
        }
        2 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = byte.wrapping_add(random.u8(0..9)).wrapping_sub(4);
            }
        }
        3 => bytes.insert(at, random.u8(..)),
        4 => drop(bytes.drain(from..upto)),
        5 => {
            let copied = bytes[from..upto].to_vec();
            bytes.splice(at..at, copied);
        }
        6 => bytes.truncate(at),
        7 => overwrite(bytes, at, &edge(random)),
        _ => {
            if let Some(other) = random.choice(corpus).filter(|other| !other.is_empty()) {
                let start = random.usize(0..other.len());
                let end = random.usize(start..=other.len());
                bytes.splice(at..at, other[start..end].iter().copied());
            }
        }
    }
}

fn edge(random: &mut Rng) -> Vec<u8> {
    let number = EDGES[random.usize(0..EDGES.len())];
    let width = 1 << random.u32(0..4);
    if random.bool() {
        number.to_le_bytes()[..width].to_vec()
    } else {
        number.to_be_bytes()[8 - width..].to_vec()
    }
}

fn overwrite(bytes: &mut [u8], at: usize, with: &[u8]) {
    for (byte, with) in bytes[at..].iter_mut().zip(with) {
        *byte = *with;
    }
}
