//! Passwords: hashed with argon2id, away from the async threads, only so many at a time.
//!
//! A hash costs 15 ms of a core and 19 MiB by default. Callers above the number that is worked on
//! wait, callers above the number that may wait are refused: a flood of logins costs bounded
//! memory, and the async threads never compute.

use std::num::NonZeroUsize;
use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error as HashError, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use guildhall_model::Rejection;
use guildhall_ports::{Failure, Random};
use tokio::sync::{Semaphore, TryAcquireError};

use crate::secret::Secret;

/// Bytes of a salt, as the PHC format recommends.
const SALT_BYTES: usize = 16;
/// What failures call this part.
const PART: &str = "password hashing";

/// What one hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory, at least 8 per lane.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Independent parts of the memory.
    pub lanes: u32,
}

impl Default for Cost {
    /// OWASP's recommendation for servers.
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            passes: 2,
            lanes: 1,
        }
    }
}

/// How much work is taken on.
#[derive(Clone, Copy, Debug)]
pub struct HasherConfig {
    /// What one hash costs.
    pub cost: Cost,
    /// Hashes that are computed at a time, each on a thread of its own.
    pub running_max: NonZeroUsize,
    /// Callers that may wait for one of these.
    pub waiting_max: usize,
}

impl Default for HasherConfig {
    /// One hash per core, and eight seconds of work that may wait: longer than that no client does.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self {
            cost: Cost::default(),
            running_max: cores,
            waiting_max: cores.get() * 512,
        }
    }
}

/// The cost cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("argon2 cannot use {0:?}: it needs a pass, a lane and 8 KiB per lane")]
pub struct CostError(Cost);

/// Why a password was neither hashed nor checked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too many callers wait already.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The stored hash is damaged or the computation broke down.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not the password.
    Wrong,
    /// The password.
    Right,
    /// The password, whose hash was made at another cost and should be made anew.
    RightButOutdated,
}

/// Hashes and checks passwords.
#[derive(Clone)]
pub struct Hasher {
    argon2: Argon2<'static>,
    random: Arc<dyn Random>,
    /// Permits of those who compute.
    running: Arc<Semaphore>,
    /// Permits of those who compute or wait.
    admitted: Arc<Semaphore>,
    /// A password that nobody has, hashed at the present cost.
    nobody: Arc<str>,
}

impl Hasher {
    /// Makes a hasher; computes one hash at once, which takes as long as any.
    pub fn new(config: HasherConfig, random: Arc<dyn Random>) -> Result<Self, CostError> {
        let Cost {
            memory_kib,
            passes,
            lanes,
        } = config.cost;
        let params =
            Params::new(memory_kib, passes, lanes, None).map_err(|_| CostError(config.cost))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut unguessable = [0; 32];
        random.fill(&mut unguessable);
        let nobody = argon2
            .hash_password_with_salt(&unguessable, &salt(&*random))
            .map_err(|_| CostError(config.cost))?;
        let running_max = config.running_max.get().min(Semaphore::MAX_PERMITS);
        let admitted_max = running_max
            .saturating_add(config.waiting_max)
            .min(Semaphore::MAX_PERMITS);
        Ok(Self {
            argon2,
            random,
            running: Arc::new(Semaphore::new(running_max)),
            admitted: Arc::new(Semaphore::new(admitted_max)),
            nobody: nobody.to_string().into(),
        })
    }

    /// The PHC string of a new password.
    pub async fn hash(&self, password: Secret) -> Result<String, PasswordError> {
        let salt = salt(&*self.random);
        let argon2 = self.argon2.clone();
        let hash = self
            .compute(move || argon2.hash_password_with_salt(password.reveal().as_bytes(), &salt))
            .await?;
        hash.map(|hash| hash.to_string())
            .map_err(|error| Failure::unavailable(PART, error).into())
    }

    /// Checks a password against the PHC string that was stored.
    pub async fn verify(&self, password: Secret, stored: String) -> Result<Verdict, PasswordError> {
        let argon2 = self.argon2.clone();
        let verdict = self
            .compute(move || check(&argon2, &password, &stored))
            .await?;
        Ok(verdict?)
    }

    /// Does the work of a check for a name that nobody has, so that the time of an answer does not
    /// tell which names exist.
    pub async fn verify_unknown(&self, password: Secret) -> Result<(), PasswordError> {
        self.verify(password, self.nobody.to_string()).await?;
        Ok(())
    }

    /// Runs work on a blocking thread once its turn has come.
    ///
    /// Cancel-safe: a caller that goes away gives its place in the queue back; work that has begun
    /// keeps its permits until it is done, so no more than so much ever runs.
    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let admitted = match Arc::clone(&self.admitted).try_acquire_owned() {
            Ok(permit) => permit,
            Err(TryAcquireError::NoPermits) => return Err(Rejection::Overloaded.into()),
            Err(TryAcquireError::Closed) => return Err(Failure::Closing.into()),
        };
        let running = Arc::clone(&self.running)
            .acquire_owned()
            .await
            .map_err(|_| Failure::Closing)?;
        let done = tokio::task::spawn_blocking(move || {
            let value = work();
            drop((running, admitted));
            value
        });
        done.await
            .map_err(|error| Failure::unavailable(PART, error).into())
    }
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hasher")
            .field("params", self.argon2.params())
            .finish_non_exhaustive()
    }
}

fn salt(random: &dyn Random) -> [u8; SALT_BYTES] {
    let mut salt = [0; SALT_BYTES];
    random.fill(&mut salt);
    salt
}

fn check(argon2: &Argon2<'_>, password: &Secret, stored: &str) -> Result<Verdict, Failure> {
    let damaged = |error: HashError| Failure::damaged("a password hash", error);
    let hash = PasswordHash::new(stored).map_err(|error| damaged(error.into()))?;
    // A string that was cut off is well formed, and would pass for a wrong password.
    if hash.salt.is_none() || hash.hash.is_none() {
        return Err(damaged(HashError::EncodingInvalid));
    }
    match argon2.verify_password(password.reveal().as_bytes(), &hash) {
        Ok(()) if is_present(argon2, &hash) => Ok(Verdict::Right),
        Ok(()) => Ok(Verdict::RightButOutdated),
        Err(HashError::PasswordInvalid) => Ok(Verdict::Wrong),
        Err(error) => Err(damaged(error)),
    }
}

/// The hash was made as hashes are made now.
fn is_present(argon2: &Argon2<'_>, hash: &PasswordHash) -> bool {
    hash.algorithm == Algorithm::Argon2id.ident()
        && hash.version == Some(Version::V0x13.into())
        && Params::try_from(hash).is_ok_and(|params| {
            let present = argon2.params();
            (params.m_cost(), params.t_cost(), params.p_cost())
                == (present.m_cost(), present.t_cost(), present.p_cost())
        })
}

#[cfg(test)]
mod tests;
