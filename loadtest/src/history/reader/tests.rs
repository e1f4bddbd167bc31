//! What was written is read back, and what was not is refused with its place.

use std::fs;

use super::*;
use crate::history::writer;

fn collect(directory: &Path) -> Result<Vec<(Place, String)>, ReadError> {
    let mut seen = Vec::new();
    visit(directory, |place, line| {
        seen.push((place, format!("{:?}", line.what)));
        Ok(())
    })?;
    Ok(seen)
}

#[test]
fn every_line_comes_back_in_order_with_its_place() {
    let home = tempfile::tempdir().unwrap();
    let recorders = writer::open(home.path(), 2).unwrap();
    let mut stamps = Vec::new();
    for client in 0..2_000 {
        stamps.push(recorders[1].record(Entry::Connect { client }));
    }
    assert!(stamps.is_sorted());
    for recorder in &recorders {
        recorder.flush().unwrap();
    }
    let lines = collect(home.path()).unwrap();
    assert_eq!(lines.len(), 2_002);
    assert_eq!(
        lines[1_001].0,
        Place {
            file: 1,
            line: 1_001
        }
    );
    assert!(lines[1_001].1.contains("client: 999"), "{}", lines[1_001].1);
    let quotes = quote(
        home.path(),
        &[Place { file: 1, line: 3 }, Place { file: 0, line: 1 }],
    )
    .unwrap();
    assert!(quotes[0].ends_with(r#""what":{"connect":{"client":1}}}"#));
    assert!(quotes[1].ends_with(r#""what":{"begin":{"format":1}}}"#));
}

#[test]
fn a_second_run_is_not_written_into_the_first() {
    let home = tempfile::tempdir().unwrap();
    writer::open(home.path(), 1).unwrap();
    let refused = writer::open(home.path(), 1).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
}

#[test]
fn what_is_no_history_is_refused_with_its_place() {
    let begin = r#"{"at":1,"what":{"begin":{"format":1}}}"#;
    let connect = r#"{"at":1,"what":{"connect":{"client":1}}}"#;
    for (text, place) in [
        (format!("{begin}\n{{\"at\":"), ":2:"),
        (format!("{begin}\n\n"), ":2:"),
        (format!("{begin}\n{begin}\n"), ":2:"),
        (format!("{connect}\n"), ":1:"),
        (begin.replace("\"format\":1", "\"format\":2"), ":1:"),
        (format!("{begin}\n\u{0}{connect}"), ":2:"),
    ] {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("a.jsonl"), &text).unwrap();
        let refused = collect(home.path()).unwrap_err().to_string();
        assert!(refused.contains(place), "{refused} for {text:?}");
    }
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(collect(empty.path()), Err(ReadError::Empty(_))));
}

#[test]
fn a_line_without_end_does_not_fill_the_memory() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("a.jsonl"), vec![b' '; LINE_BYTES_MAX + 2]).unwrap();
    assert!(matches!(
        collect(home.path()),
        Err(ReadError::Unreadable { .. })
    ));
}
