//! Small bad trees, and the real one.

use std::fmt::Write;

use super::*;

const GOOD: &str = "//! Says its job.\n";

/// The findings in a tree of these files, beside a few that every tree needs.
fn findings(files: &[(&str, &str)]) -> Vec<String> {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in [("Cargo.toml", ""), ("actors/README.md", "Actors.")]
        .iter()
        .chain(files)
    {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let findings = check(root.path()).unwrap();
    findings.iter().map(ToString::to_string).collect()
}

fn manifest(name: &str, dependencies: &str) -> String {
    format!("[package]\nname = \"guildhall-{name}\"\n{dependencies}\n")
}

/// A tree of one crate with these files in its `src`.
fn findings_in_crate(sources: &[(&str, &str)]) -> Vec<String> {
    let manifest = manifest("model", "");
    let mut files = vec![("actors/model/Cargo.toml".to_owned(), manifest.as_str())];
    for (path, text) in sources {
        files.push((format!("actors/model/src/{path}"), text));
    }
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (path.as_str(), *text))
        .collect();
    findings(&files)
}

fn function_of(lines: usize, indent: &str) -> String {
    let mut text = format!("{indent}pub async fn long(\n{indent}    a: u8,\n{indent}) {{\n");
    for _ in 0..lines - 4 {
        let _ = writeln!(text, "{indent}    work();");
    }
    let _ = writeln!(text, "{indent}}}");
    text
}

#[test]
fn this_repository_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let errors: Vec<_> = check(&root)
        .unwrap()
        .into_iter()
        .filter(Finding::is_error)
        .map(|finding| finding.to_string())
        .collect();
    assert!(errors.is_empty(), "\n{}\n", errors.join("\n"));
}

#[test]
fn a_good_tree_has_no_findings() {
    let clean = findings_in_crate(&[
        ("lib.rs", "//! Top.\n\npub mod guild;\n"),
        ("guild.rs", "//! Guilds.\n\nmod member;\n"),
        ("guild/member.rs", GOOD),
    ]);
    assert_eq!(clean, [""; 0]);
}

#[test]
fn an_arrow_that_points_up_is_found_with_its_line() {
    let state = manifest("state", "[dependencies]\nguildhall-host.workspace = true");
    let found = findings(&[("actors/state/Cargo.toml", &state)]);
    assert_eq!(
        found,
        [
            "actors/state/Cargo.toml:4: state may not use host, only [model]: move the code down \
             or put a port between"
        ]
    );
}

#[test]
fn arrows_of_tests_of_platforms_and_under_other_names_are_found() {
    for dependencies in [
        "[dev-dependencies]\nguildhall-app.workspace = true",
        "[build-dependencies]\nguildhall-app = { path = \"x\" }",
        "[target.'cfg(unix)'.dependencies]\nguildhall-app.workspace = true",
        "[dependencies]\napp = { package = \"guildhall-app\", path = \"x\" }",
    ] {
        let wire = manifest("wire", dependencies);
        let found = findings(&[("actors/wire/Cargo.toml", &wire)]);
        assert_eq!(found.len(), 1, "{dependencies}: {found:?}");
        assert!(found[0].contains("wire may not use app"), "{found:?}");
    }
}

#[test]
fn tests_may_use_a_store_and_what_is_built_for_them_anyway_and_code_may_not() {
    for (kind, errors) in [("dev-dependencies", 0), ("dependencies", 2)] {
        let uses = "guildhall-embedded.workspace = true\nguildhall-auth.workspace = true";
        let rest = manifest("rest", &format!("[{kind}]\n{uses}"));
        let found = findings(&[("api/rest/Cargo.toml", &rest), ("api/README.md", "API.")]);
        assert_eq!(found.len(), errors, "{found:?}");
    }
    let wire = manifest(
        "wire",
        "[dev-dependencies]\nguildhall-embedded.workspace = true",
    );
    let found = findings(&[("actors/wire/Cargo.toml", &wire)]);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_pure_crate_that_could_wait_or_draw_is_found() {
    let state = manifest("state", "[dependencies]\ntokio.workspace = true");
    let found = findings(&[("actors/state/Cargo.toml", &state)]);
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("state must stay pure"), "{found:?}");
}

#[test]
fn a_crate_without_a_layer_or_in_the_wrong_folder_is_found() {
    let unknown = manifest("shed", "");
    let found = findings(&[("actors/shed/Cargo.toml", &unknown)]);
    assert!(found[0].contains("has no layer"), "{found:?}");
    let moved = manifest("model", "");
    let found = findings(&[("actors/nouns/Cargo.toml", &moved)]);
    assert!(
        found[0].contains("its folder has to be model/"),
        "{found:?}"
    );
}

#[test]
fn functions_are_held_to_their_budget_at_every_indent() {
    for indent in ["", "    ", "        "] {
        let fits = format!("{GOOD}\n{}", function_of(70, indent));
        assert_eq!(findings_in_crate(&[("lib.rs", &fits)]), [""; 0]);
        let over = format!("{GOOD}\n{}", function_of(71, indent));
        let found = findings_in_crate(&[("lib.rs", &over)]);
        let expected = "actors/model/src/lib.rs:3: fn long has 71 lines, split it: 70 at most";
        assert_eq!(found, [expected]);
    }
}

#[test]
fn declarations_and_one_line_functions_are_not_taken_for_long_ones() {
    let mut text = format!("{GOOD}\ntrait T {{\n");
    for _ in 0..40 {
        text.push_str("    fn a(&self);\n    fn b(\n        &self,\n    ) -> u8;\n");
        text.push_str("    fn c() {}\n");
    }
    text.push_str("}\n");
    assert_eq!(findings_in_crate(&[("lib.rs", &text)]), [""; 0]);
}

#[test]
fn long_files_are_found_and_longish_ones_are_warned_of() {
    let lines = |count: usize| GOOD.to_owned() + &"const A: u8 = 1;\n".repeat(count - 1);
    assert_eq!(findings_in_crate(&[("lib.rs", &lines(400))]), [""; 0]);
    let found = findings_in_crate(&[("lib.rs", &lines(401))]);
    assert!(found[0].contains("warning: 401 lines"), "{found:?}");
    let found = findings_in_crate(&[("lib.rs", &lines(801))]);
    assert!(found[0].contains(":801: 801 lines, split"), "{found:?}");
}

#[test]
fn a_file_that_says_no_job_is_named_mod_or_is_not_compiled_is_found() {
    let found = findings_in_crate(&[("lib.rs", "use std::fmt;\n")]);
    assert!(found[0].contains("no module documentation"), "{found:?}");
    let found = findings_in_crate(&[("lib.rs", GOOD), ("guild/mod.rs", GOOD)]);
    assert!(found[0].contains("a mod.rs"), "{found:?}");
    let found = findings_in_crate(&[("lib.rs", GOOD), ("lost.rs", GOOD)]);
    assert_eq!(
        found,
        [
            "actors/model/src/lost.rs:1: no `mod` names this file, declare it in its parent or \
          delete it"
        ]
    );
}

#[test]
fn a_file_may_be_compiled_by_its_path_with_those_that_it_declares() {
    let root = "//! Says its job.\n#[path = \"../../shared/root.rs\"]\nmod root;\n";
    let declaring = "//! Says its job.\nmod part;\n";
    let found = findings_in_crate(&[
        ("lib.rs", root),
        ("../../shared/root.rs", declaring),
        ("../../shared/part.rs", GOOD),
        ("../../shared/lost.rs", GOOD),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("actors/shared/lost.rs:1: no `mod`"));
}

#[test]
fn forbidden_words_are_found_wherever_people_write() {
    let bad = [
        concat!("// TO", "DO later\n"),
        concat!("#[ig", "nore]\n"),
        concat!("#[al", "low(dead_code)]\n"),
        concat!("// the colo", "ur\n"),
        concat!("const A: &str = \"/ho", "me/someone\";\n"),
    ];
    for line in bad {
        let text = format!("{GOOD}{line}");
        let found = findings_in_crate(&[("lib.rs", &text)]);
        assert_eq!(found.len(), 1, "{line}: {found:?}");
        assert!(
            found[0].starts_with("actors/model/src/lib.rs:2: "),
            "{found:?}"
        );
    }
    let script = concat!("#!/bin/sh\n# TO", "DO\n");
    let found = findings(&[("deploy/up", script), ("deploy/README.md", "Deploy.")]);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn names_that_say_nothing_are_found() {
    let found = findings_in_crate(&[("lib.rs", "//! Top.\nmod utils;\n"), ("utils.rs", GOOD)]);
    assert!(found[0].contains("says nothing"), "{found:?}");
}

#[test]
fn strangers_at_the_top_and_folders_without_a_page_are_found() {
    let found = findings(&[
        ("notes.txt", ""),
        ("lib/x.txt", ""),
        ("bench/x.txt", ""),
        (".ci/run", ""),
    ]);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(
        found
            .iter()
            .any(|one| one.starts_with("notes.txt:1: unknown top-level"))
    );
    assert!(
        found
            .iter()
            .any(|one| one.starts_with("lib:1: unknown top-level"))
    );
    assert!(
        found
            .iter()
            .any(|one| one.starts_with("bench/README.md:1: missing"))
    );
}

#[test]
fn links_that_lead_nowhere_are_found() {
    let page = "[a](deploy/docs/there.md#part) [b](deploy) [c](https://x.org)\n\
                [d](gone.md) [e](../outside)\n```sh\n[f](in-code)\n```\n";
    let found = findings(&[
        ("README.md", page),
        ("deploy/README.md", "Deploy."),
        ("deploy/docs/there.md", "[up](../../README.md)"),
    ]);
    assert_eq!(
        found,
        [
            "README.md:2: the link to ../outside leads nowhere, mend or remove it",
            "README.md:2: the link to gone.md leads nowhere, mend or remove it",
        ]
    );
}
