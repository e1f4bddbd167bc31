//! What the link counts.

use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use guildhall_cluster::link::bounds::BODY_BYTES_MAX;
use guildhall_cluster::link::{Lane, LinkError, LinkState};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::desk::{Node, PATIENCE, soon};

fn value(measured: &PrometheusHandle, series: &str) -> f64 {
    let page = measured.render();
    let line = page.lines().find_map(|line| line.strip_prefix(series));
    line.map_or(0.0, |value| value.trim().parse().unwrap())
}

#[tokio::test]
async fn calls_are_counted_by_their_outcome() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let measured = recorder.handle();
    // This runtime has one thread, on which everything happens.
    let _local = metrics::set_default_local_recorder(&recorder);
    let (one, two) = Node::pair().await;
    let in_flight = "guildhall_link_calls_in_flight{lane=\"control\"}";

    one.call(&two, "quick").await.unwrap();
    let waits = one.call(&two, "wait");
    let opens = async {
        two.has_begun("wait").await;
        assert!((value(&measured, in_flight) - 1.0).abs() < f64::EPSILON);
        two.desk.gate.add_permits(1);
    };
    let (waited, ()) = soon(async { tokio::join!(waits, opens) }).await;
    waited.unwrap();
    let large = Bytes::from(vec![0; BODY_BYTES_MAX + 1]);
    let large = one.links.call(two.id, Lane::Control, large, PATIENCE).await;
    assert_eq!(large, Err(LinkError::TooLarge));
    let within = Duration::from_millis(1);
    let wait = Bytes::from("wait");
    let overdue = one.links.call(two.id, Lane::Control, wait, within).await;
    assert_eq!(overdue, Err(LinkError::Overdue));
    assert_eq!(one.call(&two, "panic").await, Err(LinkError::Lost));
    let given_up = one.call(&two, "wait").now_or_never();
    assert_eq!(given_up, None);
    let told = Bytes::from("told");
    one.links.tell(two.id, Lane::Control, told.clone()).unwrap();
    two.links.stop();
    one.sees(two.id, |state| !state.is_up()).await;
    let late = one.call(&two, "late").await;
    assert_eq!(late, Err(LinkError::Unreachable));
    let late = one.links.tell(two.id, Lane::Control, told);
    assert_eq!(late, Err(LinkError::Unreachable));
    one.sees(two.id, LinkState::is_refused).await;

    let failed = ["control", "bulk"].map(|lane| {
        let labels = format!("{{lane=\"{lane}\",outcome=\"failed\"}}");
        value(
            &measured,
            &format!("guildhall_link_connections_total{labels}"),
        )
    });
    assert!(failed.iter().sum::<f64>() > 0.0);
    for (series, expected) in [
        ("calls_total{lane=\"control\",outcome=\"answered\"}", 2.0),
        ("calls_total{lane=\"control\",outcome=\"too_large\"}", 1.0),
        ("calls_total{lane=\"control\",outcome=\"overdue\"}", 1.0),
        ("calls_total{lane=\"control\",outcome=\"lost\"}", 1.0),
        ("calls_total{lane=\"control\",outcome=\"unreachable\"}", 1.0),
        ("calls_total{lane=\"control\",outcome=\"abandoned\"}", 1.0),
        ("calls_in_flight{lane=\"control\"}", 0.0),
        ("tells_total{lane=\"control\",outcome=\"queued\"}", 1.0),
        ("tells_total{lane=\"control\",outcome=\"dropped\"}", 1.0),
        ("connections_total{lane=\"control\",outcome=\"made\"}", 1.0),
        ("connections_total{lane=\"bulk\",outcome=\"made\"}", 1.0),
    ] {
        let value = value(&measured, &format!("guildhall_link_{series}"));
        assert!((value - expected).abs() < f64::EPSILON, "{series} {value}");
    }
    for series in [
        "bytes_total{lane=\"control\",direction=\"sent\"}",
        "bytes_total{lane=\"control\",direction=\"received\"}",
    ] {
        assert!(value(&measured, &format!("guildhall_link_{series}")) > 0.0);
    }
}
