//! `/gateway`: where bots connect.

use axum::extract::State;
use guildhall_wire::discord::{BotGateway, Gateway, SessionStartLimit};
use http::header::HOST;
use http::uri::Authority;
use http::{HeaderMap, Uri};

use crate::Api;
use crate::extract::Ctx;
use crate::reply::{Reply, ok};

/// Where clients are told that the gateway is: an address without query and without a slash at
/// its end, because clients append both.
#[derive(Clone, Debug)]
pub enum GatewayUrl {
    /// Always there, as an operator has set it.
    Fixed(String),
    /// At the host that the client itself asked, or there where it named none.
    AtHost(String),
}

impl GatewayUrl {
    fn seen_by(&self, headers: &HeaderMap) -> String {
        match self {
            Self::Fixed(url) => url.clone(),
            Self::AtHost(url) => at_host(url, headers).unwrap_or_else(|| url.clone()),
        }
    }
}

/// The address with the host that the client has reached us by.
fn at_host(url: &str, headers: &HeaderMap) -> Option<String> {
    let host = headers.get(HOST)?.to_str().ok()?;
    let host: Authority = host.parse().ok()?;
    if host.as_str().contains('@') {
        return None;
    }
    let url: Uri = url.parse().ok()?;
    let scheme = url.scheme_str()?;
    Some(format!(
        "{scheme}://{host}{}",
        url.path().trim_end_matches('/')
    ))
}

pub(super) async fn get_gateway(State(api): State<Api>, headers: HeaderMap) -> Reply {
    ok(&Gateway::new(&api.gateway.seen_by(&headers)))
}

pub(super) async fn get_bot_gateway(
    State(api): State<Api>,
    Ctx(ctx): Ctx,
    headers: HeaderMap,
) -> Reply {
    let shards = api.app.guilds().shards(&ctx).await?;
    let left = api.app.session_start_limit(&ctx).await;
    let left = SessionStartLimit {
        total: left.total,
        remaining: left.remaining,
        reset_after: left.reset_after_ms,
        max_concurrency: left.max_concurrency,
    };
    ok(&BotGateway::new(
        &api.gateway.seen_by(&headers),
        shards,
        left,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_the_configured_one_or_at_the_host_that_was_asked() {
        let seen = |url: &GatewayUrl, host: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(host) = host {
                headers.insert(HOST, host.parse().unwrap());
            }
            url.seen_by(&headers)
        };
        let fixed = GatewayUrl::Fixed("wss://chat.example/gateway".to_owned());
        assert_eq!(seen(&fixed, Some("other")), "wss://chat.example/gateway");
        let open = GatewayUrl::AtHost("ws://0.0.0.0:8080/gateway".to_owned());
        assert_eq!(seen(&open, Some("box:81")), "ws://box:81/gateway");
        assert_eq!(seen(&open, Some("[::1]:81")), "ws://[::1]:81/gateway");
        for wrong in [None, Some("a b"), Some(""), Some("u@evil"), Some("a/b")] {
            assert_eq!(seen(&open, wrong), "ws://0.0.0.0:8080/gateway", "{wrong:?}");
        }
    }
}
