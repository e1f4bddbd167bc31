//! What a process has used, and the conditions of a run, read from /proc.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::param::clock_ticks_per_second;
use rustix::system::uname;

/// CPU time of a process, all its threads together, those that ended included.
///
/// The kernel accounts in nanoseconds and shows ticks of 10 ms: over a round of 2 s that is an
/// error of at most one part in 200.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    let stat = read(pid, "stat")?;
    let fields = stat.rsplit_once(')').context("stat without a name")?.1;
    // User and system time are the 14th and 15th field, and the name was the second.
    let ticks = fields.split_ascii_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.map(|field| field.parse().unwrap_or(0_u64)).sum();
    let nanos = 1_000_000_000 / clock_ticks_per_second();
    Ok(Duration::from_nanos(ticks * nanos))
}

/// Resident bytes of a process.
pub(crate) fn resident(pid: u32) -> Result<u64> {
    let status = read(pid, "status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB"));
    let kib: u64 = kib.context("no VmRSS in status")?.trim().parse()?;
    Ok(kib * 1024)
}

fn read(pid: u32, file: &str) -> Result<String> {
    let path = format!("/proc/{pid}/{file}");
    fs::read_to_string(&path).with_context(|| format!("reading {path}"))
}

/// The load average of the last minute: whatever else runs on the machine.
pub(crate) fn load_average() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split_ascii_whitespace().next();
    first.and_then(|load| load.parse().ok()).unwrap_or(f64::NAN)
}

/// One line about machine and build.
pub(crate) fn conditions() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name"));
    let model = model
        .and_then(|line| line.split_once(':'))
        .map_or("unknown CPU", |(_, model)| model.trim());
    let cores = info.lines().filter(|line| line.starts_with("processor"));
    let build = if cfg!(debug_assertions) {
        "bench built WITHOUT optimization"
    } else {
        "release build"
    };
    format!(
        "{} cores ({model}), Linux {}, loopback, plaintext, {build}; server on CPU 0, client on \
         CPU 1",
        cores.count(),
        uname().release().to_string_lossy(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_and_memory_of_this_process_are_seen() {
        let pid = std::process::id();
        let before = cpu(pid).unwrap();
        let mut held = Vec::new();
        // Two ticks are the resolution.
        while cpu(pid).unwrap() < before + Duration::from_millis(20) {
            held.push([1_u8; 4096]);
        }
        assert!(held.len() as u64 * 4096 / 2 < resident(pid).unwrap());
        assert!(0.0 <= load_average());
        assert!(conditions().contains("cores"));
    }
}
