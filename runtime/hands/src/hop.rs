//! Moving a call off the async runtime when it first touches a file.
//!
//! File calls block. Handing each of them to a thread costs far more than the
//! call (reading 10 000 small files: 0.65 to 3.5 s instead of 0.08 s), and blocking
//! a runtime's worker stops everyone else. So a call starts where its caller is,
//! and its whole future moves to a thread that may block just before its first
//! file call. One that has computed for some ticks of
//! the clock moves, too: a worker that is kept busy serves nobody else. Most calls do neither, and never move.

use handbox_hand::HandError;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use tokio::sync::oneshot;

/// The state to start from is 0: nobody asked yet.
const WANTED: u8 = 1;
const MAY_BLOCK: u8 = 2;

/// Where one call is, as seen by its host functions and by its driver.
#[derive(Debug, Default)]
pub(crate) struct Hop(AtomicU8);

impl Hop {
    /// Returns once this call is on a thread that may block.
    pub(crate) fn may_block(&self) -> MayBlock<'_> {
        MayBlock(self)
    }

    /// Moves a call that computes for long: a runtime's workers are for those that wait.
    pub(crate) fn want(&self) {
        // One that was moved, or is about to be, stays so.
        let _ = self.0.compare_exchange(0, WANTED, Ordering::AcqRel, Ordering::Acquire);
    }

    fn wanted(&self) -> bool {
        self.0.load(Ordering::Acquire) == WANTED
    }
}

/// See [`Hop::may_block`].
pub(crate) struct MayBlock<'a>(&'a Hop);

impl Future for MayBlock<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.0.0.load(Ordering::Acquire) == MAY_BLOCK {
            return Poll::Ready(());
        }
        // No waker: the driver looks at this after each poll and polls again.
        self.0.0.store(WANTED, Ordering::Release);
        Poll::Pending
    }
}

/// Runs a call's future to its end, moving it once if it asks for that.
/// Dropping this cancels the call wherever it is.
pub(crate) async fn drive<T: Send + 'static>(
    mut call: Pin<Box<dyn Future<Output = T> + Send>>,
    hop: Arc<Hop>,
) -> Result<T, HandError> {
    let done = std::future::poll_fn(|context| match call.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if hop.wanted() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    });
    match done.await {
        Some(output) => Ok(output),
        None => on_blocking_thread(call, hop).await,
    }
}

async fn on_blocking_thread<T: Send + 'static>(
    call: Pin<Box<dyn Future<Output = T> + Send>>,
    hop: Arc<Hop>,
) -> Result<T, HandError> {
    let runtime = tokio::runtime::Handle::current();
    // Dropped with this future, which is how a cancelled call ends on its thread.
    let (alive, cancelled) = oneshot::channel::<()>();
    let thread = tokio::task::spawn_blocking(move || {
        hop.0.store(MAY_BLOCK, Ordering::Release);
        runtime.block_on(async move {
            tokio::select! {
                biased;
                _ = cancelled => None,
                output = call => Some(output),
            }
        })
    });
    let joined = thread.await;
    drop(alive);
    match joined {
        Ok(Some(output)) => Ok(output),
        Ok(None) => Err(HandError::Fatal("a call was cancelled while somebody waited for it".to_owned())),
        Err(error) if error.is_panic() => Err(HandError::Fatal("the host panicked while running a call".to_owned())),
        Err(error) => Err(HandError::Fatal(format!("a call's thread did not finish: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    #[tokio::test]
    async fn a_call_moves_to_another_thread_only_when_it_asks() {
        let here = std::thread::current().id();
        let hop = Arc::new(Hop::default());
        let stays = drive(Box::pin(async { std::thread::current().id() }), Arc::clone(&hop)).await;
        assert_eq!(stays.unwrap(), here);

        let asks = Arc::clone(&hop);
        let moves = async move {
            asks.may_block().await;
            asks.may_block().await;
            std::thread::current().id()
        };
        assert_ne!(drive(Box::pin(moves), hop).await.unwrap(), here);
    }

    #[tokio::test]
    async fn a_call_that_computes_for_long_moves_once() {
        let here = std::thread::current().id();
        let hop = Arc::new(Hop::default());
        let clock = Arc::clone(&hop);
        let computes = async move {
            for _ in 0..3 {
                clock.want();
                tokio::task::yield_now().await;
            }
            std::thread::current().id()
        };
        assert_ne!(drive(Box::pin(computes), hop).await.unwrap(), here);
    }

    #[tokio::test]
    async fn dropping_the_driver_ends_a_moved_call() {
        struct Ended(Arc<AtomicBool>);
        impl Drop for Ended {
            fn drop(&mut self) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let ended = Arc::new(AtomicBool::new(false));
        let hop = Arc::new(Hop::default());
        let (guard, asks) = (Ended(Arc::clone(&ended)), Arc::clone(&hop));
        let call = async move {
            let _guard = guard;
            asks.may_block().await;
            std::future::pending::<()>().await;
        };
        let waited = tokio::time::timeout(Duration::from_millis(50), drive(Box::pin(call), hop)).await;
        assert!(waited.is_err());
        for _ in 0..200 {
            if ended.load(Ordering::SeqCst) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the call went on after its driver was dropped");
    }
}
