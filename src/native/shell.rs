//! What all tasks of the server share: the engine, the buffers that only a running request needs, and a way to wake each
//! connection. Everything happens on one thread, so a `RefCell` is the only lock; it is never held across a wait.

use std::{
    cell::{Ref, RefCell},
    mem,
    rc::Rc,
    task::Waker,
    time::Duration,
};

use keyside::{ClientId, Engine, Origin};
use tokio::sync::Notify;

use super::{disk::Folder, files::Replacement, journal::Journal, log::Log, settings::Settings, time::now_ms};

/// The longest time between two ticks: Redis's `hz 10`.
const TICK: Duration = Duration::from_millis(100);
/// The shortest: the resolution of the runtime's timer.
const RESOLUTION: Duration = Duration::from_millis(1);
/// Bytes read at once. One buffer serves all connections.
pub const INPUT: usize = 64 * 1024;
/// An output buffer of at most so many bytes is kept for the next reply.
const OUTPUT_KEPT: usize = 1 << 20;

/// The state behind one door, and what rings.
pub struct Shell {
    /// What the directives said when they were last looked at.
    pub settings: RefCell<Settings>,
    /// What changes.
    pub state: RefCell<State>,
    /// Rung when a key expires before the timer would look.
    earlier: Notify,
    /// Rung when the last connection is closed.
    pub alone: Notify,
    /// Rung when the engine has begun a snapshot.
    pub saves: Notify,
    /// Rung when there is something to be logged.
    pub writes: Notify,
    /// Where the base goes that is being made.
    pub rewriting: RefCell<Option<Replacement<Folder>>>,
    /// Rung when the engine wants to be connected to a primary.
    pub links: Notify,
    /// Rung when a client has asked for the end.
    pub over: Notify,
}

/// The engine, and what goes with it.
pub struct State {
    /// The store.
    pub engine: Engine,
    /// The append-only file.
    pub journal: Journal,
    /// Up to which position of the journal all has to be safe before a client is answered, by client number.
    holds: Vec<u64>,
    /// Clients who wait for that.
    held: Vec<ClientId>,
    /// Where requests are read to.
    pub input: Box<[u8]>,
    /// Room for replies, lent to a client while its requests run, so that an idle client has none.
    spare_output: Vec<u8>,
    /// How to wake the task of a client, by client number.
    wakers: Vec<Option<Waker>>,
    /// Open connections.
    pub connections: usize,
    /// Whether connections end as soon as their output is sent.
    pub is_ending: bool,
    /// When the timer looks next, in milliseconds since 1970.
    alarm_ms: u64,
    /// When idle clients were last looked for.
    idle_ms: u64,
    /// The version of the configuration that the settings show.
    version: u64,
}

impl Shell {
    /// A server with an empty store and no connection.
    pub fn new(settings: Settings, engine: Engine, journal: Journal) -> Rc<Shell> {
        let version = engine.config().version();
        let state = State {
            engine,
            journal,
            holds: Vec::new(),
            held: Vec::new(),
            input: vec![0; INPUT].into(),
            spare_output: Vec::new(),
            wakers: Vec::new(),
            connections: 0,
            is_ending: false,
            alarm_ms: 0,
            idle_ms: 0,
            version,
        };
        Rc::new(Shell {
            settings: RefCell::new(settings),
            state: RefCell::new(state),
            earlier: Notify::new(),
            alone: Notify::new(),
            saves: Notify::new(),
            writes: Notify::new(),
            rewriting: RefCell::new(None),
            links: Notify::new(),
            over: Notify::new(),
        })
    }

    /// Where the server tells what happens.
    pub fn log(&self) -> Ref<'_, Log> {
        Ref::map(self.settings.borrow(), |settings| &settings.log)
    }

    /// Whether only clients on this machine are served.
    pub fn is_protected(&self) -> bool {
        self.settings.borrow().protected_mode && !self.state.borrow().engine.has_password()
    }

    /// Adds a client.
    pub fn connect(&self, origin: Origin) -> ClientId {
        let mut state = self.state.borrow_mut();
        state.connections += 1;
        state.engine.connect(origin, now_ms())
    }

    /// Forgets a client.
    pub fn disconnect(&self, id: ClientId) {
        let mut state = self.state.borrow_mut();
        state.engine.disconnect(id);
        if let Some(waker) = state.wakers.get_mut(id.0 as usize) {
            *waker = None;
        }
        state.connections -= 1;
        if state.connections == 0 {
            self.alone.notify_one();
        }
    }

    /// Runs the requests that a client sent: the first `len` bytes of the input buffer.
    pub fn receive(&self, state: &mut State, id: ClientId, len: usize) {
        let State { engine, input, spare_output, .. } = state;
        if let Some(out) = engine.output(id)
            && out.capacity() == 0
        {
            *out = mem::take(spare_output);
        }
        engine.receive(id, &input[..len], now_ms());
        if engine.takes_log_again() {
            self.load_again(state);
        }
        self.log_effects(state);
        self.log_notes(state);
        state.hold(id);
        state.wake_ready();
        if state.engine.may_wake_before(state.alarm_ms) {
            self.earlier.notify_one();
        }
        self.ring(state);
    }

    /// Lets time pass in the store, for as long as the server runs.
    pub async fn keep_time(self: Rc<Self>) {
        loop {
            let wait = self.tick();
            if wait.is_zero() {
                tokio::task::yield_now().await;
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                // Those that follow within the resolution share one tick.
                () = self.earlier.notified() => self.state.borrow_mut().alarm_ms = 0,
            }
        }
    }

    /// Expires what is due; returns how long nothing else will be.
    fn tick(&self) -> Duration {
        let mut state = self.state.borrow_mut();
        let now = now_ms();
        state.engine.tick(now);
        self.log_effects(&mut state);
        self.reconfigure(&mut state);
        self.log_notes(&mut state);
        self.ring(&state);
        self.close_idle(&mut state, now);
        state.wake_ready();
        let wait = match state.engine.next_deadline() {
            Some(at) if at <= now => Duration::ZERO,
            Some(at) => Duration::from_millis(at - now).clamp(RESOLUTION, TICK),
            None => TICK,
        };
        state.alarm_ms = now + wait.as_millis() as u64;
        wait
    }

    /// Writes into the log what the engine has to say.
    pub fn log_notes(&self, state: &mut State) {
        state.engine.take_notes().for_each(|note| self.log().warning(format_args!("{note}")));
    }

    /// Has what the engine logged be written at the end of this turn.
    fn log_effects(&self, state: &mut State) {
        state.journal.follow(&mut state.engine);
        if !state.engine.journal().is_empty() || state.engine.wants_rewrite() {
            self.writes.notify_one();
        }
    }

    /// Has others do what the engine cannot.
    fn ring(&self, state: &State) {
        if state.engine.is_saving() {
            self.saves.notify_one();
        }
        if state.engine.wants_link() {
            self.links.notify_one();
        }
        if state.engine.is_over() {
            self.over.notify_one();
        }
    }

    /// Closes, once a second, the clients that have been silent for longer than `timeout`.
    fn close_idle(&self, state: &mut State, now: u64) {
        if let Some(timeout) = self.settings.borrow().timeout
            && now >= state.idle_ms + 1000
        {
            state.idle_ms = now;
            state.engine.close_idle(now.saturating_sub(timeout.as_millis() as u64));
        }
    }

    /// Reads the settings again when CONFIG SET has changed something. Where it listens does not change any more.
    fn reconfigure(&self, state: &mut State) {
        let version = state.engine.config().version();
        if mem::replace(&mut state.version, version) != version {
            let mut settings = Settings::of(state.engine.config());
            settings.limit_clients();
            *self.settings.borrow_mut() = settings;
        }
    }
}

impl State {
    /// Remembers how to wake the task of a client.
    pub fn remember(&mut self, id: ClientId, waker: &Waker) {
        let slot = id.0 as usize;
        if slot >= self.wakers.len() {
            self.wakers.resize(slot + 1, None);
        }
        self.wakers[slot] = Some(waker.clone());
    }

    /// Has the replies of a client wait until all that happened so far is safe, if they do.
    fn hold(&mut self, id: ClientId) {
        if !self.journal.holds() {
            return;
        }
        let (slot, position) = (id.0 as usize, self.engine.journal().position());
        if slot >= self.holds.len() {
            self.holds.resize(slot + 1, 0);
        }
        self.holds[slot] = position;
    }

    /// Whether the replies of a client wait for the disk. It is woken when they do not any more.
    pub fn is_awaiting_disk(&mut self, id: ClientId) -> bool {
        let until = self.holds.get(id.0 as usize).copied().unwrap_or(0);
        let waits = self.journal.holds() && until > self.journal.synced();
        if waits && !self.held.contains(&id) {
            self.held.push(id);
        }
        waits
    }

    /// Wakes the clients whose replies need not wait any more.
    pub fn release_held(&mut self) {
        self.wake_ready();
        let (synced, holds) = (self.journal.synced(), self.journal.holds());
        let State { held, holds: until, wakers, .. } = self;
        held.retain(|id| {
            let waits = holds && until[id.0 as usize] > synced;
            if !waits && let Some(Some(waker)) = wakers.get(id.0 as usize) {
                waker.wake_by_ref();
            }
            waits
        });
    }

    /// Takes back the output buffer of a client who has been sent everything.
    pub fn take_back_output(&mut self, id: ClientId) {
        let Some(out) = self.engine.output(id) else { return };
        let mut buffer = mem::take(out);
        if buffer.capacity() > self.spare_output.capacity() && buffer.capacity() <= OUTPUT_KEPT {
            buffer.clear();
            self.spare_output = buffer;
        }
    }

    /// Has every connection send what it has and end.
    pub fn end(&mut self) {
        self.is_ending = true;
        self.wakers.iter().flatten().for_each(Waker::wake_by_ref);
    }

    /// Wakes the tasks of clients who have output because of others.
    pub fn wake_ready(&mut self) {
        while let Some(id) = self.engine.next_ready() {
            self.hold(id);
            if let Some(Some(waker)) = self.wakers.get(id.0 as usize) {
                waker.wake_by_ref();
            }
        }
    }
}
