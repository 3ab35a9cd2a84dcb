//! How far something is: a bar on a terminal, else a line now and then. Always on standard error.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often a line is written where there is no terminal.
const NOW_AND_THEN: Duration = Duration::from_secs(5);

pub fn is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// A bar of this form, seen on a terminal only.
pub fn bar(template: &str) -> ProgressBar {
    let target = if is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// Lines for where there is no terminal: each once, and not more often than every few seconds.
#[derive(Default)]
pub struct Lines {
    last: Option<(Instant, String)>,
}

impl Lines {
    /// None for what is soon over.
    pub fn after_a_while() -> Self {
        Self { last: Some((Instant::now(), String::new())) }
    }

    pub fn say(&mut self, line: &str) {
        let is_new = self.last.as_ref().is_none_or(|(at, last)| last != line && at.elapsed() >= NOW_AND_THEN);
        if is_new && !is_terminal() {
            super::print::tell(line);
            self.last = Some((Instant::now(), line.to_owned()));
        }
    }
}
