//! The body of a translated, streamed reply: what the backend sends is turned into Anthropic's events as it comes.
//!
//! It holds the backend's connection itself, with no task in between: when the client goes away, hyper drops the body, and
//! with it the connection, so that a backend never writes (and nobody pays) for somebody who is not there.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming as UpstreamBody};
use tokio::time::{Instant, Sleep};

use super::backend::Backend;
use super::event::{Event, PING};
use super::failure::Failure;
use super::reply::Reply;
use super::translate::Incoming;

/// How long a client waits at most for a sign of life. Claude Code gives a stream up after 300 s of silence, and what lies
/// between may well after 30.
const PING_EVERY: Duration = Duration::from_secs(10);

/// A reply on its way.
#[derive(Debug)]
pub(super) struct Translated {
    upstream: Option<(UpstreamBody, Incoming)>,
    reply: Reply,
    backend: Arc<Backend>,
    /// What was translated and not sent yet.
    ready: String,
    next_ping: Pin<Box<Sleep>>,
}

/// How far a reply has come.
#[derive(Debug)]
enum Step {
    /// Something came.
    More,
    /// It is complete.
    Complete,
    /// It failed.
    Failed(Failure),
}

impl Translated {
    /// A reply of which nothing was read yet.
    pub(super) fn new(
        upstream: UpstreamBody,
        incoming: Incoming,
        reply: Reply,
        backend: Arc<Backend>,
    ) -> Self {
        Self {
            upstream: Some((upstream, incoming)),
            reply,
            backend,
            ready: String::new(),
            next_ping: Box::pin(tokio::time::sleep(PING_EVERY)),
        }
    }

    /// Waits for the first word of the reply, so that what fails before it is answered by a status of its own. After a
    /// while of silence the reply begins all the same.
    pub(super) async fn first_word(&mut self) -> Result<(), Failure> {
        let first = std::future::poll_fn(|context| {
            loop {
                match self.poll_step(context) {
                    Poll::Ready(Step::Failed(failure)) => return Poll::Ready(Err(failure)),
                    Poll::Ready(Step::Complete) => return Poll::Ready(Ok(())),
                    Poll::Ready(Step::More) => {
                        self.collect();
                        if !self.ready.is_empty() {
                            return Poll::Ready(Ok(()));
                        }
                    }
                    Poll::Pending if has_run_out(&mut self.next_ping, context) => return Poll::Ready(Ok(())),
                    Poll::Pending => return Poll::Pending,
                }
            }
        });
        first.await
    }

    /// The next events of the reply; none where it is complete.
    pub(super) async fn next(&mut self) -> Option<Result<Vec<Event>, Failure>> {
        loop {
            let events = self.reply.take();
            if !events.is_empty() {
                return Some(Ok(events));
            }
            self.upstream.as_ref()?;
            if let Step::Failed(failure) = std::future::poll_fn(|context| self.poll_step(context)).await {
                return Some(Err(failure));
            }
        }
    }

    /// Reads the whole reply.
    pub(super) async fn whole(mut self) -> Result<Reply, Failure> {
        loop {
            match std::future::poll_fn(|context| self.poll_step(context)).await {
                Step::More => {}
                Step::Complete => return Ok(self.reply),
                Step::Failed(failure) => return Err(failure),
            }
        }
    }

    /// Reads what there is of the backend's, and translates it.
    fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        let Some((body, incoming)) = &mut self.upstream else { return Poll::Ready(Step::Complete) };
        let failed =
            |trouble| Step::Failed(Failure::trouble(&trouble, &self.backend.name, self.backend.key_text()));
        let step = match Pin::new(body).poll_frame(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(bytes) => incoming.push(&bytes, &mut self.reply).map_or_else(failed, |()| Step::More),
                // Trailers.
                Err(_) => Step::More,
            },
            Poll::Ready(Some(Err(_))) => failed(super::upstream::Trouble::Cut),
            Poll::Ready(None) => match self.upstream.take() {
                Some((_, incoming)) => {
                    incoming.finish(&mut self.reply).map_or_else(failed, |()| Step::Complete)
                }
                None => Step::Complete,
            },
        };
        if matches!(step, Step::Failed(_)) {
            self.upstream = None;
        }
        Poll::Ready(step)
    }

    fn collect(&mut self) {
        self.reply.take().iter().for_each(|event| event.write(&mut self.ready));
    }

    fn send(&mut self) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.next_ping.as_mut().reset(Instant::now() + PING_EVERY);
        let ready = std::mem::take(&mut self.ready);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(ready)))))
    }
}

/// Whether a timer has run out; if not, it wakes who asked.
fn has_run_out(timer: &mut Pin<Box<Sleep>>, context: &mut Context<'_>) -> bool {
    timer.as_mut().poll(context).is_ready()
}

impl Body for Translated {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = &mut *self;
        loop {
            this.collect();
            if !this.ready.is_empty() {
                return this.send();
            }
            if this.upstream.is_none() {
                return Poll::Ready(None);
            }
            match this.poll_step(context) {
                Poll::Ready(Step::More | Step::Complete) => {}
                Poll::Ready(Step::Failed(failure)) => {
                    this.reply.start();
                    this.collect();
                    this.ready.push_str(&failure.event());
                }
                Poll::Pending if has_run_out(&mut this.next_ping, context) => {
                    this.reply.start();
                    this.collect();
                    this.ready.push_str(PING);
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
