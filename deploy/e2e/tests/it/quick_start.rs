//! The quick start of the README, run as it is printed.

use std::process::Stdio;

use guildhall_e2e::{Server, binary, soon};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{ChildStdin, ChildStdout, Command};

/// What the README prints, and what stands for it in the test.
const ADDRESS: &str = "http://127.0.0.1:8080";
const LISTENER: &str = "target/release/guildhall-loadtest";
const MARK: &str = "<!-- quick start: ";

/// Name and commands of every marked block, in order.
fn blocks(server: &Server) -> Vec<(String, String)> {
    let readme = binary::repository().join("README.md");
    let readme = std::fs::read_to_string(readme).expect("the README is there");
    let listener = binary::folder().join("guildhall-loadtest");
    let listener = listener.to_str().expect("the path is text");
    let marked = readme.split(MARK).skip(1).map(|part| {
        let (name, rest) = part
            .split_once(" -->\n```sh\n")
            .expect("a block follows its mark");
        let (commands, _) = rest.split_once("```").expect("a block ends");
        let commands = commands
            .replace(ADDRESS, &server.url())
            .replace(LISTENER, listener);
        (name.to_owned(), commands)
    });
    marked.collect()
}

/// A terminal in which somebody pastes commands.
struct Terminal {
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Terminal {
    async fn paste(&mut self, commands: &str) {
        let written = self.input.write_all(commands.as_bytes()).await;
        written.expect("bash reads");
    }

    /// The next line that holds this.
    async fn line(&mut self, part: &str) -> String {
        loop {
            let line = soon(part, self.output.next_line()).await;
            let line = line.expect("the output is text");
            let line = line.unwrap_or_else(|| panic!("bash ended before {part}"));
            if line.contains(part) {
                return line;
            }
        }
    }
}

#[tokio::test]
async fn the_quick_start_runs_as_printed_and_its_message_arrives() {
    let mut server = Server::start(&[]).await;
    let mut bash = Command::new("bash")
        .args(["-u", "-o", "pipefail"])
        .current_dir(binary::repository())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the README asks for a shell");
    let mut terminal = Terminal {
        input: bash.stdin.take().expect("stdin is a pipe"),
        output: BufReader::new(bash.stdout.take().expect("stdout is a pipe")).lines(),
    };
    let blocks = blocks(&server);
    let names: Vec<&str> = blocks.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "register",
            "create a server",
            "listen",
            "send",
            "stop listening"
        ]
    );
    for (_, commands) in &blocks[..3] {
        terminal.paste(commands).await;
    }
    terminal.line("READY").await;
    let send = &blocks[3].1;
    terminal.paste(send).await;
    let arrived = terminal.line("MESSAGE_CREATE").await;
    assert!(arrived.contains("Shall we begin?"), "{arrived}");
    // As the text says: again with the same nonce, and a crash between.
    terminal.paste(send).await;
    server.kill().await;
    server.restart().await;
    let other = send
        .replace("\"nonce\":\"1\"", "\"nonce\":\"2\"")
        .replace("begin", "go on");
    assert_ne!(send, &other);
    terminal.paste(&other).await;
    let next = terminal.line("MESSAGE_CREATE").await;
    assert!(
        next.contains("Shall we go on?"),
        "the listener resumes: {next}"
    );
    terminal.paste(&blocks[4].1).await;
    terminal.paste("wait; exit 0\n").await;
    let status = soon("the end of bash", bash.wait())
        .await
        .expect("bash is ours");
    assert!(status.success());
}
