//! What a client says about itself and asks of its connection. Who it may be beyond the default user is not known here.

use alloc::{string::String, vec::Vec};
use core::fmt::Write;

use super::{
    ClientId, Engine,
    acl::UserId,
    client::{Client, ClientKind, Replies},
    info,
    pubsub::Space,
};
use crate::{
    Error, Result,
    commands::{
        Command, Kind, Shape,
        args::{Arg, AtMostOne, DbIndex, Text, Words, one_of},
        help::{HelpLines, help},
        reply::{Done, Unknown, Written, typed},
        spec::commands,
    },
    data::{number::parse_i64, sorting::sort_by_number},
    resp::{Version, Writer},
};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "connection";
    /// Answers PONG, or the message.
    "PING" = ping(message) since "1.0.0" [FAST] O("1");
    /// Answers the message.
    "ECHO" = echo(message) since "1.0.0" [LOADING STALE FAST] O("1");
    /// Closes the connection.
    "QUIT" = quit(ignored) since "1.0.0" [ALLOW_BUSY NOSCRIPT LOADING STALE FAST NO_AUTH] O("1");
    /// Makes the connection as if it were new.
    "RESET" = reset() since "6.2.0" [ALLOW_BUSY NOSCRIPT LOADING STALE FAST NO_AUTH] O("1");
    /// Works on another database from now on.
    "SELECT" = select(db) since "1.0.0" [LOADING STALE FAST] O("1");
    /// Tells who the client is.
    "AUTH" = auth(credentials) since "1.0.0" [ALLOW_BUSY NOSCRIPT LOADING STALE FAST NO_AUTH] O("N) where N is the number of passwords defined for the user");
    /// Chooses the protocol, and tells about the server.
    "HELLO" = hello(options) since "6.0.0" [ALLOW_BUSY NOSCRIPT LOADING STALE FAST NO_AUTH] O("1");
    /// Returns the number of this connection.
    "CLIENT ID" = client_id() since "5.0.0" [NOSCRIPT LOADING STALE] O("1");
    /// Returns the name of this connection.
    "CLIENT GETNAME" = client_getname() since "2.6.9" [NOSCRIPT LOADING STALE] O("1");
    /// Names this connection.
    "CLIENT SETNAME" = client_setname(name) since "2.6.9" [NOSCRIPT LOADING STALE] O("1");
    /// Tells which library the client uses.
    "CLIENT SETINFO" = client_setinfo(attribute, value) since "7.2.0" [NOSCRIPT LOADING STALE] O("1");
    /// Returns what is known of this connection.
    "CLIENT INFO" = client_info() since "6.2.0" [NOSCRIPT LOADING STALE] O("1");
    /// Returns what is known of the connections, a line each.
    "CLIENT LIST" = client_list(which) since "2.4.0" [ADMIN NOSCRIPT LOADING STALE] O("N) where N is the number of client connections");
    /// Closes connections, by address or by what CLIENT LIST shows of them.
    "CLIENT KILL" = client_kill(which) since "2.4.0" [ADMIN NOSCRIPT LOADING STALE] O("N) where N is the number of client connections");
    /// Turns replies on, off, or off for the next command.
    "CLIENT REPLY" = client_reply(mode) since "3.2.0" [NOSCRIPT LOADING STALE] O("1");
    /// Spares this connection when the memory for clients runs out.
    "CLIENT NO-EVICT" = client_no_evict(enabled) since "7.0.0" [ADMIN NOSCRIPT LOADING STALE] O("1");
    /// Has this connection's commands leave the access times of keys alone.
    "CLIENT NO-TOUCH" = client_no_touch(enabled) since "7.2.0" [NOSCRIPT LOADING STALE] O("1");
    /// Returns what the subcommands of CLIENT do.
    "CLIENT HELP" = client_help() since "5.0.0" [LOADING STALE] O("1");
};

typed! {
    /// PONG, or the message.
    Pong = "Bytes";
    /// What HELLO tells.
    Greeting = "Record<string, unknown>";
    /// A text of lines.
    Report = "string";
    /// OK, when all clients are written to, how many were closed.
    Killed = "'OK' | number";
    /// Nothing, or OK.
    MaybeOk = "'OK' | undefined";
}

fn ping<'a>(
    engine: &mut Engine,
    message: AtMostOne<Text<'a>>,
) -> Result<Written<Pong, impl FnOnce(&mut Writer) + use<'a>>> {
    let client = engine.current();
    let as_message = client.is_subscriber() && client.version == Version::V2;
    Ok(Written::new(move |out| match message.0 {
        _ if as_message => {
            out.array(2);
            out.bulk(b"pong");
            out.bulk(message.0.map_or(&[], |text| text.0));
        }
        Some(text) => out.bulk(text.0),
        None => out.simple("PONG"),
    }))
}

fn echo(_: &mut Engine, message: Text) -> Result<Vec<u8>> {
    Ok(message.0.to_vec())
}

/// Words that nobody reads.
struct Ignored;

impl Arg<'_> for Ignored {
    const SHAPE: Shape = Shape::Maybe(&Shape::Many(&[Shape::Word("ignored", Kind::Text)]));
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        words.split_off(0);
        Ok(Ignored)
    }
}

fn quit(engine: &mut Engine, _: Ignored) -> Result<Done> {
    engine.close(engine.current);
    Ok(Done)
}

/// Written rather than returned, as the protocol changes with the reply.
fn reset(engine: &mut Engine) -> Result<Written<Unknown, impl FnOnce(&mut Writer) + use<>>> {
    engine.leave(engine.current);
    engine.current_mut().reset();
    engine.greet(engine.current);
    engine.keyspace.select(0);
    Ok(Written::new(|out| {
        out.set_version(Version::V2);
        out.simple("RESET");
    }))
}

fn select(engine: &mut Engine, db: DbIndex) -> Result<Done> {
    let db = db.among(engine.config.databases)?;
    engine.current_mut().db = db;
    engine.keyspace.select(db);
    Ok(Done)
}

/// A user, the default one if none is named, and a password.
struct Credentials<'a> {
    user: Option<&'a [u8]>,
    password: &'a [u8],
}

impl<'a> Arg<'a> for Credentials<'a> {
    const SHAPE: Shape = Shape::Group(&[
        Shape::Maybe(&Shape::Word("username", Kind::Text)),
        Shape::Word("password", Kind::Text),
    ]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        let user = if words.len() > 1 { Some(words.next()?) } else { None };
        Ok(Credentials { user, password: words.next()? })
    }
}

fn auth(engine: &mut Engine, credentials: Credentials) -> Result<Done> {
    if credentials.user.is_none() && !engine.has_password() {
        return Err(Error::refused(
            "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
        ));
    }
    engine.authenticate(credentials.user, credentials.password)?;
    Ok(Done)
}

/// The arguments of HELLO.
#[derive(Default)]
struct Hello<'a> {
    version: Option<Version>,
    credentials: Option<Credentials<'a>>,
    name: Option<&'a [u8]>,
}

impl<'a> Arg<'a> for Hello<'a> {
    const SHAPE: Shape = Shape::Maybe(&Shape::Group(&[
        Shape::Word("protover", Kind::Integer),
        Shape::Options(&[
            Shape::Group(&[
                Shape::Token("AUTH"),
                Shape::Word("username", Kind::Text),
                Shape::Word("password", Kind::Text),
            ]),
            Shape::Group(&[Shape::Token("SETNAME"), Shape::Word("clientname", Kind::Text)]),
        ]),
    ]));
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        let mut hello = Hello::default();
        let Ok(version) = words.next() else { return Ok(hello) };
        hello.version = Some(match parse_i64(version) {
            Some(2) => Version::V2,
            Some(3) => Version::V3,
            Some(_) => return Err(Error::refused("NOPROTO unsupported protocol version")),
            None => return Err(Error::refused("ERR Protocol version is not an integer or out of range")),
        });
        while let Some(option) = words.peek() {
            if words.take_with("AUTH", 2) {
                hello.credentials = Some(Credentials { user: Some(words.next()?), password: words.next()? });
            } else if words.take_with("SETNAME", 1) {
                hello.name = Some(check_name(words.next()?)?);
            } else {
                return Err(Error::quoting("ERR Syntax error in HELLO option '", option, "'"));
            }
        }
        Ok(hello)
    }
}

fn hello<'a>(
    engine: &mut Engine,
    options: Hello<'a>,
) -> Result<Written<Greeting, impl FnOnce(&mut Writer) + use<>>> {
    if let Some(credentials) = options.credentials {
        engine.authenticate(credentials.user, credentials.password)?;
    }
    if engine.needs_authentication() {
        return Err(Error::refused(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
        ));
    }
    let client = engine.current_mut();
    if let Some(name) = options.name {
        client.name = name.to_vec();
    }
    client.version = options.version.unwrap_or(client.version);
    let (id, version) = (client.id, client.version);
    Ok(Written::new(move |out| {
        out.set_version(version);
        out.map(7);
        out.bulk(b"server");
        out.bulk(b"redis");
        out.bulk(b"version");
        out.bulk(info::REDIS_VERSION.as_bytes());
        out.bulk(b"proto");
        out.integer(if version == Version::V2 { 2 } else { 3 });
        out.bulk(b"id");
        out.integer(id as i64);
        out.bulk(b"mode");
        out.bulk(b"standalone");
        out.bulk(b"role");
        out.bulk(b"master");
        out.bulk(b"modules");
        out.array(0);
    }))
}

fn client_id(engine: &mut Engine) -> Result<i64> {
    Ok(engine.current().id as i64)
}

fn client_getname(engine: &mut Engine) -> Result<Option<Vec<u8>>> {
    Ok(Some(engine.current().name.clone()).filter(|name| !name.is_empty()))
}

fn client_setname(engine: &mut Engine, name: Text) -> Result<Done> {
    engine.current_mut().name = check_name(name.0)?.to_vec();
    Ok(Done)
}

fn client_setinfo(engine: &mut Engine, attribute: Text, value: Text) -> Result<Done> {
    let library = &mut engine.current_mut().library;
    let slot = match &*attribute.0.to_ascii_lowercase() {
        b"lib-name" => &mut library.0,
        b"lib-ver" => &mut library.1,
        _ => return Err(Error::quoting("ERR Unrecognized option '", attribute.0, "'")),
    };
    if !is_printable(value.0) {
        return Err(Error::quoting(
            "ERR ",
            attribute.0,
            " cannot contain spaces, newlines or special characters.",
        ));
    }
    *slot = value.0.to_vec();
    Ok(Done)
}

/// What a name in a line of CLIENT LIST may consist of.
fn is_printable(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b'!'..=b'~'))
}

fn check_name(name: &[u8]) -> Result<&[u8]> {
    let error = Error::refused("ERR Client names cannot contain spaces, newlines or special characters.");
    if is_printable(name) { Ok(name) } else { Err(error) }
}

fn client_info(engine: &mut Engine) -> Result<Written<Report, impl FnOnce(&mut Writer) + use<>>> {
    let line = engine.client_line(engine.current(), engine.executing) + "\n";
    Ok(Written::new(move |out| out.verbatim("txt", &line)))
}

/// Which clients CLIENT LIST shows.
enum Listed {
    All,
    OfKind(ClientKind),
    WithIds(Vec<i64>),
}

impl Arg<'_> for Listed {
    const SHAPE: Shape = Shape::Options(&[
        Shape::Group(&[Shape::Token("TYPE"), KIND_SHAPE]),
        Shape::Group(&[Shape::Token("ID"), Shape::Many(&[Shape::Word("client-id", Kind::Integer)])]),
    ]);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        if words.is_empty() {
            Ok(Listed::All)
        } else if words.len() == 2 && words.take("TYPE") {
            parse_kind(words.next()?).map(Listed::OfKind)
        } else if words.take_with("ID", 1) {
            let parse = |word: &&[u8]| parse_i64(word).ok_or(Error::refused("ERR Invalid client ID"));
            words.split_off(0).iter().map(parse).collect::<Result<_>>().map(Listed::WithIds)
        } else {
            Err(Error::Syntax)
        }
    }
}

const KIND_SHAPE: Shape = Shape::OneOf(&[
    Shape::Token("NORMAL"),
    Shape::Token("MASTER"),
    Shape::Token("REPLICA"),
    Shape::Token("PUBSUB"),
]);

fn parse_kind(name: &[u8]) -> Result<ClientKind> {
    ClientKind::parse(name).ok_or_else(|| Error::quoting("ERR Unknown client type '", name, "'"))
}

fn client_list(
    engine: &mut Engine,
    which: Listed,
) -> Result<Written<Report, impl FnOnce(&mut Writer) + use<>>> {
    let mut clients: Vec<&Client> = engine.open_clients().map(|(_, client)| client).collect();
    sort_by_number(&mut clients, |client| client.id);
    let chosen: Vec<&Client> = match which {
        Listed::All => clients,
        Listed::OfKind(kind) => clients.into_iter().filter(|client| client.kind() == kind).collect(),
        Listed::WithIds(ids) => {
            let find = |id: &i64| clients.iter().find(|client| client.id as i64 == *id).copied();
            ids.iter().filter_map(find).collect()
        }
    };
    let mut lines = String::new();
    for client in chosen {
        let executing = engine.executing.filter(|_| client.id == engine.current().id);
        lines += &engine.client_line(client, executing);
        lines.push('\n');
    }
    Ok(Written::new(move |out| out.verbatim("txt", &lines)))
}

/// Which clients CLIENT KILL closes.
enum Victims<'a> {
    /// The one from this address: the form of old.
    From(&'a [u8]),
    /// All that fit.
    Matching(KillFilter<'a>),
}

/// The options of CLIENT KILL.
#[derive(Default)]
struct KillFilter<'a> {
    id: Option<i64>,
    kind: Option<ClientKind>,
    addr: Option<&'a [u8]>,
    laddr: Option<&'a [u8]>,
    user: Option<&'a [u8]>,
    /// Connected for at least so many seconds.
    max_age: Option<i64>,
    spares_nobody: bool,
}

impl<'a> Arg<'a> for Victims<'a> {
    const SHAPE: Shape = Shape::OneOf(&[
        Shape::Word("ip:port", Kind::Text),
        Shape::Many(&[Shape::OneOf(&[
            Shape::Group(&[Shape::Token("ID"), Shape::Word("client-id", Kind::Integer)]),
            Shape::Group(&[Shape::Token("TYPE"), KIND_SHAPE]),
            Shape::Group(&[Shape::Token("USER"), Shape::Word("username", Kind::Text)]),
            Shape::Group(&[Shape::Token("ADDR"), Shape::Word("ip:port", Kind::Text)]),
            Shape::Group(&[Shape::Token("LADDR"), Shape::Word("ip:port", Kind::Text)]),
            Shape::Group(&[Shape::Token("MAXAGE"), Shape::Word("maxage", Kind::Integer)]),
            Shape::Group(&[Shape::Token("SKIPME"), Shape::OneOf(&[Shape::Token("YES"), Shape::Token("NO")])]),
        ])]),
    ]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        if words.len() == 1 {
            return words.next().map(Victims::From);
        }
        let mut filter = KillFilter::default();
        while !words.is_empty() {
            filter.take(words)?;
        }
        Ok(Victims::Matching(filter))
    }
}

impl<'a> KillFilter<'a> {
    /// Reads one option.
    fn take(&mut self, words: &mut Words<'a>) -> Result<()> {
        if words.take_with("ID", 1) {
            let id = parse_i64(words.next()?).filter(|&id| id > 0);
            self.id = Some(id.ok_or(Error::refused("ERR client-id should be greater than 0"))?);
        } else if words.take_with("TYPE", 1) {
            self.kind = Some(parse_kind(words.next()?)?);
        } else if words.take_with("ADDR", 1) {
            self.addr = Some(words.next()?);
        } else if words.take_with("LADDR", 1) {
            self.laddr = Some(words.next()?);
        } else if words.take_with("USER", 1) {
            self.user = Some(words.next()?);
        } else if words.take_with("MAXAGE", 1) {
            let age = parse_i64(words.next()?);
            let age = age.ok_or(Error::refused("ERR maxage is not an integer or out of range"))?;
            let age = Some(age).filter(|&age| age > 0);
            self.max_age = Some(age.ok_or(Error::refused("ERR maxage should be greater than 0"))?);
        } else if words.take_with("SKIPME", 1) {
            self.spares_nobody = YesNo::parse(words)? == YesNo::No;
        } else {
            return Err(Error::Syntax);
        }
        Ok(())
    }

    fn matches(&self, client: &Client, user: Option<UserId>, now_ms: u64) -> bool {
        let age = (now_ms.saturating_sub(client.connected_ms) / 1000) as i64;
        self.id.is_none_or(|id| client.id as i64 == id)
            && self.kind.is_none_or(|kind| client.kind() == kind)
            && self.addr.is_none_or(|addr| client.origin.addr.as_bytes() == addr)
            && self.max_age.is_none_or(|least| age >= least)
            && user.is_none_or(|user| client.user == user && client.authenticated)
            && self.laddr.is_none_or(|laddr| client.origin.laddr.as_bytes() == laddr)
    }
}

fn client_kill<'a>(
    engine: &mut Engine,
    which: Victims<'a>,
) -> Result<Written<Killed, impl FnOnce(&mut Writer) + use<>>> {
    let (filter, by_address) = match which {
        Victims::From(addr) => {
            (KillFilter { addr: Some(addr), spares_nobody: true, ..Default::default() }, true)
        }
        Victims::Matching(filter) => (filter, false),
    };
    let user = match filter.user {
        None => None,
        Some(name) => {
            Some(engine.acl.find(name).ok_or_else(|| Error::quoting("ERR No such user '", name, "'"))?)
        }
    };
    let now_ms = engine.keyspace.now_ms();
    let is_victim = |(id, client): &(ClientId, &Client)| {
        filter.matches(client, user, now_ms) && (filter.spares_nobody || *id != engine.current)
    };
    let victims: Vec<ClientId> = engine.open_clients().filter(is_victim).map(|(id, _)| id).collect();
    if by_address && victims.is_empty() {
        return Err(Error::refused("ERR No such client"));
    }
    for &id in &victims {
        engine.close(id);
        // Whoever fetches nothing must not stay for what it was to be sent.
        if id != engine.current {
            engine.forget_buffers(id);
        }
    }
    Ok(Written::new(move |out| if by_address { out.ok() } else { out.integer(victims.len() as i64) }))
}

one_of! {
    /// A switch.
    pub(super) enum OnOff { "ON" = On, "OFF" = Off }
}

one_of! {
    /// A switch of another kind.
    pub(super) enum YesNo { "YES" = Yes, "NO" = No }
}

one_of! {
    /// What CLIENT REPLY takes.
    enum ReplyMode { "ON" = On, "OFF" = Off, "SKIP" = Skip }
}

fn client_reply(
    engine: &mut Engine,
    mode: ReplyMode,
) -> Result<Written<MaybeOk, impl FnOnce(&mut Writer) + use<>>> {
    let replies = &mut engine.current_mut().replies;
    *replies = match mode {
        ReplyMode::On => Replies::On,
        ReplyMode::Off => Replies::Off,
        ReplyMode::Skip if *replies == Replies::Off => Replies::Off,
        ReplyMode::Skip => Replies::SkipNext,
    };
    Ok(Written::new(move |out| {
        if mode == ReplyMode::On {
            out.ok();
        }
    }))
}

fn client_no_evict(engine: &mut Engine, enabled: OnOff) -> Result<Done> {
    engine.current_mut().no_evict = enabled == OnOff::On;
    Ok(Done)
}

fn client_no_touch(engine: &mut Engine, enabled: OnOff) -> Result<Done> {
    let no_touch = enabled == OnOff::On;
    engine.current_mut().no_touch = no_touch;
    engine.keyspace.keeps_clocks = no_touch;
    Ok(Done)
}

fn client_help(_: &mut Engine) -> Result<HelpLines> {
    Ok(help("CLIENT", COMMANDS))
}

impl Engine {
    /// Clients that are not about to be closed.
    fn open_clients(&self) -> impl Iterator<Item = (ClientId, &Client)> {
        self.clients.iter().filter(|(_, client)| !client.closing)
    }

    /// A client as CLIENT LIST shows it; `executing` commands while its EXEC runs.
    pub(super) fn client_line(&self, client: &Client, executing: Option<usize>) -> String {
        let now_ms = self.keyspace.now_ms();
        let seconds_since = |then_ms: u64| now_ms.saturating_sub(then_ms) / 1000;
        let queued = client.transaction.as_ref();
        let multi = queued.map(|it| it.len()).or(executing).map_or(-1, |len| len as i64);
        let qbuf = client.pending_query();
        let qbuf_room = client.query.capacity().max(qbuf);
        let (out, out_room) = (client.pending_output(), client.out.capacity());
        let multi_mem = queued.map_or(0, |it| it.bytes());
        let mut line = String::new();
        let _ = write!(
            line,
            "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={} sub={} psub={} ssub={} multi={multi} \
             qbuf={qbuf} qbuf-free={} argv-mem=0 multi-mem={multi_mem} rbs={out_room} rbp={out_room} obl=0 oll={} omem={out} \
             tot-mem={} events=r cmd={} user={} redir={} resp={} lib-name={} lib-ver={}",
            client.id,
            client.origin.addr,
            client.origin.laddr,
            client.origin.fd,
            String::from_utf8_lossy(&client.name),
            seconds_since(client.connected_ms),
            seconds_since(client.active_ms),
            client.flags(executing.is_some()),
            client.db,
            client.subscriptions.len(Space::Channel),
            client.subscriptions.len(Space::Pattern),
            client.subscriptions.len(Space::Shard),
            qbuf_room - qbuf,
            usize::from(out > 0),
            client.memory(),
            client.last_command.map_or("NULL", |known| self.table.name(known)),
            String::from_utf8_lossy(self.acl.name(client.user)),
            client.tracking.as_ref().map_or(-1, |tracking| tracking.redirect()),
            if client.version == Version::V2 { 2 } else { 3 },
            String::from_utf8_lossy(&client.library.0),
            String::from_utf8_lossy(&client.library.1),
        );
        line
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::engine::{Config, testing::Session};

    #[test]
    fn a_line_of_client_list_has_the_fields_in_order() {
        let mut session = Session::new();
        let client = session.connect();
        session.now_ms += 2500;
        session.run(client, "CLIENT SETNAME ada\nSELECT 3\nSUBSCRIBE a b\nPSUBSCRIBE p\nHELLO 3");
        session.run(client, "UNSUBSCRIBE\nPUNSUBSCRIBE\nHELLO 3\nSUBSCRIBE a b\nPSUBSCRIBE p\nSSUBSCRIBE s");
        session.run(
            client,
            "CLIENT SETINFO lib-name me\nCLIENT SETINFO LIB-VER 1.2\nCLIENT NO-EVICT ON\nMULTI\nPING",
        );
        let line = session.ask("CLIENT LIST TYPE pubsub");
        for part in [
            "id=1 addr=127.0.0.1:5001 laddr=127.0.0.1:6379 fd=8 name=ada age=2 idle=0 flags=Pxe db=3 sub=2 psub=1 ssub=1 multi=1 qbuf=0 ",
            " multi-mem=4 ",
            " events=r cmd=ping user=default redir=-1 resp=3 lib-name=me lib-ver=1.2\n",
        ] {
            assert!(line.contains(part), "{line}");
        }
    }

    #[test]
    fn a_password_is_asked_for_when_there_is_one() {
        let mut session = Session::with(Config { requirepass: b"secret".to_vec(), ..Config::default() });
        let client = session.connect();
        for (line, reply) in [
            ("PING", "-NOAUTH Authentication required."),
            ("EXEC", "-EXECABORT Transaction discarded because of: NOAUTH Authentication required."),
            ("NOTHING", "-ERR unknown command 'NOTHING', with args beginning with: "),
            ("AUTH wrong", "-WRONGPASS invalid username-password pair or user is disabled."),
            ("AUTH somebody secret", "-WRONGPASS invalid username-password pair or user is disabled."),
            ("AUTH default secret", "+OK"),
            ("PING", "+PONG"),
            ("AUTH wrong", "-WRONGPASS invalid username-password pair or user is disabled."),
            ("PING", "+PONG"),
            ("RESET", "+RESET"),
            ("PING", "-NOAUTH Authentication required."),
            ("AUTH secret", "+OK"),
        ] {
            assert_eq!(session.run(client, line), format!("{reply}\r\n").as_bytes(), "{line}");
        }
        let long = "x".repeat(20_000);
        assert!(
            session
                .ask_once(&format!("*2\r\n$4\r\nECHO\r\n$20000\r\n{long}"))
                .contains("unauthenticated bulk length")
        );
        let authenticated = session.ask_once(&format!("AUTH secret\n*2\r\n$4\r\nECHO\r\n$20000\r\n{long}"));
        assert!(authenticated.starts_with("+OK\r\n$20000\r\n"), "a password lifts the limits at once");
        let refused = session.ask_once("HELLO 3 SETNAME x");
        assert!(refused.starts_with("-NOAUTH HELLO must be called"), "{refused}");
        let greeted = session.ask_once("HELLO 3 AUTH default secret SETNAME x\nCLIENT GETNAME");
        assert!(greeted.starts_with("%7\r\n") && greeted.ends_with("$1\r\nx\r\n"), "{greeted}");
    }

    #[test]
    fn replies_are_taken_back_as_asked_for() {
        let mut session = Session::new();
        let client = session.connect();
        for (lines, replies) in [
            ("CLIENT REPLY SKIP\nPING\nPING one", "$3\r\none\r\n"),
            ("CLIENT REPLY OFF\nPING\nCLIENT REPLY SKIP\nNOTHING\nCLIENT REPLY ON", "+OK\r\n"),
            ("CLIENT REPLY SKIP\nCLIENT REPLY SKIP\nPING\nPING", "+PONG\r\n"),
            ("CLIENT REPLY OFF\nRESET", "+RESET\r\n"),
            ("PING", "+PONG\r\n"),
        ] {
            assert_eq!(session.run(client, lines), replies.as_bytes(), "{lines}");
        }
    }

    #[test]
    fn who_is_killed_is_gone_at_once_and_its_shell_is_told() {
        let mut session = Session::new();
        let (victim, killer) = (session.connect(), session.connect());
        session.run(victim, "SUBSCRIBE c");
        assert_eq!(
            session.run(killer, "CLIENT KILL TYPE pubsub\nPUBLISH c m\nCLIENT LIST ID 1"),
            b":1\r\n:0\r\n$0\r\n\r\n"
        );
        assert!(session.engine.is_closing(victim) && session.engine.next_ready() == Some(victim));
        assert_eq!(session.run(killer, "CLIENT KILL 127.0.0.1:5001"), b"-ERR No such client\r\n");
        assert_eq!(session.run(killer, "CLIENT KILL 127.0.0.1:5002\nPING"), b"+OK\r\n");
        assert!(session.engine.is_closing(killer));
    }

    #[test]
    fn who_is_connected_for_long_is_killed_by_age() {
        let mut session = Session::new();
        let old = session.connect();
        session.now_ms += 10_000;
        let killer = session.connect();
        for (line, reply) in [
            ("CLIENT KILL MAXAGE 0", "-ERR maxage should be greater than 0\r\n"),
            ("CLIENT KILL MAXAGE x", "-ERR maxage is not an integer or out of range\r\n"),
            ("CLIENT KILL MAXAGE 11", ":0\r\n"),
            ("CLIENT KILL MAXAGE 10 SKIPME no", ":1\r\n"),
        ] {
            assert_eq!(session.run(killer, line), reply.as_bytes(), "{line}");
        }
        assert!(session.engine.is_closing(old) && !session.engine.is_closing(killer));
    }

    #[test]
    fn who_asks_for_more_than_may_wait_is_closed_and_nobody_else() {
        let mut session = Session::new();
        let other = session.connect();
        session.run(other, "CONFIG SET client-query-buffer-limit 1mb");
        let begun = session.connect();
        session.engine.receive(begun, b"*2\r\n$4\r\nECHO\r\n$9000000\r\n", 0);
        session.engine.receive(begun, &[b'x'; (1 << 20) - 100], 0);
        assert!(!session.engine.is_closing(begun));
        session.engine.receive(begun, &[b'x'; 100], 0);
        assert!(session.engine.is_closing(begun), "of one request");
        let queues = session.connect();
        session.run(queues, "MULTI");
        let sets = (0..1_000_000).take_while(|_| {
            !session.engine.is_closing(queues) && {
                session.run(queues, "SET k v");
                true
            }
        });
        assert!(sets.count() < 20_000, "of those that are queued");
        let waits = session.connect();
        session.run(waits, "BLPOP none 0");
        let pings = (0..1_000_000).take_while(|_| {
            !session.engine.is_closing(waits) && {
                session.run(waits, "PING");
                true
            }
        });
        assert!(pings.count() < 500_000, "of those that come while it waits");
        assert_eq!(session.run(other, "GET k"), b"$-1\r\n");
    }

    #[test]
    fn help_is_made_of_the_rows() {
        let lines = session_help();
        for line in [
            "CLIENT <subcommand> [<argument> ...]. The subcommands:",
            "SETNAME name",
            "    Names this connection.",
            "LIST [TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]]",
            "REPLY <ON | OFF | SKIP>",
            "HELP",
        ] {
            assert!(lines.iter().any(|found| found == line), "{line}: {lines:?}");
        }
    }

    fn session_help() -> Vec<String> {
        let reply = Session::new().ask("CLIENT HELP");
        reply.lines().skip(1).map(|line| line[1..].into()).collect()
    }
}
