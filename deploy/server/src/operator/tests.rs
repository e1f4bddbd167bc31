//! What the operator's routes promise.

use axum::body::Body;
use axum::http::Request;
use metrics_exporter_prometheus::PrometheusBuilder;
use tower::ServiceExt;

use super::*;
use crate::config::{Config, Sources};

const TOKEN: &str = "a-token-for-the-scraper";

fn operator(readiness: Readiness, environment: &[(&str, &str)]) -> Operator {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    metrics::with_local_recorder(&recorder, || {
        metrics::counter!("guildhall_test_events_total").increment(3);
    });
    let config = Config::load(&Sources {
        environment: environment
            .iter()
            .map(|(k, v)| (k.into(), v.into()))
            .collect(),
        ..Sources::default()
    });
    Operator {
        metrics,
        readiness,
        metrics_token: config.unwrap().operator.metrics_token,
        state: Arc::default(),
    }
}

async fn get(operator: &Operator, path: &str, token: Option<&str>) -> (StatusCode, String) {
    let mut request = Request::get(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Body::empty()).unwrap();
    let response = router(operator.clone()).oneshot(request).await.unwrap();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20)
        .await
        .unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn metrics_show_what_was_counted() {
    let operator = operator(Readiness::starting(), &[]);
    let (status, body) = get(&operator, "/metrics", None).await;
    assert_eq!(status, StatusCode::OK);
    assert!(body.contains("guildhall_test_events_total 3"), "{body}");
}

#[tokio::test]
async fn metrics_ask_for_the_token_where_one_is_set() {
    let token = [("GUILDHALL__OPERATOR__METRICS_TOKEN", TOKEN)];
    let operator = operator(Readiness::starting(), &token);
    for wrong in [None, Some("another-token-for-it"), Some("")] {
        let (status, body) = get(&operator, "/metrics", wrong).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{wrong:?}");
        assert!(!body.contains("guildhall_test"));
    }
    assert_eq!(
        get(&operator, "/metrics", Some(TOKEN)).await.0,
        StatusCode::OK
    );
    assert_eq!(get(&operator, "/livez", None).await.0, StatusCode::OK);
}

#[tokio::test]
async fn the_state_is_what_the_node_says_once_there_is_one() {
    let token = [("GUILDHALL__OPERATOR__METRICS_TOKEN", TOKEN)];
    let operator = operator(Readiness::starting(), &token);
    let (status, _) = get(&operator, "/state", Some(TOKEN)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let probe = StateProbe::new(|| serde_json::json!({ "event_partitions": [] }));
    assert!(operator.state.set(probe).is_ok());
    let (status, body) = get(&operator, "/state", Some(TOKEN)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body, r#"{"event_partitions":[]}"#);
    let (status, _) = get(&operator, "/state", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_process_is_live_whatever_its_engines_do() {
    let readiness = Readiness::starting();
    readiness.dependency("events log").failed("disk on fire");
    let (status, body) = get(&operator(readiness, &[]), "/livez", None).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "live\n"));
}

#[tokio::test]
async fn a_node_is_ready_only_while_it_serves() {
    let readiness = Readiness::starting();
    let operator = operator(readiness.clone(), &[]);
    let (status, body) = get(&operator, "/readyz", None).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        body,
        r#"{"phase":"starting","ready":false,"dependencies":{}}"#
    );

    readiness.enter(Phase::Serving);
    for path in ["/readyz", "/readyz?unready=404"] {
        assert_eq!(get(&operator, path, None).await.0, StatusCode::OK);
    }

    readiness.enter(Phase::Draining);
    let (status, body) = get(&operator, "/readyz", None).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(body.contains(r#""phase":"draining""#), "{body}");
}

#[tokio::test]
async fn a_balancer_can_tell_a_node_that_takes_nobody_from_one_that_is_gone() {
    let readiness = Readiness::starting();
    readiness.enter(Phase::Serving);
    readiness.watch("partitions", || {
        Err(Trouble::Failed("PostgreSQL is away".to_owned()))
    });
    let operator = operator(readiness, &[]);
    let (status, body) = get(&operator, "/readyz?unready=404", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(body.contains("PostgreSQL is away"), "{body}");
    let (status, _) = get(&operator, "/readyz?unready=200", None).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn what_a_node_serves_without_is_told_and_leaves_it_ready() {
    let readiness = Readiness::starting();
    readiness.enter(Phase::Serving);
    readiness.watch("partitions", || Ok(()));
    readiness.watch("role api", || Ok(()));
    readiness.watch("role gateway", || {
        Err(Trouble::Degraded("no living node has it".to_owned()))
    });
    let operator = operator(readiness, &[]);
    let (status, body) = get(&operator, "/readyz", None).await;
    assert_eq!(status, StatusCode::OK);
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["dependencies"]["role api"]["status"], "ready");
    let missing = &body["dependencies"]["role gateway"];
    assert_eq!(missing["status"], "degraded");
    assert_eq!(missing["reason"], "no living node has it");
}

#[tokio::test]
async fn one_part_that_fails_makes_the_node_unready_and_says_why() {
    let readiness = Readiness::starting();
    readiness.enter(Phase::Serving);
    let database = readiness.dependency("database");
    let operator = operator(readiness.clone(), &[]);
    assert_eq!(
        get(&operator, "/readyz", None).await.0,
        StatusCode::SERVICE_UNAVAILABLE
    );

    database.ready();
    assert_eq!(get(&operator, "/readyz", None).await.0, StatusCode::OK);

    let poisoned = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let flag = Arc::clone(&poisoned);
    readiness.watch("events log", move || {
        if flag.load(std::sync::atomic::Ordering::Relaxed) {
            let why = "an fsync failed, restart after the disk is mended";
            Err(Trouble::Failed(why.to_owned()))
        } else {
            Ok(())
        }
    });
    assert_eq!(get(&operator, "/readyz", None).await.0, StatusCode::OK);
    poisoned.store(true, std::sync::atomic::Ordering::Relaxed);
    let (status, body) = get(&operator, "/readyz", None).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["dependencies"]["database"]["status"], "ready");
    assert_eq!(body["dependencies"]["events log"]["status"], "failed");
    let reason = body["dependencies"]["events log"]["reason"]
        .as_str()
        .unwrap();
    assert!(reason.contains("fsync"), "{reason}");
}

#[tokio::test]
async fn a_part_that_is_only_a_help_is_shown_when_it_is_away_and_the_node_stays_ready() {
    let readiness = Readiness::starting();
    readiness.enter(Phase::Serving);
    let why = Arc::new(parking_lot::Mutex::new(Some(
        "no answer within 2 s".to_owned(),
    )));
    let told = Arc::clone(&why);
    readiness.watch("cql", move || {
        told.lock()
            .clone()
            .map_or(Ok(()), |why| Err(Trouble::Degraded(why)))
    });
    let operator = operator(readiness.clone(), &[]);
    for path in ["/readyz", "/readyz?unready=404"] {
        let (status, body) = get(&operator, path, None).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(
            body,
            r#"{"phase":"serving","ready":true,"dependencies":{"cql":{"status":"degraded","reason":"no answer within 2 s"}}}"#
        );
    }
    // It helps nothing else to be ready.
    readiness.watch("partitions", || Err(Trouble::Failed("none".to_owned())));
    let (status, _) = get(&operator, "/readyz", None).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    readiness.watch("partitions", || Ok(()));
    *why.lock() = None;
    let (_, body) = get(&operator, "/readyz", None).await;
    assert!(body.contains(r#""cql":{"status":"ready"}"#), "{body}");
}
