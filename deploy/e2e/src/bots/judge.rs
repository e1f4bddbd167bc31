//! Two libraries' own types and Discord's own description judge what the server said.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeSeed;
use twilight_model::gateway::event::GatewayEventDeserializer;

use super::record::{Exchange, Frame, Side};
use super::schema::{Schemas, Verdict};

/// What the judges found in everything that was recorded.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Frames of the server that were read.
    pub frames: usize,
    /// What is wrong with frames, and how often.
    pub frame_faults: BTreeMap<String, usize>,
    /// Answers whose operation is described.
    pub answers: usize,
    /// Described operations, and how many of their answers were well.
    pub operations: BTreeMap<String, usize>,
    /// What is wrong with answers, and how often.
    pub answer_faults: BTreeMap<String, usize>,
    /// Calls that Discord does not describe.
    pub undescribed: BTreeMap<String, usize>,
}

impl Findings {
    /// Adds what one bot and the server have said.
    pub fn add(&mut self, frames: &[Frame], exchanges: &[Exchange], schemas: Option<&Schemas>) {
        for frame in frames.iter().filter(|frame| frame.from == Side::Server) {
            self.frames += 1;
            let name = match frame.payload.name() {
                "" => format!("op {}", frame.payload.op),
                name => name.to_owned(),
            };
            let text = String::from_utf8_lossy(&frame.payload.raw);
            for (judge, fault) in [("twilight", twilight(&text)), ("serenity", serenity(&text))] {
                if let Some(fault) = fault {
                    *self
                        .frame_faults
                        .entry(format!("{name}: {judge}: {fault}"))
                        .or_default() += 1;
                }
            }
        }
        let Some(schemas) = schemas else { return };
        for exchange in exchanges {
            self.judge(exchange, schemas);
        }
    }

    fn judge(&mut self, exchange: &Exchange, schemas: &Schemas) {
        match schemas.judge(exchange) {
            Verdict::Undescribed => {
                let call = format!("{} {}", exchange.method, exchange.template());
                *self.undescribed.entry(call).or_default() += 1;
            }
            Verdict::Good(operation) => {
                self.answers += 1;
                *self.operations.entry(operation).or_default() += 1;
            }
            Verdict::Bad(operation, faults) => {
                self.answers += 1;
                self.operations.entry(operation.clone()).or_default();
                for fault in faults {
                    let fault = format!("{operation}: {} {fault}", exchange.status);
                    *self.answer_faults.entry(fault).or_default() += 1;
                }
            }
        }
    }

    /// Adds what was found elsewhere.
    pub fn merge(&mut self, other: Self) {
        self.frames += other.frames;
        self.answers += other.answers;
        for (sum, more) in [
            (&mut self.frame_faults, other.frame_faults),
            (&mut self.operations, other.operations),
            (&mut self.answer_faults, other.answer_faults),
            (&mut self.undescribed, other.undescribed),
        ] {
            for (what, count) in more {
                *sum.entry(what).or_default() += count;
            }
        }
    }

    /// Whether nothing is wrong.
    pub fn are_good(&self) -> bool {
        self.frame_faults.is_empty() && self.answer_faults.is_empty()
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bad: usize = self.frame_faults.values().sum();
        writeln!(
            f,
            "{} frames read by twilight and serenity, {bad} faults",
            self.frames
        )?;
        for (fault, times) in &self.frame_faults {
            writeln!(f, "  {times} x {fault}")?;
        }
        let green: usize = self.operations.values().sum();
        let operations = self.operations.len();
        writeln!(
            f,
            "{operations} operations called, {} answers, {green} within Discord's schemas",
            self.answers
        )?;
        for (fault, times) in &self.answer_faults {
            writeln!(f, "  {times} x {fault}")?;
        }
        for (call, times) in &self.undescribed {
            writeln!(f, "  {times} x not described by Discord: {call}")?;
        }
        Ok(())
    }
}

/// What twilight-gateway says to a frame.
fn twilight(text: &str) -> Option<String> {
    let Some(seed) = GatewayEventDeserializer::from_json(text) else {
        return Some("no op code found".to_owned());
    };
    let read = seed.deserialize(&mut serde_json::Deserializer::from_str(text));
    read.err().map(|error| error.to_string())
}

/// What serenity says to a frame.
fn serenity(text: &str) -> Option<String> {
    use serenity::model::event::{Event, GatewayEvent};
    match serde_json::from_str(text) {
        Ok(GatewayEvent::Dispatch(_, Event::Unknown(_))) => Some("unknown event".to_owned()),
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::{serenity, twilight};

    #[test]
    fn the_judges_notice_a_missing_field() {
        let whole =
            r#"{"t":"CHANNEL_PINS_UPDATE","s":2,"op":0,"d":{"channel_id":"150000000000000001"}}"#;
        assert_eq!((twilight(whole), serenity(whole)), (None, None));
        let empty = r#"{"t":"CHANNEL_PINS_UPDATE","s":2,"op":0,"d":{}}"#;
        assert!(twilight(empty).is_some());
        assert!(serenity(empty).is_some());
    }
}
