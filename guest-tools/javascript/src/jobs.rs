//! What is to be done later: jobs of promises, and promises that were rejected without anybody to handle it.
//!
//! Timers are not here: they are JavaScript's (`js/timers.js`), and a turn of them is one call.

use boa_engine::builtins::promise::{OperationType, Promise};
use boa_engine::context::{Context, HostHooks};
use boa_engine::job::{Job, JobExecutor};
use boa_engine::object::JsObject;
use boa_engine::realm::Realm;
use boa_engine::{JsNativeError, JsResult, JsString};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// Jobs in the order in which they came.
#[derive(Default)]
pub(crate) struct Jobs(RefCell<VecDeque<Job>>);

impl Jobs {
    /// Runs them until none is left. Whether there was one.
    pub(crate) fn drain(&self, context: &mut Context) -> JsResult<bool> {
        let mut any = false;
        while let Some(job) = self.take() {
            any = true;
            run(job, context)?;
        }
        context.clear_kept_objects();
        Ok(any)
    }

    fn take(&self) -> Option<Job> {
        self.0.borrow_mut().pop_front()
    }
}

fn run(job: Job, context: &mut Context) -> JsResult<()> {
    match job {
        Job::PromiseJob(job) => job.call(context).map(|_| ()),
        Job::GenericJob(job) => job.call(context).map(|_| ()),
        // Ours never wait, so the first poll is the last.
        Job::AsyncJob(job) => {
            let cell = RefCell::new(context);
            let mut future = job.call(&cell);
            let waker = std::task::Waker::noop();
            match std::pin::Pin::new(&mut future).poll(&mut std::task::Context::from_waker(waker)) {
                std::task::Poll::Ready(result) => result.map(|_| ()),
                std::task::Poll::Pending => Ok(()),
            }
        }
        // Nobody here starts timers or registers finalizers in a way that a script could wait for.
        _ => Ok(()),
    }
}

impl JobExecutor for Jobs {
    fn enqueue_job(self: Rc<Self>, job: Job, _: &mut Context) {
        self.0.borrow_mut().push_back(job);
    }

    fn run_jobs(self: Rc<Self>, context: &mut Context) -> JsResult<()> {
        self.drain(context).map(|_| ())
    }
}

/// Notes rejections that nobody handles.
#[derive(Default)]
pub(crate) struct Rejections {
    open: RefCell<Vec<JsObject>>,
}

impl Rejections {
    /// What was rejected since this was last asked, and is still not handled.
    pub(crate) fn take(&self) -> Vec<JsObject> {
        std::mem::take(&mut *self.open.borrow_mut())
    }
}

impl HostHooks for Rejections {
    fn promise_rejection_tracker(&self, promise: &JsObject<Promise>, operation: OperationType, _: &mut Context) {
        let promise = promise.clone().upcast();
        let mut open = self.open.borrow_mut();
        match operation {
            OperationType::Reject => open.push(promise),
            OperationType::Handle => open.retain(|other| !JsObject::equals(other, &promise)),
        }
    }

    fn ensure_can_compile_strings(
        &self,
        _: Realm,
        _: &[JsString],
        body: &JsString,
        _: bool,
        _: &mut Context,
    ) -> JsResult<()> {
        if crate::depth::too_nested(&body.to_std_string_lossy()) {
            return Err(JsNativeError::range().with_message("Maximum call stack size exceeded").into());
        }
        Ok(())
    }

    /// A sandbox knows no time zone.
    fn local_timezone_offset_seconds(&self, _: i64) -> i32 {
        0
    }
}
