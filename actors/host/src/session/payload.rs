//! One dispatch as all its receivers share it, with what has been rendered of it so far.

use std::sync::Arc;

use bytes::Bytes;
use guildhall_model::dispatch::Dispatch;
use parking_lot::RwLock;

/// A dispatch and its renderings. Each rendering is made once, by its first receiver, and shared
/// by all others.
#[derive(Debug)]
pub struct Payload {
    dispatch: Arc<Dispatch>,
    /// What it roughly weighs on a socket.
    bytes: usize,
    renderings: RwLock<Vec<(u8, Bytes)>>,
}

impl Payload {
    /// A dispatch that weighs about `bytes`.
    pub fn new(dispatch: Arc<Dispatch>, bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            dispatch,
            bytes,
            renderings: RwLock::new(Vec::new()),
        })
    }

    /// What is told.
    pub fn dispatch(&self) -> &Dispatch {
        &self.dispatch
    }

    /// What it roughly weighs, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The rendering with this key, made by `render` if nobody has made it yet.
    pub fn rendering<E>(
        &self,
        key: u8,
        render: impl FnOnce(&Dispatch) -> Result<Bytes, E>,
    ) -> Result<Bytes, E> {
        if let Some((_, bytes)) = self.renderings.read().iter().find(|(made, _)| *made == key) {
            return Ok(bytes.clone());
        }
        let bytes = render(&self.dispatch)?;
        let mut renderings = self.renderings.write();
        if let Some((_, first)) = renderings.iter().find(|(made, _)| *made == key) {
            return Ok(first.clone());
        }
        renderings.push((key, bytes.clone()));
        Ok(bytes)
    }
}
