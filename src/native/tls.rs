//! TLS: who the server is and whom it lets in, from the files that directives name. Encryption itself is rustls's, sockets
//! are the listener's; what a certificate says of its owner is not looked at once it is valid.

use std::{fs, path::Path, sync::Arc};

use keyside::Config;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig, SupportedProtocolVersion,
        crypto::{CryptoProvider, ring},
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::{
            NoServerSessionStorage, ServerSessionMemoryCache, WebPkiClientVerifier,
            danger::ClientCertVerifier,
        },
        version::{TLS12, TLS13},
    },
};

use super::settings::{number, path, text};

/// Reads the files and makes what turns a socket into an encrypted one, or says what is wrong with them.
pub fn acceptor(config: &Config) -> Result<TlsAcceptor, String> {
    let provider = Arc::new(ring::default_provider());
    let certificates = certificates(config)?;
    let key = private_key(config)?;
    let mut server = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&protocols(config)?)
        .map_err(|error| format!("tls-protocols: {error}"))?
        .with_client_cert_verifier(verifier(config, &provider)?)
        .with_single_cert(certificates, key)
        .map_err(|error| format!("tls-cert-file and tls-key-file: {error}"))?;
    server.ignore_client_order = text(config, "tls-prefer-server-ciphers") == "yes";
    server.session_storage = match number(config, "tls-session-cache-size") {
        sessions @ 1.. if text(config, "tls-session-caching") == "yes" => {
            ServerSessionMemoryCache::new(sessions)
        }
        _ => Arc::new(NoServerSessionStorage {}),
    };
    Ok(TlsAcceptor::from(Arc::new(server)))
}

fn certificates(config: &Config) -> Result<Vec<CertificateDer<'static>>, String> {
    let file = path(config, "tls-cert-file").ok_or("tls-port needs tls-cert-file")?;
    let found = read_certificates(&file)?;
    if found.is_empty() {
        Err(format!("{}: there is no certificate in it", file.display()))
    } else {
        Ok(found)
    }
}

fn private_key(config: &Config) -> Result<PrivateKeyDer<'static>, String> {
    let file = path(config, "tls-key-file").ok_or("tls-port needs tls-key-file")?;
    if !text(config, "tls-key-file-pass").is_empty() {
        return Err("tls-key-file-pass: keys that are encrypted cannot be read".into());
    }
    PrivateKeyDer::from_pem_file(&file).map_err(|error| format!("{}: {error}", file.display()))
}

/// How clients are looked at: `tls-auth-clients` and the authorities that sign for them.
fn verifier(config: &Config, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let who = text(config, "tls-auth-clients");
    if who == "no" {
        return Ok(WebPkiClientVerifier::no_client_auth());
    }
    let roots = Arc::new(authorities(config)?);
    if roots.is_empty() {
        return Err("tls-ca-cert-file or tls-ca-cert-dir has to name who signs for clients, unless tls-auth-clients is no".into());
    }
    let builder = WebPkiClientVerifier::builder_with_provider(roots, provider.clone());
    let builder = if who == "optional" { builder.allow_unauthenticated() } else { builder };
    builder.build().map_err(|error| format!("tls-ca-cert-file or tls-ca-cert-dir: {error}"))
}

fn authorities(config: &Config) -> Result<RootCertStore, String> {
    let mut files: Vec<_> = path(config, "tls-ca-cert-file").into_iter().collect();
    if let Some(dir) = path(config, "tls-ca-cert-dir") {
        let entries = fs::read_dir(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        files.extend(entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()));
    }
    let mut roots = RootCertStore::empty();
    for file in files {
        for certificate in read_certificates(&file)? {
            roots.add(certificate).map_err(|error| format!("{}: {error}", file.display()))?;
        }
    }
    Ok(roots)
}

fn read_certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    read.map_err(|error| format!("{}: {error}", file.display()))
}

/// `tls-protocols`: versions by name, with any blanks between them; all that there are when none is named.
fn protocols(config: &Config) -> Result<Vec<&'static SupportedProtocolVersion>, String> {
    let named = text(config, "tls-protocols");
    let version = |name: &str| match name.to_ascii_lowercase().as_str() {
        "tlsv1.2" => Ok(&TLS12),
        "tlsv1.3" => Ok(&TLS13),
        _ => Err(format!("tls-protocols: '{name}' is not among TLSv1.2 and TLSv1.3")),
    };
    let versions: Vec<_> = named.split_ascii_whitespace().map(version).collect::<Result<_, _>>()?;
    Ok(if versions.is_empty() { vec![&TLS13, &TLS12] } else { versions })
}
