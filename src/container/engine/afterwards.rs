//! What has to be done even when whoever waited for the engine is gone, and the runtime with it.

use std::time::Duration;

/// How long an engine may take for it. One that does not answer is left alone.
const LIMIT: Duration = Duration::from_secs(10);

/// Does it on a thread and a runtime of its own, and returns when it is done.
pub(super) fn in_any_case<T>(work: impl Future<Output = T> + Send + 'static) {
    let done = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map(|runtime| runtime.block_on(async { tokio::time::timeout(LIMIT, work).await.is_ok() }))
    });
    let _ = done.join();
}
