//! The threads that do the work.

use rayon::ThreadPool;

use crate::diagnostic::Diagnostic;

/// A pool of that many threads, one per core when none are asked for.
///
/// # Errors
/// When the system gives no threads.
pub(super) fn pool(threads: Option<u16>) -> Result<ThreadPool, Diagnostic> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.map_or(0, usize::from))
        .build()
        .map_err(|error| {
            Diagnostic::new(format!("the threads could not be started: {error}"))
                .help("ask for fewer: --threads 1")
        })
}
