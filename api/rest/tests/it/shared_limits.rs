//! How often callers may call several nodes that count together, whatever becomes of the counts.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use guildhall_app::{Failure, Peer};
use guildhall_model::Rate;
use guildhall_ports::Random;
use guildhall_ports::fake::{FakeQuotas, FakeRandom};
use guildhall_rest::Limits;

use crate::harness::{Answer, Caller, House};

const WINDOW_MS: u32 = 5_000;

fn rate(count: u32) -> Option<Rate> {
    Rate::new(count, WINDOW_MS)
}

/// Nodes that count together, somebody who calls them, and a channel.
struct Cluster {
    house: House,
    quotas: FakeQuotas,
    nodes: Vec<Router>,
    ada: Caller,
    channel: String,
}

impl Cluster {
    async fn limited(count: usize, limits: Limits) -> Self {
        let house = House::open().await;
        let quotas = FakeQuotas::new(house.env.clone());
        let nodes = (0..count).map(|_| house.beside(limits, &quotas)).collect();
        let ada = house.person("ada").await;
        let (_, channel) = house.server(&ada).await;
        Self {
            house,
            quotas,
            nodes,
            ada,
            channel,
        }
    }

    /// As many nodes anew, which have counted nothing, before the same house.
    fn begin_anew(&mut self, limits: Limits) {
        self.quotas = FakeQuotas::new(self.house.env.clone());
        for node in &mut self.nodes {
            *node = self.house.beside(limits, &self.quotas);
        }
    }

    /// Posts a message through one of the nodes.
    async fn post(&self, node: usize) -> Answer {
        let request = Request::builder()
            .method("POST")
            .uri(format!("/channels/{}/messages", self.channel))
            .header(AUTHORIZATION, &self.ada.authorization)
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from(r#"{"content":"hail"}"#))
            .unwrap();
        self.house.send_to(&self.nodes[node], request).await
    }
}

fn told<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers[name].to_str().unwrap()
}

#[tokio::test]
async fn two_nodes_share_one_bucket_and_tell_it_alike() {
    let limits = Limits {
        messages: rate(3),
        ..Limits::default()
    };
    let cluster = Cluster::limited(2, limits).await;
    let mut buckets = Vec::new();
    for (node, status, remaining, after) in [
        (0, 201, "2", "5.000"),
        (1, 201, "1", "4.900"),
        (0, 201, "0", "4.800"),
        (1, 429, "0", "4.700"),
        (0, 429, "0", "4.600"),
    ] {
        let answer = cluster.post(node).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert_eq!(told(&answer, "x-ratelimit-remaining"), remaining);
        assert_eq!(told(&answer, "x-ratelimit-reset-after"), after);
        assert_eq!(told(&answer, "x-ratelimit-reset"), "1767323050.678");
        buckets.push(told(&answer, "x-ratelimit-bucket").to_owned());
        cluster.house.clock.advance_ms(100);
    }
    buckets.dedup();
    assert_eq!(buckets.len(), 1);
    cluster.house.clock.advance_ms(4_499);
    assert_eq!(cluster.post(1).await.status, 429);
    cluster.house.clock.advance_ms(1);
    assert_eq!(cluster.post(1).await.status, 201);
    assert_eq!(told(&cluster.post(0).await, "x-ratelimit-remaining"), "1");
}

#[tokio::test]
async fn the_allowance_for_all_routes_and_the_share_of_an_address_are_shared_too() {
    let people = Limits {
        people: rate(2),
        ..Limits::default()
    };
    let cluster = Cluster::limited(2, people).await;
    assert_eq!(cluster.post(0).await.status, 201);
    assert_eq!(cluster.post(1).await.status, 201);
    assert_eq!(told(&cluster.post(0).await, "x-ratelimit-scope"), "global");

    let guesses = Limits {
        refusals: rate(4),
        ..Limits::default()
    };
    let cluster = Cluster::limited(2, guesses).await;
    let mut answers = Vec::new();
    for n in 0..10 {
        let request = Request::builder().uri("/users/me");
        let mut request = request.body(Body::empty()).unwrap();
        let address = "192.0.2.1".parse().unwrap();
        request.extensions_mut().insert(Peer(address));
        let node = &cluster.nodes[n % 2];
        answers.push(cluster.house.send_to(node, request).await.status);
    }
    // A node notices with the next guess that the others' are too many.
    let listened = answers.iter().filter(|status| **status == 401).count();
    assert!((4..=5).contains(&listened), "{answers:?}");
    assert_eq!(answers[6..], [429; 4]);
}

#[tokio::test]
async fn a_node_whose_counts_are_away_goes_on_from_what_it_knew() {
    let limits = Limits {
        messages: rate(3),
        ..Limits::default()
    };
    let cluster = Cluster::limited(2, limits).await;
    cluster.post(0).await.expect(201);
    cluster.post(1).await.expect(201);
    let away = Failure::unavailable("the counts", "away");
    cluster.quotas.fail(Some(away));
    // It knows of both, the other one only of the first.
    assert_eq!(told(&cluster.post(1).await, "x-ratelimit-remaining"), "0");
    assert_eq!(cluster.post(1).await.status, 429);
    assert_eq!(told(&cluster.post(0).await, "x-ratelimit-remaining"), "1");
    cluster.quotas.fail(None);
    assert_eq!(told(&cluster.post(0).await, "x-ratelimit-remaining"), "0");
    assert_eq!(cluster.post(0).await.status, 429);
    cluster.house.clock.advance_ms(WINDOW_MS.into());
    assert_eq!(told(&cluster.post(0).await, "x-ratelimit-remaining"), "2");
    assert_eq!(told(&cluster.post(1).await, "x-ratelimit-remaining"), "1");
}

/// The counts are emptied, go away and come back at every moment.
#[tokio::test]
async fn whatever_becomes_of_the_counts_nobody_is_allowed_more_than_all_nodes_alone_would() {
    let (limit, count) = (4, 3);
    let limits = Limits {
        messages: rate(limit),
        ..Limits::default()
    };
    let away = Failure::unavailable("the counts", "away");
    let mut cluster = Cluster::limited(count, limits).await;
    for seed in 0..20 {
        cluster.begin_anew(limits);
        let random = FakeRandom::seeded(seed);
        let mut allowed = 0;
        // All within one window of each node.
        for _ in 0..60 {
            let mut drawn = [0; 3];
            random.fill(&mut drawn);
            match drawn[0] % 6 {
                0 => cluster.quotas.flush(),
                1 => cluster.quotas.fail(Some(away.clone())),
                2 => cluster.quotas.fail(None),
                _ => {}
            }
            let answer = cluster.post(usize::from(drawn[1]) % count).await;
            assert!(matches!(answer.status, 201 | 429), "{}", answer.body);
            allowed += u32::from(answer.status == 201);
            cluster.house.clock.advance_ms(i64::from(drawn[2] % 80));
        }
        let most = limit * u32::try_from(count).unwrap();
        assert!(limit <= allowed && allowed <= most, "{allowed} of {most}");
    }
}
