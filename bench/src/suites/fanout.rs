//! What one delivery costs the server, with 1 and with 16 messages under way.

use anyhow::Result;

use super::{Entrant, Settings, guildhall, head, peer};
use crate::link::Link;
use crate::load::{Pace, Round};
use crate::peer::Style;
use crate::report::{Figure, Table, say};
use crate::usage;

const COLUMNS: [&str; 7] = [
    "messages under way",
    "server",
    "CPU per delivery, µs",
    "ratio to the floor",
    "messages/s",
    "deliveries/s",
    "client's CPU",
];

/// What is kept of the rounds of one server at one width.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) cpu: Figure,
    messages: Figure,
    deliveries: Figure,
    client: Figure,
}

impl Kept {
    fn add(&mut self, round: &Round) {
        self.cpu.add(round.cpu_per_delivery());
        self.messages.add(round.messages_per_second());
        self.deliveries.add(round.deliveries_per_second() / 1e3);
        self.client.add(round.client_share() * 100.0);
    }

    /// The cells of a table from the CPU per delivery on.
    pub(super) fn cells(&self, floor: &Figure) -> [String; 5] {
        [
            self.cpu.show(2),
            self.cpu.over(floor).show(2),
            self.messages.show(0),
            format!("{} k", self.deliveries.show(0)),
            format!("{} %", self.client.show(0)),
        ]
    }
}

/// Runs the rounds of all entrants, interleaved.
pub(super) fn rounds(
    entrants: &mut [Entrant],
    in_flight: usize,
    settings: &Settings,
) -> Result<Vec<Kept>> {
    let mut kept: Vec<Kept> = entrants.iter().map(|_| Kept::default()).collect();
    for _ in 0..settings.rounds {
        for (entrant, kept) in entrants.iter_mut().zip(&mut kept) {
            let contestant = &mut entrant.contestant;
            let round = contestant.closed(in_flight, Pace::Delivered, settings.lasting())?;
            kept.add(&round);
        }
    }
    Ok(kept)
}

/// Runs the suite.
pub(crate) fn run(settings: &Settings) -> Result<()> {
    head("fanout: server CPU per delivery")?;
    let ours = guildhall(settings, Link::default())?;
    let payload_bytes = ours.contestant.crowd.payload_bytes();
    let mut entrants = [
        peer(settings, Style::Each, payload_bytes)?,
        peer(settings, Style::Batched, payload_bytes)?,
        ours,
    ];
    say(&format!(
        "{} members in one channel, payloads of {payload_bytes} bytes, {} interleaved rounds of {} s \
         in a closed loop; median (least-most). The floor of a width is the cheaper style there: \
         epoll+seq at 1, epollb+seq at 16.\n",
        settings.members, settings.rounds, settings.seconds
    ))?;
    let mut table = Table::new(&COLUMNS);
    for (in_flight, floor) in [(1, Style::Each), (16, Style::Batched)] {
        let kept = rounds(&mut entrants, in_flight, settings)?;
        let floor = entrants.iter().position(|it| it.name == floor.name());
        let floor = kept[floor.unwrap_or_default()].cpu.clone();
        for (entrant, kept) in entrants.iter().zip(kept) {
            let mut row = vec![in_flight.to_string(), entrant.name.clone()];
            row.extend(kept.cells(&floor));
            table.row(row);
        }
    }
    table.print()?;
    let load = usage::load_average();
    Ok(say(&format!(
        "Every delivery arrived exactly once. Load average at the end: {load:.2}.\n"
    ))?)
}
