//! Where a request comes from, as far as limits are concerned.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::extract::Request;
use guildhall_app::Peer;
use http::HeaderMap;

/// Longer values were not made by proxies.
const FORWARDED_BYTES_MAX: usize = 2_048;

/// An IPv4 address, or the network of an IPv6 address: whoever has one of these has all of its
/// 2^64 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Client(IpAddr);

impl From<IpAddr> for Client {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => address.into(),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
        })
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Who sent the request: the peer, or whom the outermost of our own proxies names. What stands
/// further left in `X-Forwarded-For` is the client's to invent.
pub(super) fn client(request: &Request, proxies: u16) -> Client {
    let peer = request.extensions().get::<Peer>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |&Peer(address)| address);
    let forwarded = match proxies {
        0 => None,
        _ => forwarded(request.headers(), proxies.into()),
    };
    forwarded.unwrap_or(peer).into()
}

fn forwarded(headers: &HeaderMap, proxies: usize) -> Option<IpAddr> {
    let values = headers.get_all("x-forwarded-for").iter();
    let texts: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
    if FORWARDED_BYTES_MAX < texts.iter().map(|text| text.len()).sum() {
        return None;
    }
    let mut addresses = texts.iter().rev().flat_map(|text| text.rsplit(','));
    addresses.nth(proxies - 1)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn from(peer: &str, forwarded: &[&str]) -> Request {
        let mut request = Request::builder();
        for value in forwarded {
            request = request.header("x-forwarded-for", *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(Peer(peer.parse().unwrap()));
        request
    }

    fn is(text: &str) -> Client {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn without_proxies_the_peer_counts_whatever_it_claims() {
        assert_eq!(
            client(&from("192.0.2.1", &["203.0.113.9"]), 0),
            is("192.0.2.1")
        );
    }

    #[test]
    fn behind_proxies_the_address_that_the_outermost_saw_counts() {
        let claimed = from("10.0.0.1", &["1.1.1.1, 203.0.113.9", "10.0.0.2"]);
        assert_eq!(client(&claimed, 1), is("10.0.0.2"));
        assert_eq!(client(&claimed, 2), is("203.0.113.9"));
    }

    #[test]
    fn a_header_that_names_nobody_leaves_the_peer() {
        let long = "1,".repeat(FORWARDED_BYTES_MAX);
        for values in [&[][..], &["someone"], &["1.1.1.1"], &[&long]] {
            assert_eq!(client(&from("10.0.0.1", values), 2), is("10.0.0.1"));
        }
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        assert_eq!(is("2001:db8:1:2::3"), is("2001:db8:1:2:ffff::4"));
        assert_ne!(is("2001:db8:1:2::3"), is("2001:db8:1:3::3"));
        assert_eq!(is("::ffff:192.0.2.1"), is("192.0.2.1"));
    }
}
