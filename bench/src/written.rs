//! What a server's logs have written, read from `/metrics`.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context, Result};

/// The counters of one log.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Written {
    pub(crate) records: f64,
    pub(crate) syncs: f64,
    pub(crate) bytes: f64,
}

impl Written {
    /// What the log of this topic has written so far.
    pub(crate) fn of(operator: SocketAddr, topic: &str) -> Result<Self> {
        let mut stream = TcpStream::connect(operator)?;
        write!(
            stream,
            "GET /metrics HTTP/1.1\r\nHost: {operator}\r\nConnection: close\r\n\r\n"
        )?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let samples: BTreeMap<&str, f64> = text
            .lines()
            .filter_map(|line| line.rsplit_once(' '))
            .filter_map(|(name, value)| Some((name, value.parse().ok()?)))
            .collect();
        let sample = |name: &str| {
            let name = format!("{name}{{topic=\"{topic}\"}}");
            let value = samples.get(name.as_str()).copied();
            value.with_context(|| format!("/metrics has no {name}"))
        };
        Ok(Self {
            records: sample("guildhall_log_batch_records_sum")?,
            syncs: sample("guildhall_log_batches_total")?,
            bytes: sample("guildhall_log_written_bytes_total")?,
        })
    }

    /// What has been written since an earlier look.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            records: self.records - before.records,
            syncs: self.syncs - before.syncs,
            bytes: self.bytes - before.bytes,
        }
    }
}
