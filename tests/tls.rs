//! TLS as a client sees it: certificates made for the test, a real server, and `redis-cli` where it is installed. What is
//! said over a connection is the business of other tests.
#![cfg(feature = "native")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};

const PATIENCE: Duration = Duration::from_secs(30);

/// A directory of certificates: an authority, what it signed for the server and for a client, and a client's of another one.
struct Certificates(PathBuf);

impl Certificates {
    fn make(name: &str) -> Certificates {
        let dir = std::env::temp_dir().join(format!("keyside-tls-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let this = Certificates(dir);
        let (ours, theirs) = (authority(), authority());
        fs::write(this.path("ca.crt"), ours.pem()).unwrap();
        for (name, issuer) in [("server", &ours), ("client", &ours), ("next", &ours), ("stranger", &theirs)] {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(["localhost".to_string(), "127.0.0.1".to_string()]).unwrap();
            let certificate = params.signed_by(&key, issuer).unwrap();
            fs::write(this.path(&format!("{name}.crt")), certificate.pem()).unwrap();
            fs::write(this.path(&format!("{name}.key")), key.serialize_pem()).unwrap();
        }
        this
    }

    fn path(&self, file: &str) -> String {
        self.0.join(file).display().to_string()
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    // OpenSSL takes what is named like its issuer for signed by itself.
    params.distinguished_name.push(DnType::CommonName, "an authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A running server, which ends with the test, and what it has said.
struct Server {
    process: Child,
    port: u16,
    said: Arc<Mutex<String>>,
}

impl Server {
    fn start(certificates: &Certificates, more: &[&str]) -> Server {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut process = Command::new(env!("CARGO_BIN_EXE_keyside-server"))
            .args(["--port", "0", "--save", "", "--tls-port", &port.to_string()])
            .args(["--tls-cert-file", &certificates.path("server.crt")])
            .args(["--tls-key-file", &certificates.path("server.key")])
            .args(["--tls-ca-cert-file", &certificates.path("ca.crt")])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (lines, heard) = (BufReader::new(process.stdout.take().unwrap()).lines(), said.clone());
        thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| *heard.lock().unwrap() += &(line + "\n"))
        });
        let server = Server { process, port, said };
        server.await_saying("Ready to accept connections");
        server
    }

    fn await_saying(&self, part: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.said.lock().unwrap().contains(part) {
            assert!(Instant::now() < end, "it never said {part:?} but {}", self.said.lock().unwrap());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Asks with `redis-cli`, if there is one.
    fn cli(&self, certificates: &Certificates, who: &str, words: &[&str]) -> Option<Output> {
        let mut command = Command::new("redis-cli");
        command.args(["-p", &self.port.to_string(), "--tls", "--cacert", &certificates.path("ca.crt")]);
        command.args(["--cert", &certificates.path(&format!("{who}.crt"))]);
        command.args(["--key", &certificates.path(&format!("{who}.key"))]);
        command.args(words).stdin(Stdio::null()).output().ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A client that shows the certificate called `who`, or none.
fn connect(
    server: &Server,
    certificates: &Certificates,
    who: Option<&str>,
) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificates.path("ca.crt")).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match who {
        None => builder.with_no_client_auth(),
        Some(who) => {
            let chain =
                vec![CertificateDer::from_pem_file(certificates.path(&format!("{who}.crt"))).unwrap()];
            let key = PrivateKeyDer::from_pem_file(certificates.path(&format!("{who}.key"))).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    let stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream)
}

/// Sends a request and returns as many bytes as expected, or nothing when the server hangs up.
fn ask(stream: &mut impl ReadWrite, request: &str, len: usize) -> Option<Vec<u8>> {
    stream.write_all(request.as_bytes()).ok()?;
    stream.flush().ok()?;
    let mut reply = vec![0; len];
    stream.read_exact(&mut reply).ok()?;
    Some(reply)
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

fn pings(stream: &mut impl ReadWrite) -> bool {
    ask(stream, "PING\r\n", 7).is_some_and(|reply| reply == b"+PONG\r\n")
}

#[test]
fn only_who_shows_a_certificate_of_the_authority_is_let_in_and_others_do_not_notice() {
    let certificates = Certificates::make("auth");
    let server = Server::start(&certificates, &[]);
    let mut welcome = connect(&server, &certificates, Some("client"));
    assert!(pings(&mut welcome));
    assert!(!pings(&mut connect(&server, &certificates, Some("stranger"))));
    assert!(!pings(&mut connect(&server, &certificates, None)));
    let mut plain = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    assert!(!pings(&mut plain));
    server.await_saying("is refused: invalid peer certificate");
    server.await_saying("is refused: peer sent no certificates");
    assert!(pings(&mut welcome));
}

#[test]
fn long_requests_and_replies_arrive_whole() {
    let certificates = Certificates::make("long");
    let server = Server::start(&certificates, &["--tls-auth-clients", "no"]);
    let mut client = connect(&server, &certificates, None);
    let (len, value) = (3 << 20, "x".repeat(3 << 20));
    assert_eq!(
        ask(&mut client, &format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${len}\r\n{value}\r\n"), 5).unwrap(),
        b"+OK\r\n"
    );
    let expected = format!("${len}\r\n{value}\r\n");
    assert!(ask(&mut client, "GET k\r\n", expected.len()).unwrap() == expected.as_bytes());
}

#[test]
fn certificates_are_read_again_when_they_change_and_kept_when_the_new_ones_are_none() {
    let certificates = Certificates::make("again");
    let server = Server::start(&certificates, &["--tls-auth-clients", "optional"]);
    let mut client = connect(&server, &certificates, None);
    assert!(pings(&mut client));
    let shown = |client: &StreamOwned<ClientConnection, TcpStream>| {
        client.conn.peer_certificates().unwrap()[0].clone()
    };
    let first = shown(&client);

    let refused = b"-ERR CONFIG SET failed (possibly related to argument 'tls-key-file') - Unable to update TLS configuration. Check server logs.\r\n";
    let request = format!("CONFIG SET tls-key-file {}\r\n", certificates.path("ca.crt"));
    assert_eq!(ask(&mut client, &request, refused.len()).unwrap(), refused);
    server.await_saying("TLS cannot be configured: ");
    let request = format!(
        "CONFIG SET tls-key-file {} tls-cert-file {}\r\n",
        certificates.path("next.key"),
        certificates.path("next.crt")
    );
    assert_eq!(ask(&mut client, &request, 5).unwrap(), b"+OK\r\n");
    assert!(pings(&mut client));
    let mut next = connect(&server, &certificates, None);
    assert!(pings(&mut next) && shown(&next) != first);
}

#[test]
fn redis_cli_is_served() {
    let certificates = Certificates::make("cli");
    let server = Server::start(&certificates, &[]);
    let Some(output) = server.cli(&certificates, "client", &["SET", "k", "v"]) else { return };
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "OK\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let output = server.cli(&certificates, "stranger", &["GET", "k"]).unwrap();
    assert!(!String::from_utf8_lossy(&output.stdout).contains('v'));
}

#[test]
fn without_certificates_nothing_starts() {
    let run = |options: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyside-server"));
        let output = command.args(["--port", "0", "--tls-port", "1"]).args(options).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(run(&[]).contains("Failed to configure TLS: tls-port needs tls-cert-file"));
    let missing = Path::new("no-such.crt").display().to_string();
    assert!(run(&["--tls-cert-file", &missing]).contains("Failed to configure TLS: no-such.crt: "));
}
