//! One client's socket: reads what comes, sends what waits. It knows bytes and readiness, and nothing of commands.
//!
//! A request costs one read and one write. The buffers are the server's; an idle connection has none.

use std::{
    future::Future,
    mem,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use keyside::{ClientId, Origin};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::shell::{Shell, State};

/// Reads in a row, before other clients have their turn.
const READS: usize = 4;
/// A client who has so many bytes of replies to fetch is not listened to until it does.
const OUTPUT_PAUSE: usize = 64 << 20;

/// A connection, as the task that serves it until it ends.
pub struct Connection<S> {
    shell: Rc<Shell>,
    stream: S,
    id: ClientId,
    /// Bytes at the start of the output that are sent already.
    sent: usize,
    /// Whether the shell knows how to wake this task.
    is_known: bool,
}

/// The connection is over, whoever ended it.
struct Closed;

impl<S> Connection<S> {
    /// A connection of a new client.
    pub fn new(shell: Rc<Shell>, stream: S, origin: Origin) -> Self {
        let id = shell.connect(origin);
        Connection::of(shell, stream, id)
    }

    /// The connection of a client that the engine knows.
    pub fn of(shell: Rc<Shell>, stream: S, id: ClientId) -> Self {
        Connection { shell, stream, id, sent: 0, is_known: false }
    }
}

impl<S> Drop for Connection<S> {
    fn drop(&mut self) {
        self.shell.disconnect(self.id);
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Connection<S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context) -> Poll<()> {
        let this = self.get_mut();
        let shell = this.shell.clone();
        let mut state = shell.state.borrow_mut();
        if !this.is_known {
            this.is_known = true;
            state.remember(this.id, cx.waker());
        }
        for _ in 0..READS {
            match this.turn(&shell, &mut state, cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(Closed)) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Sends what waits, then reads once and runs what was read.
    fn turn(&mut self, shell: &Shell, state: &mut State, cx: &mut Context) -> Poll<Result<(), Closed>> {
        let sent = self.send(state, cx);
        if sent.is_pending() && state.is_awaiting_disk(self.id) {
            return Poll::Pending;
        }
        match sent {
            Poll::Ready(result) => result?,
            Poll::Pending if self.is_stopped(state) => return Poll::Pending,
            Poll::Pending => {}
        }
        if state.engine.is_held(self.id) {
            shell.receive(state, self.id, 0);
            return Poll::Ready(Ok(()));
        }
        let mut input = ReadBuf::new(&mut state.input);
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut input));
        let len = input.filled().len();
        if read.is_err() || len == 0 {
            return Poll::Ready(Err(Closed));
        }
        shell.receive(state, self.id, len);
        Poll::Ready(Ok(()))
    }

    /// Sends what waits. Pending when the client is slower than its replies.
    fn send(&mut self, state: &mut State, cx: &mut Context) -> Poll<Result<(), Closed>> {
        let has_output = state.engine.output(self.id).is_some_and(|out| !out.is_empty());
        // Some output is made as it is fetched, and then there may be more, or for others, too.
        if state.engine.has_ready() {
            state.wake_ready();
        }
        if has_output && state.is_awaiting_disk(self.id) {
            return Poll::Pending;
        }
        let Some(out) = state.engine.output(self.id) else { return Poll::Ready(Err(Closed)) };
        if !out.is_empty() {
            while self.sent < out.len() {
                match Pin::new(&mut self.stream).poll_write(cx, &out[self.sent..]) {
                    Poll::Ready(Ok(written @ 1..)) => self.sent += written,
                    Poll::Ready(_) => return Poll::Ready(Err(Closed)),
                    Poll::Pending => {
                        // Moving the rest to the front costs its length, so it waits until that is paid for.
                        if self.sent > out.len() / 2 {
                            out.drain(..mem::take(&mut self.sent));
                        }
                        state.engine.note_sent(self.id, self.sent);
                        return Poll::Pending;
                    }
                }
            }
            self.sent = 0;
            state.engine.note_sent(self.id, 0);
            state.take_back_output(self.id);
            // Of some output the next piece is made when the last is sent.
            if state.engine.output(self.id).is_some_and(|out| !out.is_empty()) {
                cx.waker().wake_by_ref();
            }
        }
        let is_over = state.is_ending || state.engine.is_closing(self.id);
        Poll::Ready(if is_over { Err(Closed) } else { Ok(()) })
    }

    /// Bytes that wait to be sent.
    fn unsent(&self, state: &mut State) -> usize {
        state.engine.output(self.id).map_or(0, |out| out.len().saturating_sub(self.sent))
    }

    /// Whether so much waits to be sent that nothing more should be read, or nothing will ever be read again.
    fn is_stopped(&self, state: &mut State) -> bool {
        let is_held = state.engine.is_held(self.id);
        is_held || self.unsent(state) > OUTPUT_PAUSE || state.is_ending || state.engine.is_closing(self.id)
    }
}
