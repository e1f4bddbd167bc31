//! How long a message takes from its POST to everybody's socket, at half of what a server can do.

use anyhow::Result;

use super::{Settings, guildhall, head, peer};
use crate::link::Link;
use crate::load::{Contestant, Latencies, Pace};
use crate::peer::Style;
use crate::report::{Figure, Table, say};
use crate::usage;

/// What is kept of the rounds of one server.
#[derive(Default)]
struct Kept {
    p50: Figure,
    p99: Figure,
    most: Figure,
    lateness: Figure,
    client: Figure,
}

/// Runs the suite.
pub(crate) fn run(settings: &Settings) -> Result<()> {
    head("latency: POST to socket at half load")?;
    let ours = guildhall(settings, Link::default())?;
    let payload_bytes = ours.contestant.crowd.payload_bytes();
    let bare = peer(settings, Style::Each, payload_bytes)?;
    let mut entrants = [bare, ours];
    say(&format!(
        "{} members in one channel, payloads of {payload_bytes} bytes, {} interleaved rounds of {} s \
         in an open loop, from the intended time of sending; median (least-most). The rate is half \
         of the server's own closed loop with 1 message under way.\n",
        settings.members, settings.rounds, settings.seconds
    ))?;
    let mut rates = [0.0; 2];
    for (entrant, rate) in entrants.iter_mut().zip(&mut rates) {
        let contestant = &mut entrant.contestant;
        let round = contestant.closed(1, Pace::Delivered, settings.lasting())?;
        *rate = round.messages_per_second() / 2.0;
    }
    let mut kept = [Kept::default(), Kept::default()];
    for _ in 0..settings.rounds {
        let rates = rates.iter().zip(&mut kept);
        for (entrant, (rate, kept)) in entrants.iter_mut().zip(rates) {
            kept.round(&mut entrant.contestant, *rate, settings)?;
        }
    }
    let columns = [
        "server",
        "messages/s",
        "p50, ms",
        "p99, ms",
        "max, ms",
        "ratio of p99",
        "client's own p99, ms",
        "client's CPU",
    ];
    let mut table = Table::new(&columns);
    for ((entrant, rate), row) in entrants.iter().zip(rates).zip(&kept) {
        table.row(vec![
            entrant.name.clone(),
            format!("{rate:.0}"),
            row.p50.show(2),
            row.p99.show(2),
            row.most.show(1),
            row.p99.over(&kept[0].p99).show(2),
            row.lateness.show(2),
            format!("{} %", row.client.show(0)),
        ]);
    }
    table.print()?;
    let load = usage::load_average();
    Ok(say(&format!(
        "Every delivery arrived exactly once. Load average at the end: {load:.2}.\n"
    ))?)
}

impl Kept {
    fn round(&mut self, contestant: &mut Contestant, rate: f64, settings: &Settings) -> Result<()> {
        let mut latencies = Latencies::new()?;
        let round = contestant.open(rate, settings.lasting(), &mut latencies)?;
        self.p50
            .add(millis(latencies.delivery.value_at_quantile(0.5)));
        self.p99
            .add(millis(latencies.delivery.value_at_quantile(0.99)));
        self.most.add(millis(latencies.delivery.max()));
        self.lateness
            .add(millis(latencies.lateness.value_at_quantile(0.99)));
        self.client.add(round.client_share() * 100.0);
        Ok(())
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "latencies stay below 2^52 microseconds"
)]
fn millis(micros: u64) -> f64 {
    micros as f64 / 1e3
}
