//! The connection to a primary, made whenever the engine wants one. What is said over it is the engine's business; to the
//! task that carries the bytes it is a client like any other.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    os::fd::AsRawFd,
    rc::Rc,
    time::Duration,
};

use keyside::{Origin, Target};
use tokio::{
    net::{TcpSocket, TcpStream, lookup_host},
    task::spawn_local,
    time::timeout,
};

use super::{connection::Connection, settings::text, shell::Shell, time::now_ms};

impl Shell {
    /// Connects to primaries, for as long as the server runs.
    pub async fn keep_link(self: Rc<Self>) {
        loop {
            self.links.notified().await;
            let target = self.state.borrow_mut().engine.next_target();
            if let Some(target) = target {
                spawn_local(self.clone().link(target));
            }
        }
    }

    async fn link(self: Rc<Self>, target: Target) {
        let patience = Duration::from_millis(target.patience_ms);
        let source = text(self.state.borrow().engine.config(), "bind-source-addr");
        let connected = timeout(patience, connect(&target, &source)).await;
        match connected
            .map_err(|_| "it takes too long".to_string())
            .and_then(|it| it.map_err(|e| e.to_string()))
        {
            Ok(stream) => self.speak(target.attempt, stream).await,
            Err(reason) => self.state.borrow_mut().engine.link_failed(target.attempt, &reason, now_ms()),
        }
    }

    async fn speak(self: Rc<Self>, attempt: u64, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let address = |address: std::io::Result<std::net::SocketAddr>| {
            address.map_or_else(|_| String::new(), |it| it.to_string())
        };
        let origin = Origin {
            addr: address(stream.peer_addr()),
            laddr: address(stream.local_addr()),
            fd: stream.as_raw_fd() as i64,
        };
        let id = self.state.borrow_mut().engine.link_opened(attempt, origin, now_ms());
        if let Some(id) = id {
            self.state.borrow_mut().connections += 1;
            Connection::of(self.clone(), stream, id).await;
        }
    }
}

/// Connects to a primary, from the address that a directive names if it is one of this machine's.
async fn connect(target: &Target, source: &str) -> io::Result<TcpStream> {
    let primary = (target.host.as_str(), target.port);
    let Ok(source) = source.parse::<IpAddr>() else { return TcpStream::connect(primary).await };
    let address = lookup_host(primary).await?.find(|it| it.is_ipv4() == source.is_ipv4());
    let address = address.ok_or(io::ErrorKind::AddrNotAvailable)?;
    let socket = if source.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // As Redis does, it connects from where it can when it cannot from there.
    let _ = socket.bind(SocketAddr::new(source, 0));
    socket.connect(address).await
}
