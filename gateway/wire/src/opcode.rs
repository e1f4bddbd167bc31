//! The gateway's opcodes, and who may send which.
//! <https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-opcodes>

/// What a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Opcode {
    /// An event for the session.
    Dispatch = 0,
    /// A sign of life, or the server's request for one.
    Heartbeat = 1,
    /// Starts a session.
    Identify = 2,
    /// Sets how the user appears.
    PresenceUpdate = 3,
    /// Joins, leaves or changes a voice channel.
    VoiceStateUpdate = 4,
    /// Goes on with a session.
    Resume = 6,
    /// Asks the client to connect again and RESUME.
    Reconnect = 7,
    /// Asks for members of a guild.
    RequestGuildMembers = 8,
    /// The session is gone, or could not be started.
    InvalidSession = 9,
    /// The first payload of every connection.
    Hello = 10,
    /// The answer to a heartbeat.
    HeartbeatAck = 11,
    /// Asks for the soundboard sounds of guilds.
    RequestSoundboardSounds = 31,
    /// Asks what the channels of a guild are about at present.
    RequestChannelInfo = 43,
}

impl Opcode {
    /// All of them, in order.
    pub const ALL: [Self; 13] = [
        Self::Dispatch,
        Self::Heartbeat,
        Self::Identify,
        Self::PresenceUpdate,
        Self::VoiceStateUpdate,
        Self::Resume,
        Self::Reconnect,
        Self::RequestGuildMembers,
        Self::InvalidSession,
        Self::Hello,
        Self::HeartbeatAck,
        Self::RequestSoundboardSounds,
        Self::RequestChannelInfo,
    ];

    /// The opcode with this number.
    pub fn new(number: u64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|&opcode| u64::from(u8::from(opcode)) == number)
    }

    /// Clients may send it.
    pub const fn is_clients(self) -> bool {
        matches!(
            self,
            Self::Heartbeat
                | Self::Identify
                | Self::PresenceUpdate
                | Self::VoiceStateUpdate
                | Self::Resume
                | Self::RequestGuildMembers
                | Self::RequestSoundboardSounds
                | Self::RequestChannelInfo
        )
    }
}

impl From<Opcode> for u8 {
    fn from(opcode: Opcode) -> Self {
        opcode as Self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_opcode_is_found_by_its_number() {
        for opcode in Opcode::ALL {
            assert_eq!(Opcode::new(u8::from(opcode).into()), Some(opcode));
        }
        assert_eq!(Opcode::new(5), None);
        assert_eq!(Opcode::new(12), None);
        assert_eq!(Opcode::new(u64::MAX), None);
    }

    #[test]
    fn clients_send_eight_of_them() {
        let clients: Vec<u8> = Opcode::ALL
            .into_iter()
            .filter(|opcode| opcode.is_clients())
            .map(u8::from)
            .collect();
        assert_eq!(clients, [1, 2, 3, 4, 6, 8, 31, 43]);
    }
}
