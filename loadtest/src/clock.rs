//! The clock of histories: one monotonic count of nanoseconds for every process of a machine.

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds of the machine's monotonic clock.
///
/// Not `std::time::Instant`: its origin is hidden, and histories that several processes wrote on
/// one machine are judged together.
pub fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(now.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_runs_backwards() {
        let stamps: Vec<u64> = (0..1_000).map(|_| now_ns()).collect();
        assert!(stamps.is_sorted());
        assert!(0 < stamps[0]);
    }
}
