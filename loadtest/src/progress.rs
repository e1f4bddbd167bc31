//! Shows how far a run has come: a bar on a terminal, plain lines elsewhere, always on stderr.

use std::io::{IsTerminal, Write, stderr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Plain lines come at most this often within a phase.
const PLAIN_PAUSE: Duration = Duration::from_secs(5);

/// The display of one run.
pub struct Progress(Mutex<Display>);

enum Display {
    Quiet,
    Bar(ProgressBar),
    Plain {
        phase: &'static str,
        total: Option<u64>,
        position: u64,
        printed_at: Instant,
    },
}

impl Progress {
    /// A bar if stderr is a terminal, plain lines otherwise.
    pub fn new() -> Self {
        let display = if stderr().is_terminal() {
            Display::Bar(ProgressBar::new(0))
        } else {
            Display::Plain {
                phase: "",
                total: None,
                position: 0,
                printed_at: Instant::now(),
            }
        };
        Self(Mutex::new(display))
    }

    /// Nothing is shown.
    pub const fn quiet() -> Self {
        Self(Mutex::new(Display::Quiet))
    }

    /// Something new begins; `total` is how many steps it has, if that is known.
    pub fn phase(&self, name: &'static str, steps: Option<u64>) {
        let mut display = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *display {
            Display::Quiet => {}
            Display::Bar(bar) => {
                bar.finish_and_clear();
                *bar = match steps {
                    Some(steps) => ProgressBar::new(steps).with_style(
                        ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg}")
                            .expect("the template is a constant"),
                    ),
                    None => ProgressBar::new_spinner(),
                };
                bar.set_prefix(name);
                bar.enable_steady_tick(Duration::from_millis(200));
            }
            Display::Plain {
                phase,
                total,
                position,
                printed_at,
            } => {
                (*phase, *total, *position) = (name, steps, 0);
                *printed_at = Instant::now();
                // Whoever closed stderr does not want to know.
                let _ = writeln!(stderr(), "{name}");
            }
        }
    }

    /// One step more.
    pub fn step(&self) {
        let position = match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Display::Quiet => return,
            Display::Bar(bar) => bar.position() + 1,
            Display::Plain { position, .. } => *position + 1,
        };
        self.at(position, "");
    }

    /// So many steps are done.
    pub fn at(&self, done: u64, note: &str) {
        match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Display::Quiet => {}
            Display::Bar(bar) => {
                bar.set_position(done);
                bar.set_message(note.to_owned());
            }
            Display::Plain {
                phase,
                total,
                position,
                printed_at,
            } => {
                *position = done;
                if PLAIN_PAUSE < printed_at.elapsed() {
                    *printed_at = Instant::now();
                    let total = total.map_or_else(String::new, |total| format!("/{total}"));
                    let _ = writeln!(stderr(), "{phase}: {done}{total} {note}");
                }
            }
        }
    }

    /// Takes the display away, so that the report stands alone.
    pub fn finish(&self) {
        if let Display::Bar(bar) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            bar.finish_and_clear();
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}
