//! What makes a file's address unguessable: a message authentication code that only this
//! installation can make. It does not expire, so that history can be shown as it was.

use std::fmt;

use guildhall_model::attachment::Signature;
use guildhall_model::{AttachmentId, ChannelId};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Bytes of the secret of an installation.
pub const KEY_BYTES: usize = 32;
/// Keeps codes for one kind of address from being good for another.
const PURPOSE: &[u8] = b"guildhall attachment 1\0";
/// The same for pictures.
const PICTURE_PURPOSE: &[u8] = b"guildhall picture 1\0";

/// Signs and checks addresses of files with the installation's secret.
#[derive(Clone)]
pub struct FileLinks {
    keyed: Hmac<Sha256>,
}

impl FileLinks {
    /// With this secret, which must stay the same as long as there are files.
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        Self {
            keyed: Hmac::new_from_slice(key).expect("a key may have any length"),
        }
    }

    /// The signature of a file in this channel, with this name.
    pub fn sign(&self, channel: ChannelId, id: AttachmentId, filename: &str) -> Signature {
        let code = self.code(channel, id, filename).finalize().into_bytes();
        let mut signature = [0; 16];
        // 128 bits cannot be guessed, and keep addresses short (RFC 2104 §5).
        signature.copy_from_slice(&code[..16]);
        Signature(signature)
    }

    /// Whether the signature was made here, in a time that says nothing about where it differs.
    pub fn verify(
        &self,
        channel: ChannelId,
        id: AttachmentId,
        filename: &str,
        signature: Signature,
    ) -> bool {
        let code = self.code(channel, id, filename);
        code.verify_truncated_left(&signature.0).is_ok()
    }

    /// The code that names a picture of the user or guild with this number: the same for the same
    /// bytes, and nothing that tells who else has them.
    pub fn picture_code(&self, owner: u64, content: &[u8]) -> [u8; 16] {
        let mut code = self.keyed.clone();
        code.update(PICTURE_PURPOSE);
        code.update(&owner.to_be_bytes());
        code.update(content);
        let mut short = [0; 16];
        short.copy_from_slice(&code.finalize().into_bytes()[..16]);
        short
    }

    /// Both numbers have a fixed length and the name is the last, so no two addresses are signed
    /// alike.
    fn code(&self, channel: ChannelId, id: AttachmentId, filename: &str) -> Hmac<Sha256> {
        let mut code = self.keyed.clone();
        code.update(PURPOSE);
        code.update(&channel.get().to_be_bytes());
        code.update(&id.get().to_be_bytes());
        code.update(filename.as_bytes());
        code
    }
}

impl fmt::Debug for FileLinks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileLinks(***)")
    }
}

#[cfg(test)]
mod tests {
    use guildhall_model::Id;

    use super::*;

    #[test]
    fn only_the_address_that_was_signed_is_good() {
        let links = FileLinks::new(&[7; KEY_BYTES]);
        let (channel, id) = (Id::new(5).unwrap(), Id::new(6).unwrap());
        let signature = links.sign(channel, id, "cat.png");
        assert!(links.verify(channel, id, "cat.png", signature));
        assert!(!links.verify(channel, id, "cat.exe", signature));
        assert!(!links.verify(channel, id, "", signature));
        assert!(!links.verify(Id::new(4).unwrap(), id, "cat.png", signature));
        assert!(!links.verify(channel, Id::new(5).unwrap(), "cat.png", signature));
        let others = FileLinks::new(&[8; KEY_BYTES]);
        assert!(!others.verify(channel, id, "cat.png", signature));
        for bit in 0..128 {
            let mut flipped = signature;
            flipped.0[bit / 8] ^= 1 << (bit % 8);
            assert!(!links.verify(channel, id, "cat.png", flipped), "{bit}");
        }
    }

    #[test]
    fn a_picture_is_named_by_its_owner_and_content() {
        let links = FileLinks::new(&[7; KEY_BYTES]);
        let code = links.picture_code(5, b"pixels");
        assert_eq!(code, links.picture_code(5, b"pixels"));
        assert_ne!(code, links.picture_code(6, b"pixels"));
        assert_ne!(code, links.picture_code(5, b"pixel"));
        assert_ne!(code, FileLinks::new(&[8; 32]).picture_code(5, b"pixels"));
    }

    #[test]
    fn the_secret_is_not_shown() {
        assert_eq!(format!("{:?}", FileLinks::new(&[7; 32])), "FileLinks(***)");
    }
}
