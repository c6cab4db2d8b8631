//! The I/O behind the hub: connections, the clock, and calls that catch up.
//!
//! The hub returns what is to be done ([`Output`]) and takes what happened ([`Input`]). Each connection has a task that reads it and
//! feeds the hub; there is no other task between a socket and the queues of the readers. One more task is the hub's clock. All of
//! them end with the last handle of the streams, or with the runtime that they were started in; the next [`Link::kick`] inside
//! of a runtime starts the clock again, and the hub opens its connections again.

mod login;
mod lost;
mod pace;
mod report;
mod rpc;
mod socket;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::AbortHandle;
use url::Url;
use venuekit_transport::Error;
use venuekit_transport::client::Session;
use venuekit_wire::stream::{Dialect, Endpoint, Login, Streams as Table};

use self::report::{CatchUpReport, Report};
use crate::catch_up;
use crate::hub::Hub;
use crate::hub::io::{CatchUpId, Command, ConnectionId, Input, Now, Output, Record};

/// What a user chooses about connections.
#[derive(Clone, Debug, Default)]
pub(crate) struct LinkOptions {
    /// URLs in place of those of the tables, by the endpoint's name.
    pub(crate) urls: Vec<(&'static str, Url)>,
    /// Whether streams have a separate connection where the calls of the client have one that would do.
    pub(crate) own_connection: bool,
    /// Parameters of the URL.
    pub(crate) query: Vec<(String, String)>,
}

/// Whether what is streamed from an endpoint is asked for by calls, so that the connection of the client's calls would do.
pub(crate) fn speaks_calls(table: &Table, endpoint: &Endpoint) -> bool {
    matches!(endpoint.login, Login::Events(_)) || matches!(table.dialect, Dialect::Calls { .. })
}

/// The I/O of a client's streams. It ends when this is dropped.
pub(crate) struct Link(Arc<Shared>);

impl Link {
    /// What carries the hub's word out. Nothing runs before the first [`kick`](Self::kick).
    pub(crate) fn start(
        session: Session,
        table: &'static Table,
        options: LinkOptions,
        hub: &Arc<Mutex<Hub>>,
    ) -> Arc<Self> {
        let environment = session.environment();
        let most = table.limits.connections.iter().find(|(name, _)| Some(*name) == environment);
        if let Some((_, most)) = most {
            // A number of the user's own holds, whatever the venue's is.
            lock(hub).configure(|config| {
                if config.connections == usize::MAX {
                    config.connections = *most;
                }
            });
        }
        Arc::new(Self(Arc::new(Shared {
            session,
            table,
            options,
            hub: Arc::downgrade(hub),
            over: watch::Sender::new(false),
            tasks: Mutex::default(),
            opened: Mutex::default(),
            armed: Mutex::default(),
            changed: Notify::new(),
            running: AtomicU64::new(0),
            clocks: AtomicU64::new(0),
        })))
    }

    /// Carries out what the hub wants. It waits for nothing, and may be called outside of a runtime: where no task runs any more, the
    /// hub's word is kept for the next call inside of one.
    pub(crate) fn kick(&self) {
        self.0.kick();
    }

    /// Whether tasks run. Where their runtime has ended, a [`kick`](Self::kick) inside of another one starts them again.
    pub(crate) fn is_running(&self) -> bool {
        self.0.running.load(Ordering::Acquire) != 0
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.0.over.send_replace(true);
    }
}

/// What all tasks have in common.
struct Shared {
    session: Session,
    table: &'static Table,
    options: LinkOptions,
    hub: Weak<Mutex<Hub>>,
    /// Whether everything ends.
    over: watch::Sender<bool>,
    /// Held while the hub's outputs are carried out, so that their order is kept. The hub is locked inside of it, and it is
    /// never locked by a caller that holds the hub.
    tasks: Mutex<Tasks>,
    /// The endpoints that have been opened at least once.
    opened: Mutex<HashSet<&'static str>>,
    /// When the clock wakes up by itself.
    armed: Mutex<Option<Instant>>,
    /// The clock has to look again.
    changed: Notify,
    /// The number of the clock that runs, in whose runtime everything else can; zero where none does.
    running: AtomicU64,
    /// How many clocks there have been.
    clocks: AtomicU64,
}

/// The clock's task, and its number. However it ends, it is known.
struct Clock(Arc<Shared>, u64);

impl Drop for Clock {
    fn drop(&mut self) {
        self.0.stopped(self.1);
    }
}

#[derive(Default)]
struct Tasks {
    runtime: Option<Handle>,
    connections: HashMap<ConnectionId, mpsc::UnboundedSender<ConnectionOrder>>,
    catch_ups: HashMap<CatchUpId, AbortHandle>,
    /// The connection of the calls, while streams use it.
    of_calls: Option<ConnectionId>,
}

/// What a connection is to do.
enum ConnectionOrder {
    Command(Command),
    Close,
}

/// A connection that is to be opened.
struct Opening {
    report: Report,
    endpoint: &'static Endpoint,
    is_private: bool,
    orders: mpsc::UnboundedReceiver<ConnectionOrder>,
}

impl Shared {
    /// Does something with the hub, unless all handles of it have been dropped.
    fn hub<T>(&self, does: impl FnOnce(&mut Hub) -> T) -> Option<T> {
        let hub = self.hub.upgrade()?;
        let mut hub = lock(&hub);
        Some(does(&mut hub))
    }

    /// A clock has ended, or the runtime that it is in.
    fn stopped(&self, clock: u64) {
        let _ = self.running.compare_exchange(clock, 0, Ordering::AcqRel, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        *self.over.borrow()
    }

    fn kick(self: &Arc<Self>) {
        self.carry_out_all(lock(&self.tasks));
    }

    /// The same, unless another task is doing it: that task, or the clock, does this too.
    fn kick_if_free(self: &Arc<Self>) {
        if let Ok(tasks) = self.tasks.try_lock() {
            self.carry_out_all(tasks);
        }
    }

    fn carry_out_all(self: &Arc<Self>, mut tasks: MutexGuard<'_, Tasks>) {
        if self.is_over() {
            return;
        }
        if self.running.load(Ordering::Acquire) == 0 {
            let Ok(runtime) = Handle::try_current() else { return };
            let number = self.clocks.fetch_add(1, Ordering::Relaxed) + 1;
            self.running.store(number, Ordering::Release);
            let clock = Clock(self.clone(), number);
            runtime.spawn(async move { clock.run().await });
            tasks.runtime = Some(runtime);
        }
        while let Some(output) = self.hub(Hub::output).flatten() {
            self.carry_out(&mut tasks, output);
        }
        drop(tasks);
        let deadline = self.hub(|hub| hub.deadline()).flatten();
        let armed = *lock(&self.armed);
        if deadline.is_some_and(|deadline| armed.is_none_or(|armed| deadline < armed)) {
            self.changed.notify_one();
        }
    }

    fn carry_out(self: &Arc<Self>, tasks: &mut Tasks, output: Output) {
        let Some(runtime) = tasks.runtime.clone() else { return };
        match output {
            Output::Open { connection: id, endpoint, is_private } => {
                tasks.connections.retain(|_, orders| !orders.is_closed());
                let (order, orders) = mpsc::unbounded_channel();
                tasks.connections.insert(id, order);
                // Made here, so that the hub is notified also where a task does not begin.
                let report = Report::new(self.clone(), id, endpoint.name);
                let opening = Opening { report, endpoint, is_private, orders };
                let shared = self.clone();
                if !speaks_calls(self.table, endpoint) {
                    runtime.spawn(async move { socket::run(shared, opening).await });
                    return;
                }
                let is_taken = tasks.of_calls.is_some_and(|holder| tasks.connections.contains_key(&holder));
                let of_calls = !self.options.own_connection && !is_taken && self.session.websocket().is_some();
                if of_calls {
                    tasks.of_calls = Some(id);
                }
                runtime.spawn(async move { rpc::run(shared, opening, of_calls).await });
            }
            Output::Close(id) => {
                if let Some(orders) = tasks.connections.get(&id) {
                    // A task that ended has notified the hub.
                    let _ = orders.send(ConnectionOrder::Close);
                }
            }
            Output::Send { connection, command } => {
                if let Some(orders) = tasks.connections.get(&connection) {
                    let _ = orders.send(ConnectionOrder::Command(command));
                }
            }
            Output::CatchUp(call) => {
                let session = self.session.clone();
                let id = call.id;
                self.call(tasks, &runtime, id, async move { catch_up::catch_up(&session, &call).await });
            }
            Output::Snapshot(call) => {
                let session = self.session.clone();
                let id = call.id;
                self.call(tasks, &runtime, id, async move { catch_up::snapshot(&session, &call).await });
            }
            Output::Forget(id) => {
                if let Some(task) = tasks.catch_ups.remove(&id) {
                    task.abort();
                }
            }
            Output::End => {
                self.over.send_replace(true);
            }
        }
    }

    /// Starts calls whose records the hub waits for.
    fn call(
        self: &Arc<Self>,
        tasks: &mut Tasks,
        runtime: &Handle,
        id: CatchUpId,
        records: impl Future<Output = Result<Vec<Record>, String>> + Send + 'static,
    ) {
        tasks.catch_ups.retain(|_, task| !task.is_finished());
        let report = CatchUpReport::new(self.clone(), id);
        let mut over = self.over.subscribe();
        let task = runtime.spawn(async move {
            tokio::select! {
                records = records => report.done(records),
                () = until(&mut over) => report.forget(),
            }
        });
        tasks.catch_ups.insert(id, task.abort_handle());
    }

    /// Where an endpoint is, with the parameters that were chosen.
    fn url(&self, endpoint: &Endpoint) -> Result<Url, Error> {
        let mut url = match self.options.urls.iter().find(|(name, _)| *name == endpoint.name) {
            Some((_, url)) => url.clone(),
            None => self.session.stream_url(endpoint)?,
        };
        for (name, value) in &self.options.query {
            let known = self.table.query.iter().find(|(own, _)| own == name);
            let (name, values) = known.ok_or_else(|| {
                Error::invalid_request(format!("the streams of {} take no parameter {name:?}", self.table.venue))
            })?;
            if !values.contains(&&**value) {
                let wanted = values.join(" or ");
                return Err(Error::invalid_request(format!("invalid {name} {value:?} of streams: it is {wanted}")));
            }
            url.query_pairs_mut().append_pair(name, value);
        }
        Ok(url)
    }

    fn was_open(&self, endpoint: &Endpoint) -> bool {
        lock(&self.opened).contains(endpoint.name)
    }
}

impl Clock {
    /// Sends a tick to the hub whenever one is due.
    async fn run(&self) {
        let shared = &self.0;
        let mut over = shared.over.subscribe();
        loop {
            let changed = shared.changed.notified();
            // What is due sooner from here on wakes it: the time of before says nothing any more.
            *lock(&shared.armed) = None;
            let deadline = shared.hub(|hub| hub.deadline()).flatten();
            *lock(&shared.armed) = deadline;
            let due = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = until(&mut over) => return,
                () = changed => {}
                () = due => {
                    shared.hub(|hub| hub.input(Now::read(), Input::Tick));
                    shared.kick();
                }
            }
        }
    }
}

/// Returns once everything ends.
async fn until(over: &mut watch::Receiver<bool>) {
    // Without a sender it has ended too.
    let _ = over.wait_for(|over| *over).await;
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
