//! Sockets to listen on, and who is let in.

use std::{
    cell::RefCell,
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, ToSocketAddrs},
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::fs::PermissionsExt,
    },
    rc::Rc,
    time::Duration,
};

use keyside::{Config, Origin};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::{
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    task::{JoinHandle, spawn_local},
};
use tokio_rustls::TlsAcceptor;

use super::{connection::Connection, http, settings::Settings, shell::Shell, tls};

const TOO_MANY: &[u8] = b"-ERR max number of clients reached\r\n";
const PROTECTED: &[u8] = b"-DENIED keyside is in protected mode: it has no password, so it serves only clients on its \
    own machine, over the loopback interface or its UNIX socket. To serve others, do one of these: set a password with \
    the directive 'requirepass'; or, when no untrusted network reaches this port, send 'CONFIG SET protected-mode no' \
    from the machine itself, or start the server with '--protected-mode no'.\r\n";

/// A client that has not agreed on keys by then is not waited for.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Everything the server listens on.
pub struct Listeners {
    tcp: Vec<Listener>,
    unix: Option<UnixListener>,
    tls: Option<TlsAcceptor>,
}

/// A TCP socket, and what is spoken over it.
struct Listener {
    socket: TcpListener,
    speech: Speech,
}

/// What is spoken over a connection.
#[derive(Clone, Copy)]
enum Speech {
    Resp,
    EncryptedResp,
    Http,
}

/// Clients are accepted from sockets by these tasks until somebody wants other sockets.
struct Accepting {
    shell: Rc<Shell>,
    tcp: Vec<(OwnedFd, JoinHandle<()>)>,
    settings: Settings,
    /// What encrypts the connections of clients from now on.
    tls: Option<TlsAcceptor>,
    /// Connections of no client: those that still agree on keys, and those that speak HTTP.
    strangers: usize,
}

thread_local! {
    /// The engine, which knows no sockets, can only say that they are to be others.
    static ACCEPTING: RefCell<Option<Accepting>> = const { RefCell::new(None) };
}

/// Listens on the TCP sockets that a configuration names, in place of those so far; false when that is impossible, and then
/// on those so far.
pub fn listen_again(config: &Config) -> bool {
    ACCEPTING
        .with_borrow_mut(|accepting| accepting.as_mut().is_none_or(|it| it.listen_on(Settings::of(config))))
}

/// Has the certificates and keys that a configuration names be used for connections from now on; false when that is
/// impossible, and then those so far are.
pub fn secure_again(config: &Config) -> bool {
    ACCEPTING.with_borrow_mut(|accepting| match (accepting, encryption(&Settings::of(config), config)) {
        (None, _) => true,
        (Some(it), Ok(tls)) => {
            it.tls = tls;
            true
        }
        (Some(it), Err(reason)) => {
            it.settings.log.warning(format_args!("TLS cannot be configured: {reason}"));
            false
        }
    })
}

/// Stops listening and forgets who listened.
pub fn stop() {
    ACCEPTING.take();
}

impl Accepting {
    fn listen_on(&mut self, settings: Settings) -> bool {
        // The sockets so far would be in the way of those that share an address with them.
        self.close();
        let opened = listen_tcp(&settings);
        let is_done = opened.is_ok();
        if let Err(reason) = &opened {
            self.settings.log.warning(format_args!("{reason}"));
        }
        if is_done {
            self.settings = settings;
        }
        match opened.or_else(|_| listen_tcp(&self.settings)) {
            Ok(listeners) => self.tcp = accept_from(&self.shell, listeners),
            Err(reason) => self.settings.log.warning(format_args!("Nobody can connect any more: {reason}")),
        }
        is_done
    }

    fn close(&mut self) {
        for (socket, task) in self.tcp.drain(..) {
            // The task lets its socket go only later, so that is made to listen no more.
            let _ = SockRef::from(&socket).shutdown(Shutdown::Both);
            task.abort();
        }
    }
}

fn accept_from(shell: &Rc<Shell>, listeners: Vec<Listener>) -> Vec<(OwnedFd, JoinHandle<()>)> {
    let accept = |listener: Listener| {
        let socket = listener.socket.as_fd().try_clone_to_owned().ok()?;
        Some((socket, spawn_local(accept_tcp(shell.clone(), listener))))
    };
    listeners.into_iter().filter_map(accept).collect()
}

fn listen_tcp(settings: &Settings) -> Result<Vec<Listener>, String> {
    let mut listeners = Vec::new();
    let ports = [
        (settings.port, Speech::Resp),
        (settings.tls_port, Speech::EncryptedResp),
        (settings.http_port, Speech::Http),
    ];
    for (port, speech) in ports {
        if port == 0 || settings.bind.is_empty() {
            continue;
        }
        let before = listeners.len();
        for address in &settings.bind {
            let socket = listen(address, port, settings)?;
            listeners.extend(socket.map(|socket| Listener { socket, speech }));
        }
        if listeners.len() == before {
            return Err(format!("Failed listening on port {port} (TCP), aborting."));
        }
    }
    Ok(listeners)
}

impl Listeners {
    /// Opens all that the settings name, or says why that is impossible.
    pub fn open(settings: &Settings, config: &Config) -> Result<Listeners, String> {
        let tls = encryption(settings, config);
        let tls = tls.map_err(|reason| format!("Failed to configure TLS: {reason}"))?;
        Ok(Listeners { tcp: listen_tcp(settings)?, unix: listen_unix(settings)?, tls })
    }

    /// Accepts clients from now on.
    pub fn accept(self, shell: &Rc<Shell>) {
        let tcp = accept_from(shell, self.tcp);
        let settings = shell.settings.borrow().clone();
        ACCEPTING.set(Some(Accepting { shell: shell.clone(), tcp, settings, tls: self.tls, strangers: 0 }));
        if let Some(listener) = self.unix {
            spawn_local(accept_unix(shell.clone(), listener));
        }
    }
}

/// What encrypts connections, if there are to be such.
fn encryption(settings: &Settings, config: &Config) -> Result<Option<TlsAcceptor>, String> {
    (settings.tls_port > 0).then(|| tls::acceptor(config)).transpose()
}

/// Listens on one address; none if it is optional and this machine does not have it.
fn listen(address: &str, port: u16, settings: &Settings) -> Result<Option<TcpListener>, String> {
    let (address, is_optional) = address.strip_prefix('-').map_or((address, false), |rest| (rest, true));
    let socket = resolve(address, port).and_then(|at| open(at, settings.tcp_backlog));
    match socket {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if is_optional && error.kind() != io::ErrorKind::AddrInUse => Ok(None),
        Err(error) => Err(format!("Could not create the TCP listening socket {address}:{port}: {error}")),
    }
}

fn resolve(address: &str, port: u16) -> io::Result<SocketAddr> {
    let ip = match address {
        "*" => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        "::*" => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        name => return (name, port).to_socket_addrs()?.next().ok_or(io::ErrorKind::NotFound.into()),
    };
    Ok((ip, port).into())
}

fn open(address: SocketAddr, backlog: i32) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}

fn listen_unix(settings: &Settings) -> Result<Option<UnixListener>, String> {
    let Some(path) = &settings.unixsocket else { return Ok(None) };
    // A server that was killed leaves its socket behind.
    let _ = fs::remove_file(path);
    let listener = UnixListener::bind(path).and_then(|listener| {
        if let Some(bits) = settings.unixsocketperm {
            fs::set_permissions(path, fs::Permissions::from_mode(bits))?;
        }
        Ok(listener)
    });
    listener.map(Some).map_err(|error| format!("Failed opening Unix socket {}: {error}", path.display()))
}

async fn accept_tcp(shell: Rc<Shell>, listener: Listener) {
    loop {
        match listener.socket.accept().await {
            Ok((stream, peer)) => admit_tcp(&shell, stream, peer, listener.speech),
            Err(error) => rest(&shell, error).await,
        }
    }
}

async fn accept_unix(shell: Rc<Shell>, listener: UnixListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => admit_unix(&shell, stream),
            Err(error) => rest(&shell, error).await,
        }
    }
}

/// After an error such as too many open files, the next one would follow at once.
async fn rest(shell: &Shell, error: io::Error) {
    shell.log().warning(format_args!("Accepting client connection: {error}"));
    tokio::time::sleep(Duration::from_millis(100)).await;
}

fn admit_tcp(shell: &Rc<Shell>, stream: TcpStream, peer: SocketAddr, speech: Speech) {
    shell.log().verbose(format_args!("Accepted {peer}"));
    if is_full(shell) {
        let _ = stream.try_write(TOO_MANY);
    } else if !peer.ip().to_canonical().is_loopback() && shell.is_protected() {
        let _ = stream.try_write(PROTECTED);
    } else {
        // A client whose socket takes no option is served without it.
        let _ = stream.set_nodelay(true);
        let _ = keep_alive(&stream, shell.settings.borrow().tcp_keepalive);
        let laddr = stream.local_addr().map_or_else(|_| String::new(), |local| local.to_string());
        let origin = Origin { addr: peer.to_string(), laddr, fd: stream.as_raw_fd() as i64 };
        match speech {
            Speech::Resp => spawn_local(Connection::new(shell.clone(), stream, origin)),
            Speech::EncryptedResp => spawn_local(agree_on_keys(shell.clone(), stream, origin)),
            Speech::Http => spawn_local(serve_http(shell.clone(), stream, origin)),
        };
    }
}

/// Serves a client over an encrypted connection, if it is one whom the certificates let in.
async fn agree_on_keys(shell: Rc<Shell>, stream: TcpStream, origin: Origin) {
    let Some(tls) = ACCEPTING.with_borrow(|accepting| accepting.as_ref()?.tls.clone()) else { return };
    let stranger = Stranger::count();
    let agreed = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await;
    drop(stranger);
    match agreed {
        Ok(Ok(stream)) => Connection::new(shell, stream, origin).await,
        Ok(Err(error)) => shell.log().warning(format_args!("TLS client {} is refused: {error}", origin.addr)),
        Err(_) => {
            shell.log().warning(format_args!("TLS client {} did not agree on keys in time", origin.addr))
        }
    }
}

async fn serve_http(shell: Rc<Shell>, stream: TcpStream, origin: Origin) {
    let _counted = Stranger::count();
    http::serve(shell, stream, origin).await;
}

/// A connection of no client, counted for as long as it is one.
struct Stranger;

impl Stranger {
    fn count() -> Stranger {
        ACCEPTING.with_borrow_mut(|accepting| accepting.as_mut().map(|it| it.strangers += 1));
        Stranger
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        ACCEPTING.with_borrow_mut(|accepting| accepting.as_mut().map(|it| it.strangers -= 1));
    }
}

fn admit_unix(shell: &Rc<Shell>, stream: UnixStream) {
    let path = shell.settings.borrow().unixsocket.clone().unwrap_or_default();
    shell.log().verbose(format_args!("Accepted connection to {}", path.display()));
    if is_full(shell) {
        let _ = stream.try_write(TOO_MANY);
    } else {
        let addr = format!("{}:0", path.display());
        let origin = Origin { laddr: addr.clone(), addr, fd: stream.as_raw_fd() as i64 };
        spawn_local(Connection::new(shell.clone(), stream, origin));
    }
}

/// Whether there is no room for another connection, which is counted then.
fn is_full(shell: &Shell) -> bool {
    let strangers = ACCEPTING.with_borrow(|accepting| accepting.as_ref().map_or(0, |it| it.strangers));
    let mut state = shell.state.borrow_mut();
    let is_full = strangers + state.connections >= shell.settings.borrow().maxclients;
    if is_full {
        state.engine.count_rejected();
    }
    is_full
}

fn keep_alive(stream: &TcpStream, period: Option<Duration>) -> io::Result<()> {
    let Some(period) = period else { return Ok(()) };
    let interval = (period / 3).max(Duration::from_secs(1));
    let probes = TcpKeepalive::new().with_time(period).with_interval(interval).with_retries(3);
    SockRef::from(stream).set_tcp_keepalive(&probes)
}
