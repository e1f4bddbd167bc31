//! Letting go of what nobody needs: released by its owner, and older than the retention time.

use std::collections::BTreeMap;

use guildhall_model::Timestamp;
use guildhall_ports::Failure;
use parking_lot::Mutex;

use super::KafkaLog;

/// Up to where each partition was released here, and up to where it was dropped.
#[derive(Default)]
pub(super) struct Floors(Mutex<BTreeMap<u16, Floor>>);

#[derive(Clone, Copy, Default)]
struct Floor {
    released: i64,
    dropped: i64,
}

impl Floors {
    /// Nothing before this offset is needed any more. A lower one takes nothing back.
    pub(super) fn raise(&self, partition: u16, offset: i64) {
        let mut floors = self.0.lock();
        let floor = floors.entry(partition).or_default();
        floor.released = floor.released.max(offset);
    }

    fn due(&self) -> Vec<(u16, Floor)> {
        let floors = self.0.lock();
        let due = floors.iter().map(|(&partition, &floor)| (partition, floor));
        due.filter(|(_, floor)| floor.dropped < floor.released)
            .collect()
    }

    fn dropped(&self, partition: u16, offset: i64) {
        if let Some(floor) = self.0.lock().get_mut(&partition) {
            floor.dropped = floor.dropped.max(offset);
        }
    }
}

impl KafkaLog {
    /// Drops what was released through this log and is older than the retention time. To be
    /// called every minute or so. The brokers give the disk space back by whole segments.
    pub async fn trim(&self, now: Timestamp) -> Result<(), Failure> {
        let retention = i64::try_from(self.config.retention_ms).unwrap_or(i64::MAX);
        let time = now.0.saturating_sub(retention).max(0);
        for (partition, floor) in self.floors.due() {
            let source = self.source(partition)?;
            let young = self
                .kafka
                .readers
                .run(&source, move |reader, source, deadline| {
                    let bounds = reader.bounds(source, deadline)?;
                    let young = reader.offset_at(source, time, deadline)?;
                    Ok(young.unwrap_or(bounds.end).min(bounds.end))
                })
                .await?;
            let before = floor.released.min(young);
            if floor.dropped < before {
                self.kafka.delete_before(&source, before).await?;
                self.floors.dropped(partition, before);
            }
        }
        Ok(())
    }
}
