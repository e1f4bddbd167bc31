//! Lets members into the closed channels and out again while the load goes on.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use super::calls::{Deed, Stage};
use super::end::Stopped;
use super::meter::Count;
use super::town::Town;
use crate::history::Action;

/// How long each guild's doors stay as they are, on average.
const REST: Duration = Duration::from_millis(700);

/// One gatekeeper for each guild that has somebody to move.
pub(super) fn appoint(
    stage: &Arc<Stage>,
    town: &Arc<Town>,
    seed: u64,
    stopped: &Stopped,
) -> JoinSet<()> {
    let mut gatekeepers = JoinSet::new();
    for guild in 0..town.guilds.len() {
        if !town.guilds[guild].movers.is_empty() {
            let random = fastrand::Rng::with_seed(seed ^ (guild as u64).rotate_left(32));
            let (stage, town) = (Arc::clone(stage), Arc::clone(town));
            gatekeepers.spawn(keep(stage, town, guild, random, stopped.clone()));
        }
    }
    gatekeepers
}

async fn keep(
    stage: Arc<Stage>,
    town: Arc<Town>,
    guild: usize,
    mut random: fastrand::Rng,
    stopped: Stopped,
) {
    loop {
        let rest = REST.mul_f64(0.5 + random.f64());
        tokio::select! {
            () = sleep(rest) => {}
            () = stopped.clone().wait() => return,
        }
        let movers = &town.guilds[guild].movers;
        let mover = movers[random.usize(..movers.len())];
        if let Err(error) = turn(&stage, &town, guild, mover).await {
            // Who sees what is no longer known here, though the history still tells.
            stage.meter.complain(format!("a change of sight: {error}"));
            return;
        }
        stage.meter.count(Count::Moved);
    }
}

/// Lets the mover in who is outside, or out who is inside.
async fn turn(
    stage: &Stage,
    town: &Town,
    guild: usize,
    mover: usize,
) -> Result<(), crate::client::CallError> {
    let guild = &town.guilds[guild];
    let view = {
        let mut inside = guild.inside.write().await;
        let view = !inside.remove(&mover);
        if view {
            inside.insert(mover);
        }
        view
    };
    let overwrites = guild.overwrites(&town.citizens).await;
    let owner = &town.citizens[guild.owner()];
    let mut deed = Deed::new(Action::Other, "PUT", format!("/channels/{}", guild.closed));
    let user = town.person(mover).id().to_owned();
    deed.access = vec![(guild.closed.clone(), user, view)];
    let put = || owner.person.set_overwrites(&guild.closed, &overwrites);
    stage.insist(owner.caller(), &deed, put, None).await
}
