//! The tables of `deploy/docs/proof.md` against the code: nothing without a test, and no test that
//! does not exist.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use guildhall_app::authorize::rows;
use guildhall_wire::CloseCode;
use guildhall_wire::opcode::Opcode;

/// One line of a table: what it is about, and the names of tests in each further cell.
type Line = (Vec<String>, Vec<Vec<String>>);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The lines of a table, without its head. Cells without a test's name are what it is about.
fn table(name: &str) -> Vec<Line> {
    let page = std::fs::read_to_string(root().join("deploy/docs/proof.md"));
    let page = page.expect("the page is there");
    let mark = format!("<!-- coverage: {name} -->");
    let (_, behind) = page
        .split_once(&mark)
        .unwrap_or_else(|| panic!("no {mark}"));
    let lines = behind
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with('|'));
    lines.skip(2).map(line).collect()
}

fn line(text: &str) -> Line {
    let cells = text.trim_matches('|').split('|').map(str::trim);
    let (tests, about): (Vec<&str>, Vec<&str>) = cells.partition(|cell| !names(cell).is_empty());
    let about = about.into_iter().map(str::to_owned).collect();
    (about, tests.into_iter().map(names).collect())
}

/// What stands in a cell between backquotes and looks like a test.
fn names(cell: &str) -> Vec<String> {
    let quoted = cell.split('`').skip(1).step_by(2);
    let is_test = |name: &&str| name.contains('_') && !name.contains('/');
    quoted.filter(is_test).map(str::to_owned).collect()
}

/// All functions of all sources.
fn functions() -> BTreeSet<String> {
    fn walk(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder is read") {
            let path = entry.expect("a folder is read").path();
            let name = path.file_name().expect("an entry has a name");
            let name = name.to_string_lossy();
            if path.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    walk(&path, found);
                }
            } else if name.ends_with(".rs") {
                let source = std::fs::read_to_string(&path).expect("a source is text");
                let after = source.split("fn ").skip(1);
                found.extend(
                    after
                        .filter_map(|rest| rest.split_once('('))
                        .map(|(n, _)| n.into()),
                );
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(&root(), &mut found);
    found
}

#[test]
fn every_test_that_is_named_exists() {
    let functions = functions();
    for name in ["invariants", "opcodes", "close codes", "routes"] {
        for (about, tests) in table(name) {
            for test in tests.into_iter().flatten() {
                assert!(functions.contains(&test), "{about:?}: there is no {test}");
            }
        }
    }
}

#[test]
fn every_invariant_is_held_by_real_processes_or_says_why_not() {
    let lines = table("invariants");
    let invariants: Vec<&str> = lines.iter().map(|(about, _)| about[0].as_str()).collect();
    assert_eq!(invariants, ["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8"]);
    for (about, tests) in &lines {
        assert!(!tests.is_empty(), "{about:?} has no test at all");
        // What has no test is said in words.
        assert!(about.iter().all(|cell| !cell.is_empty()), "{about:?}");
    }
}

#[test]
fn every_opcode_has_a_test() {
    let expected: BTreeMap<String, String> = Opcode::ALL
        .into_iter()
        .map(|op| (u8::from(op).to_string(), format!("{op:?}")))
        .collect();
    assert_eq!(numbered("opcodes"), expected);
}

#[test]
fn every_close_code_has_a_test() {
    let expected: BTreeMap<String, String> = CloseCode::ALL
        .into_iter()
        .map(|code| (u16::from(code).to_string(), format!("{code:?}")))
        .collect();
    assert_eq!(numbered("close codes"), expected);
}

fn numbered(name: &str) -> BTreeMap<String, String> {
    let lines = table(name);
    let tested = lines.into_iter().filter(|(_, tests)| !tests.is_empty());
    tested
        .map(|(about, _)| (about[0].clone(), about[1].clone()))
        .collect()
}

#[test]
fn every_route_has_a_test() {
    let lines = table("routes");
    for row in rows() {
        let of_row = lines.iter().filter(|(about, tests)| {
            let prefix = about[0].trim_matches('`');
            row.path.starts_with(prefix) && !tests.is_empty()
        });
        assert!(
            of_row.count() > 0,
            "{:?} {} has no test",
            row.method,
            row.path
        );
    }
}
