//! Registers the users of a run, a few at a time.

use std::sync::Arc;

use anyhow::{Context, Result};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::calls::{Citizen, Deed, Stage};
use crate::client::person::{Person, Registration};
use crate::clock::now_ns;
use crate::history::Action;
use crate::progress::Progress;

/// Registrations under way at a time: hashing passwords is what the server is slowest at.
const REGISTRATIONS_MAX: usize = 8;

/// Registers `users` people with names that no earlier run used.
pub(super) async fn register(
    stage: &Arc<Stage>,
    users: usize,
    progress: &Progress,
) -> Result<Vec<Citizen>> {
    progress.phase("users register", Some(users as u64));
    let run = format!("{:x}{:x}", std::process::id(), now_ns());
    let registrations = (0..users).map(|index| {
        let username = format!("u{index}-{run}");
        register_one(
            stage,
            index,
            Registration {
                email: format!("{username}@example.org"),
                password: format!("correct horse {username}"),
                username,
            },
        )
    });
    let mut citizens: Vec<Citizen> = stream::iter(registrations)
        .buffer_unordered(REGISTRATIONS_MAX)
        .inspect_ok(|_| progress.step())
        .try_collect()
        .await
        .context("registering the users")?;
    citizens.sort_by_key(|citizen| citizen.index);
    Ok(citizens)
}

async fn register_one(stage: &Stage, index: usize, registration: Registration) -> Result<Citizen> {
    let deed = Deed::new(Action::Other, "POST", "/auth/register".to_owned());
    let caller = (index, registration.username.as_str());
    let register = || Person::register(&stage.api, &registration);
    let person = match stage.insist(caller, &deed, register, None).await {
        // The answer to an earlier try was lost: the name is taken, and it is ours.
        Err(error) if error.status() == 409 => {
            let deed = Deed::new(Action::Other, "POST", "/auth/login".to_owned());
            let login = || Person::login(&stage.api, &registration);
            stage.insist(caller, &deed, login, None).await?
        }
        other => other?,
    };
    Ok(Citizen { index, person })
}
