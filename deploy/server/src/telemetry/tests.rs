//! What logs and metrics promise to those who read them.

use std::io::{self, Write};
use std::sync::Arc;

use metrics::with_local_recorder;
use parking_lot::Mutex;
use tracing::{debug, info};

use super::*;
use crate::config::{Config, Sources};

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().clone()).unwrap()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn logged(format: &str, filter: &str, act: impl FnOnce()) -> String {
    let config = Config::load(&Sources {
        environment: vec![
            ("GUILDHALL__LOG__FORMAT".into(), format.into()),
            ("GUILDHALL__LOG__FILTER".into(), filter.into()),
        ],
        ..Sources::default()
    });
    let written = Written::default();
    let writer = written.clone();
    let lines = subscriber(&config.unwrap().log, move || writer.clone()).unwrap();
    tracing::subscriber::with_default(lines, act);
    written.text()
}

#[test]
fn a_json_line_carries_its_fields_and_its_sentence() {
    let text = logged("json", "info", || {
        info!(guild.id = 81, "guild 81 is loaded");
        debug!("nobody asked");
    });
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["guild.id"], 81);
    assert_eq!(line["message"], "guild 81 is loaded");
    assert_eq!(line["level"], "INFO");
}

#[test]
fn the_filter_decides_by_crate() {
    let text = logged("text", "warn,guildhall_server=debug", || {
        debug!("ours");
        debug!(target: "hyper", "theirs");
    });
    assert!(text.contains("ours") && !text.contains("theirs"), "{text}");
}

#[test]
fn a_panic_is_a_log_line() {
    let text = logged("json", "error", || {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(log_panic));
        let outcome = std::panic::catch_unwind(|| panic!("the floor is missing"));
        std::panic::set_hook(before);
        assert!(outcome.is_err());
    });
    let line: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(line["message"], "a thread panicked: the floor is missing");
    let place = line["panic.location"].as_str().unwrap();
    assert!(place.contains("telemetry"), "{place}");
}

#[test]
fn seconds_and_counts_have_their_own_buckets() {
    let recorder = recorder().unwrap().build_recorder();
    with_local_recorder(&recorder, || {
        metrics::histogram!("guildhall_log_append_seconds").record(0.003);
        metrics::histogram!("guildhall_log_batch_records").record(100.0);
    });
    let text = recorder.handle().render();
    for line in [
        "guildhall_log_append_seconds_bucket{le=\"0.0025\"} 0",
        "guildhall_log_append_seconds_bucket{le=\"0.005\"} 1",
        "guildhall_log_batch_records_bucket{le=\"64\"} 0",
        "guildhall_log_batch_records_bucket{le=\"256\"} 1",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}
