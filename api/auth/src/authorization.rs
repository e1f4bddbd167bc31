//! The credential that a request brings, before anybody has looked whether it is worth anything.

use crate::bot;
use crate::secret::Secret;

/// A credential and what it claims to be.
#[derive(Clone, Debug)]
pub enum Presented {
    /// A person's access token.
    Bearer(Secret),
    /// A bot's token.
    Bot(Secret),
}

impl Presented {
    /// Reads an `Authorization` header. Schemes are compared without case (RFC 9110 §11.1); `None`
    /// for other schemes and for a scheme without a token.
    pub fn parse(header: &str) -> Option<Self> {
        let (scheme, token) = header.trim().split_once(' ')?;
        let token = token.trim_start();
        // Tokens are visible ASCII; a second word would be another scheme's parameters.
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return None;
        }
        if scheme.eq_ignore_ascii_case("Bearer") {
            Some(Self::Bearer(Secret::new(token)))
        } else if scheme.eq_ignore_ascii_case("Bot") {
            Some(Self::Bot(Secret::new(token)))
        } else {
            None
        }
    }

    /// Tells a token without a scheme by its shape, as the gateway gets it: libraries leave the
    /// scheme out there.
    pub fn bare(token: &str) -> Self {
        let secret = Secret::new(token);
        if bot::application(token).is_some() {
            Self::Bot(secret)
        } else {
            Self::Bearer(secret)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Option<(&'static str, String)> {
        match Presented::parse(header)? {
            Presented::Bearer(token) => Some(("bearer", token.reveal().to_owned())),
            Presented::Bot(token) => Some(("bot", token.reveal().to_owned())),
        }
    }

    #[test]
    fn both_schemes_are_read() {
        assert_eq!(read("Bearer a.b.c"), Some(("bearer", "a.b.c".into())));
        assert_eq!(read("bearer  a.b.c "), Some(("bearer", "a.b.c".into())));
        assert_eq!(read("Bot a.b.c"), Some(("bot", "a.b.c".into())));
        assert_eq!(read("BOT a.b.c"), Some(("bot", "a.b.c".into())));
    }

    #[test]
    fn everything_else_is_no_credential() {
        for header in [
            "",
            " ",
            "Bearer",
            "Bearer ",
            "Bot",
            "a.b.c",
            "Basic YTpi",
            "Bearer a b",
            "Botx a",
            "Bearer \u{e9}",
            "Bearer a\0",
        ] {
            assert!(read(header).is_none(), "{header:?}");
        }
    }

    #[test]
    fn a_bare_token_is_told_by_its_shape() {
        assert!(matches!(Presented::bare("MQ.AAAAAA.x"), Presented::Bot(_)));
        assert!(matches!(
            Presented::bare("eyJhIjoxfQ.e30.sig"),
            Presented::Bearer(_)
        ));
        assert!(matches!(Presented::bare(""), Presented::Bearer(_)));
    }

    #[test]
    fn a_credential_is_not_shown() {
        let shown = format!("{:?}", Presented::parse("Bot hunter2"));
        assert_eq!(shown, "Some(Bot(***))");
    }
}
