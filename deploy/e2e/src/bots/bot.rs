//! A bot's process, and the lines that are exchanged with it.

use std::collections::VecDeque;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;

/// How long a bot may take for anything. An interpreter that starts while the cores are busy with
/// other tests takes its time.
const BOT_PATIENCE: Duration = Duration::from_secs(90);
/// Characters of a bot's complaints that are worth reading.
const COMPLAINT_CHARS: usize = 2000;

/// A bot that runs. It ends when this is dropped.
#[derive(Debug)]
pub struct Bot {
    child: Child,
    commands: ChildStdin,
    heard: Arc<Mutex<Heard>>,
    changed: watch::Receiver<()>,
    count: u64,
}

/// What it has said.
#[derive(Debug, Default)]
struct Heard {
    events: Vec<Value>,
    answers: VecDeque<Value>,
    complaints: String,
    has_ended: bool,
}

impl Bot {
    /// Starts the process with its connection to the server in the environment.
    pub fn start(mut command: Command, environment: &[(&str, &str)]) -> Self {
        let mut child = command
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = child.stdout.take().expect("stdout is a pipe");
        let mut stderr = child.stderr.take().expect("stderr is a pipe");
        let heard = Arc::new(Mutex::new(Heard::default()));
        let (tell, changed) = watch::channel(());
        tokio::spawn(listen(stdout, Arc::clone(&heard), tell));
        let complaints = Arc::clone(&heard);
        tokio::spawn(async move {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = stderr.read(&mut chunk).await {
                let text = String::from_utf8_lossy(&chunk[..count]);
                complaints.lock().complaints.push_str(&text);
            }
        });
        Self {
            commands: child.stdin.take().expect("stdin is a pipe"),
            child,
            heard,
            changed,
            count: 0,
        }
    }

    /// Asks for something and answers what came of it; what fails in the bot fails the step.
    pub async fn ask(&mut self, name: &str, wanted: Value) -> Value {
        self.count += 1;
        let id = self.count;
        let mut line = wanted;
        line["id"] = json!(id);
        line["do"] = json!(name);
        let line = format!("{line}\n");
        let written = self.commands.write_all(line.as_bytes()).await;
        assert!(written.is_ok(), "the bot has ended");
        let mut changed = self.changed.clone();
        let answer = async {
            loop {
                changed.borrow_and_update();
                if let Some(answer) = self.answer(id) {
                    return answer;
                }
                assert!(changed.changed().await.is_ok(), "the bot has ended");
            }
        };
        let answer = patiently(name, answer).await;
        if let Some(why) = answer["failed"].as_str() {
            panic!("{name} failed in the bot: {}", last_line(why));
        }
        answer["ok"].clone()
    }

    fn answer(&self, id: u64) -> Option<Value> {
        let mut heard = self.heard.lock();
        let at = heard.answers.iter().position(|line| line["id"] == id)?;
        heard.answers.remove(at)
    }

    /// Waits for an event of this kind with these fields, from wherever the bot is.
    pub async fn hears(&self, kind: &str, fields: Value) -> Value {
        let mut changed = self.changed.clone();
        let heard = async {
            loop {
                changed.borrow_and_update();
                let found = self.events().into_iter().find(|event| {
                    let fields = fields.as_object().into_iter().flatten();
                    event["event"] == kind && fields.into_iter().all(|(key, it)| event[key] == *it)
                });
                if let Some(event) = found {
                    return event;
                }
                assert!(changed.changed().await.is_ok(), "the bot has ended");
            }
        };
        patiently(&format!("the bot's event {kind}"), heard).await
    }

    /// Everything that it has reported.
    pub fn events(&self) -> Vec<Value> {
        self.heard.lock().events.clone()
    }

    /// The contents of the messages that it has reported and that begin like this, in order.
    pub fn contents(&self, beginning: &str) -> Vec<String> {
        let events = self.events();
        let messages = events.iter().filter(|event| event["event"] == "message");
        let contents = messages.filter_map(|event| event["content"].as_str());
        let wanted = contents.filter(|content| content.starts_with(beginning));
        wanted.map(str::to_owned).collect()
    }

    /// What it has written to stderr and reported as errors, the latest of it.
    pub fn complaints(&self) -> String {
        let heard = self.heard.lock();
        let told = heard.events.iter().filter(|event| {
            let kind = event["event"].as_str().unwrap_or_default();
            matches!(kind, "error" | "warning")
        });
        let told: Vec<String> = told.map(|event| format!("{event}\n")).collect();
        let text = format!("{}{}", told.concat(), heard.complaints);
        let skipped = text.chars().count().saturating_sub(COMPLAINT_CHARS);
        text.chars().skip(skipped).collect()
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        !self.heard.lock().has_ended && matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it.
    pub async fn stop(mut self) {
        let killed = self.child.kill().await;
        killed.expect("the process is ours");
    }
}

async fn listen(stdout: ChildStdout, heard: Arc<Mutex<Heard>>, tell: watch::Sender<()>) {
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let said: Value = serde_json::from_str(&line).unwrap_or(Value::Null);
        let mut heard = heard.lock();
        if said["event"].is_string() {
            heard.events.push(said);
        } else if said["id"].is_u64() {
            heard.answers.push_back(said);
        } else {
            heard.complaints.push_str(&line);
            heard.complaints.push('\n');
        }
        drop(heard);
        tell.send_replace(());
    }
    heard.lock().has_ended = true;
}

async fn patiently<T>(what: &str, it: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(BOT_PATIENCE, it).await;
    waited.unwrap_or_else(|_| panic!("{what}: nothing for {BOT_PATIENCE:?}"))
}

/// The line of a stack trace that says what happened: the first in JavaScript, the last in Python.
fn last_line(trace: &str) -> &str {
    let mut lines = trace.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    if first.starts_with("Traceback") {
        lines.next_back().unwrap_or(first)
    } else {
        first
    }
}
