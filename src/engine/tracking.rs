//! CLIENT TRACKING: clients that keep copies of what they read are told which keys are not what they were. Keys are known
//! by their names alone, whatever their database, and an answer may be one too many, never one too few.

use alloc::{boxed::Box, format, vec::Vec};
use core::mem;

use super::{
    ClientId, Engine,
    connection::{OnOff, YesNo},
    dispatch::Known,
};
use crate::{
    Error, Result,
    commands::{
        Command, Flags, Kind, Shape,
        args::{Arg, Words},
        reply::{Done, Written, typed},
        spec::commands,
    },
    data::{
        containers::ordered::{OrderedMap, OrderedSet},
        number::parse_i64,
    },
    keyspace::{Effects, Event, Sweep, Touch},
    resp::{Version, Writer},
};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "connection";
    /// Tells this connection, or another one, when keys change that it has read, or that begin with a prefix.
    "CLIENT TRACKING" = client_tracking(enabled, options) since "6.0.0" [NOSCRIPT LOADING STALE] O("1). Some options may introduce additional complexity");
    /// Says of the next command whether the keys it reads are tracked.
    "CLIENT CACHING" = client_caching(enabled) since "6.0.0" [NOSCRIPT LOADING STALE] O("1");
    /// Returns the number of the connection that is told in place of this one: 0 for none, -1 when nothing is tracked.
    "CLIENT GETREDIR" = client_getredir() since "6.0.0" [NOSCRIPT LOADING STALE] O("1");
    /// Returns how this connection is told of changes.
    "CLIENT TRACKINGINFO" = client_trackinginfo() since "6.2.0" [NOSCRIPT LOADING STALE] O("1");
};

typed! {
    /// What CLIENT TRACKINGINFO tells.
    TrackingInfo = "Record<string, unknown>";
}

/// The channel of those who are told under RESP2.
const CHANNEL: &[u8] = b"__redis__:invalidate";

/// How a client is told.
#[derive(Clone, Debug, Default)]
pub struct Tracking {
    /// The number of the client that is told in its place; 0 for itself.
    redirect: i64,
    bcast: bool,
    optin: bool,
    optout: bool,
    noloop: bool,
    /// With `bcast`, what the keys begin with.
    prefixes: Vec<Vec<u8>>,
    /// CLIENT CACHING was asked for the next command.
    caching: bool,
    /// The client that is to be told is gone.
    is_broken: bool,
}

impl Tracking {
    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        let prefixes = self.prefixes.iter().map(|prefix| size_of::<Vec<u8>>() + prefix.capacity());
        size_of::<Tracking>() + prefixes.sum::<usize>()
    }

    /// The letters in CLIENT LIST: broadcast, and a broken redirection.
    pub fn flags(&self) -> (bool, bool) {
        (self.bcast, self.is_broken)
    }

    /// The number of the client that is told in its place; 0 for itself.
    pub fn redirect(&self) -> i64 {
        self.redirect
    }

    /// Whether the keys that the next command reads are remembered.
    fn remembers(&self) -> bool {
        match (self.optin, self.optout) {
            _ if self.bcast => false,
            (true, _) => self.caching,
            (_, true) => !self.caching,
            _ => true,
        }
    }
}

/// Who is told of what.
#[derive(Default)]
pub struct Table {
    /// Who has read a key. Those who are gone since are left out when it changes.
    keys: OrderedMap<Box<[u8]>, OrderedSet<Reader>>,
    items: usize,
    /// Who is told of all keys that begin so.
    prefixes: OrderedMap<Vec<u8>, OrderedSet<ClientId>>,
    /// How many clients track.
    clients: usize,
}

/// A client by its place and by the number that is never given twice.
type Reader = (ClientId, u64);

impl Table {
    /// Whether nobody is told of anything.
    pub fn is_empty(&self) -> bool {
        self.clients == 0
    }

    /// Clients that track, keys that they read, readers of all keys together, and prefixes.
    pub fn counts(&self) -> [usize; 4] {
        [self.clients, self.keys.len(), self.items, self.prefixes.len()]
    }

    fn remember(&mut self, key: &[u8], reader: Reader) {
        let readers = match self.keys.get_mut(key) {
            Some(readers) => readers,
            None => self.keys.get_or_default(key.into()),
        };
        self.items += readers.insert(reader) as usize;
    }

    fn forget(&mut self, key: &[u8]) -> OrderedSet<Reader> {
        let readers = self.keys.remove(key).unwrap_or_default();
        self.items -= readers.len();
        readers
    }
}

impl Arg<'_> for Tracking {
    const SHAPE: Shape = Shape::Options(&[
        Shape::Group(&[Shape::Token("REDIRECT"), Shape::Word("client-id", Kind::Integer)]),
        Shape::Many(&[Shape::Group(&[Shape::Token("PREFIX"), Shape::Word("prefix", Kind::Text)])]),
        Shape::Token("BCAST"),
        Shape::Token("OPTIN"),
        Shape::Token("OPTOUT"),
        Shape::Token("NOLOOP"),
    ]);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        let mut this = Tracking::default();
        while !words.is_empty() {
            if words.take_with("REDIRECT", 1) {
                if this.redirect != 0 {
                    return Err(Error::refused("ERR A client can only redirect to a single other client"));
                }
                this.redirect = parse_i64(words.next()?).ok_or(Error::NotInteger)?;
            } else if words.take_with("PREFIX", 1) {
                this.prefixes.push(words.next()?.to_vec());
            } else if words.take("BCAST") {
                this.bcast = true;
            } else if words.take("OPTIN") {
                this.optin = true;
            } else if words.take("OPTOUT") {
                this.optout = true;
            } else if words.take("NOLOOP") {
                this.noloop = true;
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(this)
    }
}

impl Tracking {
    /// Refuses options that do not go together, or not with what is on already.
    fn check(&self, old: Option<&Tracking>) -> Result<()> {
        let differs = |both: fn(&Tracking) -> bool| old.is_some_and(|old| both(old) != both(self));
        let switched = |a: bool, b: fn(&Tracking) -> bool| a && old.is_some_and(b);
        if !self.bcast && !self.prefixes.is_empty() {
            Err(Error::refused("ERR PREFIX option requires BCAST mode to be enabled"))
        } else if differs(|it| it.bcast) {
            Err(Error::refused(
                "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.",
            ))
        } else if self.bcast && (self.optin || self.optout) {
            Err(Error::refused("ERR OPTIN and OPTOUT are not compatible with BCAST"))
        } else if self.optin && self.optout {
            Err(Error::refused("ERR You can't specify both OPTIN mode and OPTOUT mode"))
        } else if switched(self.optin, |old| old.optout) || switched(self.optout, |old| old.optin) {
            Err(Error::refused(
                "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode.",
            ))
        } else {
            self.check_prefixes(old)
        }
    }

    /// Refuses prefixes under which one key would be told twice.
    fn check_prefixes(&self, old: Option<&Tracking>) -> Result<()> {
        let overlap = |a: &[u8], b: &[u8]| a.starts_with(b) || b.starts_with(a);
        for (i, prefix) in self.prefixes.iter().enumerate() {
            let mut before = old.into_iter().flat_map(|old| &old.prefixes);
            let (other, which) = match before.find(|other| *other != prefix && overlap(other, prefix)) {
                Some(other) => (other, "an existing"),
                None => match self.prefixes[i + 1..].iter().find(|other| overlap(other, prefix)) {
                    Some(other) => (other, "another provided"),
                    None => continue,
                },
            };
            let overlaps = format!("' overlaps with {which} prefix '");
            let text = [
                b"ERR Prefix '",
                &prefix[..],
                overlaps.as_bytes(),
                other,
                b"'. Prefixes for a single client must not overlap.",
            ];
            return Err(Error::Quoting(text.concat()));
        }
        Ok(())
    }
}

fn client_tracking(engine: &mut Engine, enabled: OnOff, mut options: Tracking) -> Result<Done> {
    let (id, redirect) = (engine.current, options.redirect);
    if redirect != 0 && engine.client_numbered(redirect).is_none() {
        return Err(Error::refused("ERR The client ID you want redirect to does not exist"));
    }
    if enabled == OnOff::Off {
        engine.stop_tracking(id);
        return Ok(Done);
    }
    options.check(engine.current().tracking.as_deref())?;
    let old = engine.current_mut().tracking.take();
    engine.tracking.clients += old.is_none() as usize;
    if options.bcast {
        if options.prefixes.is_empty() {
            options.prefixes.push(Vec::new());
        }
        for prefix in &options.prefixes {
            engine.tracking.prefixes.get_or_default(prefix.clone()).insert(id);
        }
        options.prefixes.extend(old.map(|old| old.prefixes).unwrap_or_default());
        options.prefixes.sort();
        options.prefixes.dedup();
    }
    engine.current_mut().tracking = Some(Box::new(options));
    engine.refresh_interests();
    Ok(Done)
}

fn client_caching(engine: &mut Engine, enabled: YesNo) -> Result<Done> {
    let tracking = engine.current_mut().tracking.as_mut().ok_or(Error::refused(
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
    ))?;
    match enabled {
        YesNo::Yes if !tracking.optin => Err(Error::refused(
            "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.",
        )),
        YesNo::No if !tracking.optout => Err(Error::refused(
            "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.",
        )),
        _ => {
            tracking.caching = true;
            Ok(Done)
        }
    }
}

fn client_getredir(engine: &mut Engine) -> Result<i64> {
    Ok(engine.current().tracking.as_ref().map_or(-1, |tracking| tracking.redirect))
}

fn client_trackinginfo(
    engine: &mut Engine,
) -> Result<Written<TrackingInfo, impl FnOnce(&mut Writer) + use<>>> {
    let tracking = engine.current().tracking.clone();
    Ok(Written::new(move |out| {
        let is_on = tracking.is_some();
        let redirect = tracking.as_ref().map_or(-1, |tracking| tracking.redirect);
        let it = tracking.map_or_else(Tracking::default, |tracking| *tracking);
        let flags = [
            ("off", !is_on),
            ("on", is_on),
            ("bcast", it.bcast),
            ("optin", it.optin),
            ("caching-yes", it.optin && it.caching),
            ("optout", it.optout),
            ("caching-no", it.optout && it.caching),
            ("noloop", it.noloop),
            ("broken_redirect", it.is_broken),
        ];
        let flags: Vec<&str> = flags.iter().filter(|(_, is_set)| *is_set).map(|(name, _)| *name).collect();
        out.map(3);
        out.bulk(b"flags");
        out.set(flags.len());
        flags.iter().for_each(|flag| out.bulk(flag.as_bytes()));
        out.bulk(b"redirect");
        out.integer(redirect);
        out.bulk(b"prefixes");
        out.array(it.prefixes.len());
        it.prefixes.iter().for_each(|prefix| out.bulk(prefix));
    }))
}

/// What a client is told of.
enum News<'n> {
    Keys(&'n [&'n [u8]]),
    Everything,
}

impl Engine {
    /// The client with that number, if it is connected.
    fn client_numbered(&self, number: i64) -> Option<ClientId> {
        let mut open = self.clients.iter().filter(|(_, client)| !client.closing);
        open.find(|(_, client)| client.id as i64 == number).map(|(id, _)| id)
    }

    /// Remembers the keys that the current client has read with a command.
    pub(super) fn track_reads(&mut self, known: Known, words: &[&[u8]]) {
        let id = self.current;
        let spec = self.table.spec(known);
        let in_exec = self.executing.is_some();
        let client = self.current_mut();
        let number = client.id;
        let Some(tracking) = client.tracking.as_mut() else { return };
        let remembers = tracking.remembers();
        // It is for one command, or for one transaction.
        if !spec.name.starts_with("CLIENT ") && !in_exec && client.transaction.is_none() {
            tracking.caching = false;
        }
        if !remembers || !spec.flags.has(Flags::READONLY) {
            return;
        }
        if in_exec {
            self.invalidate_before_read();
        }
        for found in spec.find_keys(words).unwrap_or_default() {
            self.tracking.remember(words[found.at], (id, number));
        }
        self.limit_tracking();
    }

    /// Forgets keys as there are more than may be remembered; who has read them is told, as they may change from now on.
    pub(super) fn limit_tracking(&mut self) {
        let most = self.config.tracking_table_max_keys;
        while most > 0 && self.tracking.keys.len() > most {
            let Some(key) = self.tracking.keys.keys().next().cloned() else { break };
            self.invalidate_key(&key, None);
        }
    }

    /// Tells those who have read keys that changed, and those who want to hear of keys like them.
    pub(super) fn invalidate(&mut self, effects: &Effects) {
        if self.tracking.is_empty() {
            return;
        }
        self.invalidate_read(effects);
        let mut told: OrderedMap<(ClientId, Vec<u8>), OrderedSet<&[u8]>> = OrderedMap::new();
        for touch in effects.touches().iter().filter(|touch| touch.event.is_change()) {
            let (key, by) = (effects.key(touch), self.who_asked(touch));
            for (prefix, ids) in self.tracking.prefixes.iter().filter(|(prefix, _)| key.starts_with(prefix)) {
                let spared = |id: ClientId| {
                    let tracking = self.clients.get(id).and_then(|client| client.tracking.as_ref());
                    by == Some(id) && tracking.is_some_and(|tracking| tracking.noloop)
                };
                for &id in ids.iter().filter(|id| !spared(**id)) {
                    told.get_or_default((id, prefix.clone())).insert(key);
                }
            }
        }
        for ((id, _), keys) in told {
            let keys: Vec<&[u8]> = keys.into_iter().collect();
            self.tell_of(id, News::Keys(&keys));
        }
        if effects.sweeps().iter().any(|sweep| matches!(sweep, Sweep::Flushed(_))) {
            self.invalidate_everything();
        }
    }

    /// Tells those who have read keys that changed since the last time.
    fn invalidate_read(&mut self, effects: &Effects) {
        for touch in effects.untold().iter().filter(|touch| touch.event.is_change()) {
            self.invalidate_key(effects.key(touch), self.who_asked(touch));
        }
    }

    /// The same within EXEC or a script: whoever reads a key now has read what became of it.
    fn invalidate_before_read(&mut self) {
        let mut effects = mem::take(&mut self.keyspace.effects);
        self.invalidate_read(&effects);
        effects.mark_told();
        self.keyspace.effects = effects;
    }

    /// Whose command changed a key; nobody asked for it to expire.
    fn who_asked(&self, touch: &Touch) -> Option<ClientId> {
        (!matches!(touch.event, Event::Expired | Event::Evicted)).then_some(self.current)
    }

    fn invalidate_everything(&mut self) {
        self.tracking.keys.clear();
        self.tracking.items = 0;
        let tracks = self.clients.iter().filter(|(_, client)| client.tracking.is_some());
        let ids: Vec<ClientId> = tracks.map(|(id, _)| id).collect();
        ids.into_iter().for_each(|id| self.tell_of(id, News::Everything));
    }

    fn invalidate_key(&mut self, key: &[u8], by: Option<ClientId>) {
        if !self.tracking.keys.contains_key(key) {
            return;
        }
        for (id, number) in self.tracking.forget(key) {
            let Some(client) = self.clients.get(id).filter(|client| client.id == number) else { continue };
            let Some(tracking) = client.tracking.as_ref().filter(|tracking| !tracking.bcast) else {
                continue;
            };
            if !(tracking.noloop && by == Some(id)) {
                self.tell_of(id, News::Keys(&[key]));
            }
        }
    }

    /// Tells a client, or the one it redirects to.
    fn tell_of(&mut self, id: ClientId, news: News) {
        let redirect =
            self.clients.get(id).and_then(|client| client.tracking.as_ref()).map_or(0, |it| it.redirect);
        let mut receiver = id;
        if redirect != 0 {
            let Some(other) = self.client_numbered(redirect) else {
                return self.break_redirect(id, redirect);
            };
            receiver = other;
        }
        let Some(client) = self.clients.get(receiver) else { return };
        let mut message = Vec::new();
        let mut out = Writer::new(&mut message, client.version);
        match client.version {
            Version::V3 => {
                out.push(2);
                out.bulk(b"invalidate");
            }
            Version::V2 if redirect != 0 && client.is_subscriber() => {
                out.push(3);
                out.bulk(b"message");
                out.bulk(CHANNEL);
            }
            Version::V2 => return,
        }
        match news {
            News::Everything => out.null(),
            News::Keys(keys) => {
                out.array(keys.len());
                keys.iter().for_each(|key| out.bulk(key));
            }
        }
        self.clients.tell(receiver, &message);
    }

    fn break_redirect(&mut self, id: ClientId, redirect: i64) {
        let Some(client) = self.clients.get_mut(id) else { return };
        if let Some(tracking) = client.tracking.as_mut() {
            tracking.is_broken = true;
        }
        if client.version == Version::V3 {
            let mut message = Vec::new();
            let mut out = Writer::new(&mut message, Version::V3);
            out.push(2);
            out.bulk(b"tracking-redir-broken");
            out.integer(redirect);
            self.clients.send(id, |_| &message);
        }
    }

    /// Has a client be told of nothing any more. The keys that it read are forgotten as they change.
    pub(super) fn stop_tracking(&mut self, id: ClientId) {
        let Some(tracking) = self.clients.get_mut(id).and_then(|client| mem::take(&mut client.tracking))
        else {
            return;
        };
        self.tracking.clients -= 1;
        for prefix in &tracking.prefixes {
            let Some(ids) = self.tracking.prefixes.get_mut(prefix) else { continue };
            ids.remove(&id);
            if ids.is_empty() {
                self.tracking.prefixes.remove(prefix);
            }
        }
        if self.tracking.is_empty() {
            self.tracking = Table::default();
        }
        self.refresh_interests();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::testing::{Session, bytes};

    fn invalidated(key: &str) -> Vec<u8> {
        format!(">2\r\n$10\r\ninvalidate\r\n*1\r\n${}\r\n{key}\r\n", key.len()).into_bytes()
    }

    #[test]
    fn another_connection_is_told_in_its_place_also_under_resp2() {
        let mut session = Session::new();
        let (listener, reader) = (session.connect(), session.connect());
        session.run(listener, "SUBSCRIBE __redis__:invalidate");
        assert_eq!(
            session.run(reader, "CLIENT TRACKING ON REDIRECT 1\nGET k\nCLIENT GETREDIR"),
            b"+OK\r\n$-1\r\n:1\r\n"
        );
        assert!(session.ask("CLIENT LIST ID 2").contains(" flags=t db=0 "));
        session.ask("SET k 1\nFLUSHALL");
        let mut heard = b"*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1\r\nk\r\n".to_vec();
        heard.extend(b"*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n$-1\r\n");
        assert_eq!(session.output(listener), heard);
        assert_eq!(session.output(reader), b"");
    }

    #[test]
    fn who_is_told_through_one_that_is_gone_hears_of_that() {
        let mut session = Session::new();
        let (gone, reader) = (session.connect(), session.connect());
        session.run(reader, "HELLO 3\nCLIENT TRACKING ON REDIRECT 1\nGET k");
        session.engine.disconnect(gone);
        session.ask("SET k 1");
        assert_eq!(session.output(reader), b">2\r\n$21\r\ntracking-redir-broken\r\n:1\r\n");
        assert!(session.ask("CLIENT LIST ID 2").contains(" flags=tR db=0 "));
    }

    #[test]
    fn who_reads_after_a_change_of_the_same_transaction_is_told_of_later_ones_only() {
        let mut session = Session::new();
        let reader = session.connect();
        session.run(reader, "HELLO 3\nCLIENT TRACKING ON");
        let replies = session.run(reader, "MULTI\nSET k 1\nGET k\nEXEC");
        assert!(replies.ends_with(b"*2\r\n+OK\r\n$1\r\n1\r\n"), "{}", replies.escape_ascii());
        session.ask("SET k 2");
        assert_eq!(session.output(reader), invalidated("k"));
        let replies = session.run(reader, "MULTI\nGET k\nSET k 3\nGET k\nEXEC");
        assert!(replies.ends_with(&invalidated("k")), "{}", replies.escape_ascii());
        session.run(reader, "MULTI\nSET k 4\nGET k\nCLIENT TRACKING OFF\nEXEC\nSET k 5");
    }

    #[test]
    fn a_key_that_expires_is_told_of_also_with_noloop() {
        let mut session = Session::new();
        let reader = session.connect();
        session.run(reader, "HELLO 3\nSET k v PX 100\nCLIENT TRACKING ON NOLOOP\nGET k");
        session.wait(100);
        assert_eq!(session.output(reader), invalidated("k"));
    }

    #[test]
    fn the_table_has_a_limit_and_whoever_is_forgotten_is_told() {
        let mut session = Session::new();
        let reader = session.connect();
        session.run(reader, "HELLO 3\nCONFIG SET tracking-table-max-keys 2\nCLIENT TRACKING ON");
        session.run(reader, "GET a\nGET b");
        let told = session.run(reader, "GET c");
        assert!(told.ends_with(&invalidated("a")), "{}", told.escape_ascii());
        let info = session.ask("INFO");
        for line in ["tracking_clients:1", "tracking_total_keys:2", "tracking_total_items:2"] {
            assert!(info.contains(line), "{line}");
        }
    }

    #[test]
    fn nothing_is_left_of_those_who_leave() {
        let mut session = Session::new();
        for lines in ["CLIENT TRACKING ON\nGET k", "CLIENT TRACKING ON BCAST PREFIX a PREFIX b"] {
            for end in ["CLIENT TRACKING OFF", "RESET", "QUIT"] {
                let client = session.connect();
                session.run(client, &format!("{lines}\n{end}"));
                assert_eq!(session.engine.tracking.counts(), [0; 4], "{lines} {end}");
                assert!(!session.engine.keyspace.effects.touches_wanted);
                session.engine.disconnect(client);
            }
        }
    }

    #[test]
    fn the_place_of_a_reader_who_left_says_nothing_to_the_next_one_there() {
        let mut session = Session::new();
        let (reader, other) = (session.connect(), session.connect());
        session.run(other, "CLIENT TRACKING ON");
        session.run(reader, "CLIENT TRACKING ON\nGET k");
        session.engine.disconnect(reader);
        let next = session.connect();
        session.run(next, "HELLO 3\nCLIENT TRACKING ON");
        session.run(other, "SET k 1");
        assert_eq!(session.output(next), b"");
        assert_eq!(session.run(next, "ECHO still"), bytes(&["still"])[4..]);
    }
}
