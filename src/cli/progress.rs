//! A sign of life for runs that take long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use super::terminal;

/// How long a run may take without a word.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often the number is written anew.
const BEAT: Duration = Duration::from_millis(100);

/// A line on standard error that counts files, until it is dropped. It shows after two seconds, and on a terminal only.
pub(super) struct Progress {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Watches `files`, where it is `wanted` and there is a terminal.
    pub(super) fn start(wanted: bool, files: &Arc<AtomicUsize>) -> Self {
        if !wanted || !terminal::errors_are_seen() {
            return Self {
                stop: None,
                thread: None,
            };
        }
        let (stop, stopped) = mpsc::channel();
        let files = Arc::clone(files);
        let thread = std::thread::spawn(move || {
            if stopped.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let bar = indicatif::ProgressBar::new_spinner();
            while stopped.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                bar.set_message(format!("{} files", files.load(Ordering::Relaxed)));
                bar.tick();
            }
            bar.finish_and_clear();
        });
        Self {
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
