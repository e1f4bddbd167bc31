//! The measurements of the link, by lane and never by node.

use metrics::{Counter, Gauge, counter, gauge};

use super::{Lane, LinkError};

/// Handles that are looked up once.
pub(super) struct LaneMetrics {
    answered: Counter,
    unreachable: Counter,
    lost: Counter,
    overdue: Counter,
    busy: Counter,
    too_large: Counter,
    abandoned: Counter,
    told: Counter,
    untold: Counter,
    in_flight: Gauge,
    pub(super) connections: Counter,
    pub(super) failed_connections: Counter,
    pub(super) sent_bytes: Counter,
    pub(super) received_bytes: Counter,
}

impl LaneMetrics {
    pub(super) fn of(lane: Lane) -> Self {
        let lane = lane.name();
        let calls = |outcome: &'static str| counter!("guildhall_link_calls_total", "lane" => lane, "outcome" => outcome);
        let tells = |outcome: &'static str| counter!("guildhall_link_tells_total", "lane" => lane, "outcome" => outcome);
        let connections = |outcome: &'static str| counter!("guildhall_link_connections_total", "lane" => lane, "outcome" => outcome);
        let bytes = |direction: &'static str| counter!("guildhall_link_bytes_total", "lane" => lane, "direction" => direction);
        Self {
            answered: calls("answered"),
            unreachable: calls("unreachable"),
            lost: calls("lost"),
            overdue: calls("overdue"),
            busy: calls("busy"),
            too_large: calls("too_large"),
            abandoned: calls("abandoned"),
            told: tells("queued"),
            untold: tells("dropped"),
            in_flight: gauge!("guildhall_link_calls_in_flight", "lane" => lane),
            connections: connections("made"),
            failed_connections: connections("failed"),
            sent_bytes: bytes("sent"),
            received_bytes: bytes("received"),
        }
    }

    pub(super) fn told(&self, outcome: Result<(), LinkError>) {
        match outcome {
            Ok(()) => self.told.increment(1),
            Err(_) => self.untold.increment(1),
        }
    }

    /// Counts a call as under way until its outcome is told.
    pub(super) fn call(&self) -> CallMetrics<'_> {
        self.in_flight.increment(1);
        CallMetrics {
            lane: self,
            outcome: &self.abandoned,
        }
    }
}

/// A call under way. One that its caller drops counts as abandoned.
pub(super) struct CallMetrics<'a> {
    lane: &'a LaneMetrics,
    outcome: &'a Counter,
}

impl CallMetrics<'_> {
    pub(super) fn ended<T>(mut self, outcome: &Result<T, LinkError>) {
        self.outcome = match outcome {
            Ok(_) => &self.lane.answered,
            Err(LinkError::Unreachable) => &self.lane.unreachable,
            Err(LinkError::Lost) => &self.lane.lost,
            Err(LinkError::Overdue) => &self.lane.overdue,
            Err(LinkError::Busy) => &self.lane.busy,
            Err(LinkError::TooLarge) => &self.lane.too_large,
        };
    }
}

impl Drop for CallMetrics<'_> {
    fn drop(&mut self) {
        self.lane.in_flight.decrement(1);
        self.outcome.increment(1);
    }
}

/// Connections that were sent away, or that said what nobody understands.
pub(super) fn refused_connections() -> Counter {
    counter!("guildhall_link_refused_connections_total")
}
