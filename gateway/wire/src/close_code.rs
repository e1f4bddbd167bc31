//! Every code that a gateway connection is closed with, and what follows from it.
//! <https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes>
//!
//! The server never closes with 1000: discord.js then throws its session away (measured with
//! 14.28), where every other code or a dropped connection makes it RESUME. A RESUME from a number that
//! the session has not reached is answered with op 9 rather than 4007, like every other RESUME
//! that cannot be exact.

/// Why a connection was closed by the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u16)]
pub enum CloseCode {
    /// Framing that RFC 6455 does not allow.
    ProtocolError = 1002,
    /// A text that is not UTF-8.
    InvalidPayload = 1007,
    /// The node restarts.
    ServiceRestart = 1012,
    /// Something of ours, or a reader too slow for its backlog.
    UnknownError = 4000,
    /// An opcode that does not exist or that only the server may send.
    UnknownOpcode = 4001,
    /// A payload that cannot be read, or is too large.
    DecodeError = 4002,
    /// A payload that needs a session came before there was one.
    NotAuthenticated = 4003,
    /// The token is nobody's.
    AuthenticationFailed = 4004,
    /// IDENTIFY or RESUME on a connection that has its session.
    AlreadyAuthenticated = 4005,
    /// More frames than allowed in the window.
    RateLimited = 4008,
    /// No heartbeat in time.
    SessionTimedOut = 4009,
    /// A shard that cannot be.
    InvalidShard = 4010,
    /// More guilds than one shard may hold.
    ShardingRequired = 4011,
    /// A version that is not served.
    InvalidApiVersion = 4012,
    /// Intent bits that do not exist, or none at all from a bot.
    InvalidIntents = 4013,
    /// Privileged intents that the application was not granted.
    DisallowedIntents = 4014,
}

impl CloseCode {
    /// All of them, in order.
    pub const ALL: [Self; 16] = [
        Self::ProtocolError,
        Self::InvalidPayload,
        Self::ServiceRestart,
        Self::UnknownError,
        Self::UnknownOpcode,
        Self::DecodeError,
        Self::NotAuthenticated,
        Self::AuthenticationFailed,
        Self::AlreadyAuthenticated,
        Self::RateLimited,
        Self::SessionTimedOut,
        Self::InvalidShard,
        Self::ShardingRequired,
        Self::InvalidApiVersion,
        Self::InvalidIntents,
        Self::DisallowedIntents,
    ];

    /// The same client would be refused again with these, so libraries stop.
    pub const fn client_may_reconnect(self) -> bool {
        !matches!(
            self,
            Self::AuthenticationFailed
                | Self::InvalidShard
                | Self::ShardingRequired
                | Self::InvalidApiVersion
                | Self::InvalidIntents
                | Self::DisallowedIntents
        )
    }

    /// The session that the connection had, if any, waits for RESUME.
    ///
    /// Deviation: Discord's list tells clients to start anew after 4009, but seven of eight
    /// measured libraries RESUME, and a client that lost its network has done nothing wrong.
    pub const fn session_survives(self) -> bool {
        self.client_may_reconnect() && !matches!(self, Self::NotAuthenticated)
    }

    /// What people read in their library's log.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::ProtocolError => "Protocol error.",
            Self::InvalidPayload => "Invalid text.",
            Self::ServiceRestart => "Restarting.",
            Self::UnknownError => "Unknown error.",
            Self::UnknownOpcode => "Unknown opcode.",
            Self::DecodeError => "Error while decoding payload.",
            Self::NotAuthenticated => "Not authenticated.",
            Self::AuthenticationFailed => "Authentication failed.",
            Self::AlreadyAuthenticated => "Already authenticated.",
            Self::RateLimited => "Rate limited.",
            Self::SessionTimedOut => "Session timed out.",
            Self::InvalidShard => "Invalid shard.",
            Self::ShardingRequired => "Sharding required.",
            Self::InvalidApiVersion => "Invalid API version.",
            Self::InvalidIntents => "Invalid intent(s).",
            Self::DisallowedIntents => "Disallowed intent(s).",
        }
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code as Self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_that_stop_a_client_are_discords() {
        let fatal: Vec<u16> = CloseCode::ALL
            .into_iter()
            .filter(|code| !code.client_may_reconnect())
            .map(u16::from)
            .collect();
        assert_eq!(fatal, [4004, 4010, 4011, 4012, 4013, 4014]);
    }

    #[test]
    fn handing_a_session_over_keeps_it() {
        for code in [
            CloseCode::ServiceRestart,
            CloseCode::UnknownError,
            CloseCode::RateLimited,
            CloseCode::SessionTimedOut,
        ] {
            assert!(code.session_survives(), "{code:?}");
        }
        assert!(!CloseCode::AuthenticationFailed.session_survives());
    }

    #[test]
    fn no_session_survives_a_client_that_may_not_come_back() {
        for code in CloseCode::ALL {
            assert!(code.client_may_reconnect() || !code.session_survives());
        }
    }

    #[test]
    fn every_reason_fits_a_control_frame() {
        for code in CloseCode::ALL {
            assert!(code.reason().len() <= crate::ws::CLOSE_REASON_BYTES_MAX);
        }
    }

    #[test]
    fn a_normal_closure_is_never_sent() {
        assert!(
            CloseCode::ALL
                .into_iter()
                .all(|code| u16::from(code) != 1000)
        );
    }
}
