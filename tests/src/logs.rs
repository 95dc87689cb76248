//! What the functions print, kept line by line for the end of a test and for its failure.

use std::sync::{Arc, Mutex, PoisonError};

/// One line of a function's output.
#[derive(Debug, Clone)]
pub struct Line {
    /// Which function.
    pub function: String,
    /// What it printed.
    pub text: String,
}

impl Line {
    /// Whether an operator has to look at it: an ERROR of ours, or a panic, which is printed as text.
    pub fn is_error(&self) -> bool {
        self.text.contains(r#""level":"ERROR""#) || self.text.contains("panicked at")
    }
}

/// All lines of all functions of one world, in order of arrival.
#[derive(Debug, Clone, Default)]
pub struct Logs(Arc<Mutex<Vec<Line>>>);

impl Logs {
    /// Adds a line.
    pub fn push(&self, function: &str, text: String) {
        self.lock().push(Line { function: function.to_owned(), text });
    }

    /// Everything so far.
    pub fn lines(&self) -> Vec<Line> {
        self.lock().clone()
    }

    /// The last lines, for a failure's message.
    pub fn tail(&self, count: usize) -> String {
        let lines = self.lock();
        let from = lines.len().saturating_sub(count);
        let lines: Vec<_> = lines.iter().skip(from).map(|line| format!("  {}: {}", line.function, line.text)).collect();
        lines.join("\n")
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
