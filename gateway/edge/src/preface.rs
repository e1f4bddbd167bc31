//! What a node tells another one of a socket that it hands over.

use bytes::Bytes;
use guildhall_model::limits;
use guildhall_wire::encode::Agreement;
use serde::{Deserialize, Serialize};

/// The first byte of a preface. A node that is told in another form lets the socket go: its client
/// resumes again.
const FORM: u8 = 1;

/// A socket whose session another node holds. HELLO was sent, and a compressed stream was opened.
/// Has no `Debug`: it holds a token.
#[derive(Serialize, Deserialize)]
pub(crate) struct Preface {
    /// What the client has asked for.
    #[serde(with = "query")]
    pub(crate) agreement: Agreement,
    /// What HELLO has asked for.
    pub(crate) heartbeat_interval_ms: u32,
    /// How often the socket was handed over, this time included; 1 to [`limits::SOCKET_HOPS_MAX`].
    pub(crate) hops: u8,
    /// What the client has sent, from RESUME on; at most [`limits::SOCKET_EARLY_BYTES_MAX`].
    #[serde(with = "serde_bytes")]
    pub(crate) early: Vec<u8>,
}

/// Why a preface means nothing here. Never holds anything of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PrefaceError {
    #[error("it is written in another form")]
    Form,
    #[error("it is no description of a socket")]
    Malformed,
    #[error("the socket was handed over too often or never")]
    Hops,
    #[error("the client has sent too much")]
    Early,
}

impl Preface {
    pub(crate) fn encode(&self) -> Bytes {
        let mut bytes = vec![FORM];
        rmp_serde::encode::write(&mut bytes, self).expect("a vector takes every byte");
        bytes.into()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, PrefaceError> {
        let Some((&FORM, told)) = bytes.split_first() else {
            return Err(PrefaceError::Form);
        };
        let preface: Self = rmp_serde::from_slice(told).map_err(|_| PrefaceError::Malformed)?;
        if !(1..=limits::SOCKET_HOPS_MAX).contains(&preface.hops) {
            return Err(PrefaceError::Hops);
        }
        if preface.early.len() > limits::SOCKET_EARLY_BYTES_MAX {
            return Err(PrefaceError::Early);
        }
        Ok(preface)
    }
}

/// An agreement is told as a client would ask for it, and read by the same rules.
mod query {
    use guildhall_wire::encode::Agreement;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde hands in references"
    )]
    pub(super) fn serialize<S: Serializer>(
        agreement: &Agreement,
        target: S,
    ) -> Result<S::Ok, S::Error> {
        target.collect_str(agreement)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(source: D) -> Result<Agreement, D::Error> {
        let query = <&str>::deserialize(source)?;
        Agreement::parse(query).map_err(Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preface(hops: u8, early: &[u8]) -> Preface {
        Preface {
            agreement: Agreement::default(),
            heartbeat_interval_ms: 41_250,
            hops,
            early: early.to_vec(),
        }
    }

    fn refused(bytes: &[u8]) -> Option<PrefaceError> {
        Preface::decode(bytes).err()
    }

    #[test]
    fn a_preface_tells_what_it_was_told() {
        let told = Preface::decode(&preface(2, b"early").encode()).unwrap();
        assert_eq!(told.agreement, Agreement::default());
        assert_eq!((told.heartbeat_interval_ms, told.hops), (41_250, 2));
        assert_eq!(told.early, b"early");
    }

    #[test]
    fn nodes_of_this_form_understand_each_other() {
        let query = b"\xD9\x30v=10&encoding=json&compress=none&dialect=discord";
        let rest = b"\xCD\xA1\x22\x01\xC4\x02{}";
        let form = [&[FORM, 0x94], &query[..], rest].concat();
        assert_eq!(preface(1, b"{}").encode(), form);
    }

    #[test]
    fn what_is_no_preface_is_refused_by_name() {
        let whole = preface(1, b"early").encode();
        assert_eq!(refused(b""), Some(PrefaceError::Form));
        let mut other = whole.to_vec();
        other[0] = FORM + 1;
        assert_eq!(refused(&other), Some(PrefaceError::Form));
        for end in 1..whole.len() {
            assert_eq!(refused(&whole[..end]), Some(PrefaceError::Malformed));
        }
        let mut strange = whole.to_vec();
        let at = strange.windows(4).position(|it| it == b"json").unwrap();
        strange[at] = b'J';
        assert_eq!(refused(&strange), Some(PrefaceError::Malformed));
        for hops in [0, limits::SOCKET_HOPS_MAX + 1] {
            assert_eq!(
                refused(&preface(hops, b"").encode()),
                Some(PrefaceError::Hops)
            );
        }
        let most = vec![0; limits::SOCKET_EARLY_BYTES_MAX + 1];
        assert_eq!(
            refused(&preface(1, &most).encode()),
            Some(PrefaceError::Early)
        );
        assert_eq!(refused(&preface(1, &most[1..]).encode()), None);
    }
}
