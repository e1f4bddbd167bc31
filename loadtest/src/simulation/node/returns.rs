//! Clients that come back to their sessions.

use guildhall_model::Epoch;
use guildhall_state::session_partition::Refusal;
use guildhall_state::session_partition::record::Slot;

use super::replay::NoReplay;
use super::sequencer::Input;
use super::sessions::SessionPart;
use super::{Node, Wait};
use crate::simulation::client::{Name, Packet};
use crate::simulation::env::{Env, Question};
use crate::simulation::scenario::Weakness;
use crate::simulation::store::Slice;

/// A client that comes back.
#[derive(Clone, Debug)]
pub(super) struct Return {
    pub(super) client: usize,
    pub(super) conn: u64,
    pub(super) slot: Slot,
    pub(super) name: Name,
    pub(super) credential: [u8; 32],
    pub(super) seq: u64,
    pub(super) epoch: Epoch,
}

impl SessionPart {
    pub(super) fn may_return(&self, env: &Env, back: &Return) -> Result<(), Refusal> {
        if self
            .live
            .get(&back.slot)
            .is_some_and(|live| live.is_closing)
        {
            return Err(Refusal::Unknown);
        }
        let (secret, credential) = (&back.name.secret, &back.credential);
        let may = self
            .machine
            .may_resume(back.slot, secret, credential, back.seq);
        match may {
            // The rule that a cap is for, taken out of the answer.
            Err(Refusal::Beyond) if env.is_weak(Weakness::Cap) => {
                let session = self.machine.session(back.slot);
                let within = session.is_some_and(|session| back.seq <= u64::from(session.s));
                within.then_some(()).ok_or(Refusal::Beyond)
            }
            may => may.map(|_| ()),
        }
    }
}

impl Node {
    pub(super) fn resume(
        &mut self,
        env: &mut Env,
        (client, conn): (usize, u64),
        name: Name,
        seq: u64,
    ) {
        let Some(part) = self.sessions.get(&name.partition) else {
            return env.close(client, conn);
        };
        let (number, epoch) = (name.partition, part.epoch);
        let back = Return {
            client,
            conn,
            slot: name.slot,
            name,
            credential: credential(client),
            seq,
            epoch,
        };
        if env.is_weak(Weakness::Directory) {
            return self.tell(env, number, Input::Attach(back));
        }
        let waiter = self.wait(env, Wait::Return(Box::new(back)));
        env.ask(Question::Confirm(Slice::Session(number), epoch, waiter));
    }

    pub(super) fn return_confirmed(&mut self, env: &mut Env, back: Return, is_owner: bool) {
        let number = back.name.partition;
        if is_owner && self.sessions.contains_key(&number) {
            return self.tell(env, number, Input::Attach(back));
        }
        env.close(back.client, back.conn);
        if !is_owner {
            self.lose(env, Slice::Session(number), back.epoch);
        }
    }

    /// A return is stable: what was missed comes from the ring or from the logs.
    pub(super) fn attached(&mut self, env: &mut Env, number: u16, back: &Return) {
        let Some(part) = self.sessions.get_mut(&number) else {
            return;
        };
        let upto = part.machine.session(back.slot).map(|session| session.s);
        let seq = u32::try_from(back.seq).ok();
        let missed = match upto.zip(seq) {
            None => Err(Refusal::Unknown.into()),
            Some((upto, seq)) => part.missed(env, back.slot, (seq, upto)).map(|m| (seq, m)),
        };
        let (seq, missed) = match missed {
            Ok(missed) => missed,
            Err(NoReplay::Refused(refusal)) => return env.refuse(back, refusal),
            Err(NoReplay::Lost) => {
                env.close(back.client, back.conn);
                return self.lose(env, Slice::Session(number), back.epoch);
            }
        };
        env.tally.resumes += 1;
        part.attach(env, back, missed, seq);
    }
}

impl Env {
    /// Op 9: it cannot be exact, so it is not done.
    pub(super) fn refuse(&mut self, back: &Return, refusal: Refusal) {
        if refusal == Refusal::Beyond {
            self.tally.refused_beyond += 1;
        } else {
            self.tally.refused += 1;
        }
        self.tell(back.client, back.conn, Packet::Invalid, 0);
    }
}

/// What the client proves who it is with.
pub(super) fn credential(client: usize) -> [u8; 32] {
    let mut credential = [0; 32];
    credential[..8].copy_from_slice(&(client as u64).to_le_bytes());
    credential
}
