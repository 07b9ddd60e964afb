//! Sockets to listen on, and who is let in.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs},
    os::{fd::AsRawFd, unix::fs::PermissionsExt},
    rc::Rc,
    time::Duration,
};

use keyside::Origin;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::{
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    task::spawn_local,
};

use super::{connection::Connection, settings::Settings, shell::Shell};

const TOO_MANY: &[u8] = b"-ERR max number of clients reached\r\n";
const PROTECTED: &[u8] = b"-DENIED keyside is in protected mode: it has no password, so it serves only clients on its \
    own machine, over the loopback interface or its UNIX socket. To serve others, do one of these: set a password with \
    the directive 'requirepass'; or, when no untrusted network reaches this port, send 'CONFIG SET protected-mode no' \
    from the machine itself, or start the server with '--protected-mode no'.\r\n";

/// Everything the server listens on.
pub struct Listeners {
    tcp: Vec<TcpListener>,
    unix: Option<UnixListener>,
}

impl Listeners {
    /// Opens all that the settings name, or says why that is impossible.
    pub fn open(settings: &Settings) -> Result<Listeners, String> {
        let mut tcp = Vec::new();
        if settings.port > 0 {
            for address in &settings.bind {
                tcp.extend(listen(address, settings)?);
            }
            if tcp.is_empty() {
                return Err(format!("Failed listening on port {} (TCP), aborting.", settings.port));
            }
        }
        Ok(Listeners { tcp, unix: listen_unix(settings)? })
    }

    /// Accepts clients from now on.
    pub fn accept(self, shell: &Rc<Shell>) {
        for listener in self.tcp {
            spawn_local(accept_tcp(shell.clone(), listener));
        }
        if let Some(listener) = self.unix {
            spawn_local(accept_unix(shell.clone(), listener));
        }
    }
}

/// Listens on one address; none if it is optional and this machine does not have it.
fn listen(address: &str, settings: &Settings) -> Result<Option<TcpListener>, String> {
    let (address, is_optional) = address.strip_prefix('-').map_or((address, false), |rest| (rest, true));
    let socket = resolve(address, settings.port).and_then(|at| open(at, settings.tcp_backlog));
    match socket {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if is_optional && error.kind() != io::ErrorKind::AddrInUse => Ok(None),
        Err(error) => {
            let port = settings.port;
            Err(format!("Could not create the TCP listening socket {address}:{port}: {error}"))
        }
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

async fn accept_tcp(shell: Rc<Shell>, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => admit_tcp(&shell, stream, peer),
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

fn admit_tcp(shell: &Rc<Shell>, stream: TcpStream, peer: SocketAddr) {
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
        spawn_local(Connection::new(shell.clone(), stream, origin));
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

fn is_full(shell: &Shell) -> bool {
    shell.state.borrow().connections >= shell.settings.borrow().maxclients
}

fn keep_alive(stream: &TcpStream, period: Option<Duration>) -> io::Result<()> {
    let Some(period) = period else { return Ok(()) };
    let interval = (period / 3).max(Duration::from_secs(1));
    let probes = TcpKeepalive::new().with_time(period).with_interval(interval).with_retries(3);
    SockRef::from(stream).set_tcp_keepalive(&probes)
}
