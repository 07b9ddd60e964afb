//! Publish and subscribe: messages to whoever listens to a channel at that moment. Nothing is stored, and nothing of it
//! has to do with keys; sharded channels are a namespace of their own, as there is but one shard.

use alloc::{boxed::Box, format, vec::Vec};

use super::{ClientId, Engine, client::Clients};
use crate::{
    Error, Result,
    commands::{
        Command, Shape,
        args::{Arg, Channel, Key, Keys, Pattern, Rest, Text, Words},
        help::{HelpLines, help},
        reply::{ManyBytes, Unknown, Written, typed},
        spec::commands,
    },
    data::{
        containers::ordered::{OrderedMap, OrderedSet},
        glob::Glob,
    },
    resp::{Version, Writer},
};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "pubsub";
    /// Listens to channels.
    "SUBSCRIBE" = subscribe(channels) since "2.0.0" [PUBSUB NOSCRIPT LOADING STALE DENYOOM] O("N) where N is the number of channels to subscribe to");
    /// Stops listening to channels, or to all of them.
    "UNSUBSCRIBE" = unsubscribe(channels) since "2.0.0" [PUBSUB NOSCRIPT LOADING STALE] O("N) where N is the number of channels to unsubscribe");
    /// Listens to every channel whose name matches a pattern.
    "PSUBSCRIBE" = psubscribe(patterns) since "2.0.0" [PUBSUB NOSCRIPT LOADING STALE DENYOOM] O("N) where N is the number of patterns to subscribe to");
    /// Stops listening to patterns, or to all of them.
    "PUNSUBSCRIBE" = punsubscribe(patterns) since "2.0.0" [PUBSUB NOSCRIPT LOADING STALE] O("N) where N is the number of patterns to unsubscribe");
    /// Listens to sharded channels.
    "SSUBSCRIBE" = ssubscribe(channels) since "7.0.0" [PUBSUB NOSCRIPT LOADING STALE DENYOOM] O("N) where N is the number of shard channels to subscribe to");
    /// Stops listening to sharded channels, or to all of them.
    "SUNSUBSCRIBE" = sunsubscribe(channels) since "7.0.0" [PUBSUB NOSCRIPT LOADING STALE] O("N) where N is the number of shard channels to unsubscribe");
    /// Sends a message to everybody who listens to a channel; returns to how many.
    "PUBLISH" = publish(channel, message) since "2.0.0" [PUBSUB LOADING STALE FAST] O("N+M) where N is the number of clients subscribed to the channel and M is the number of patterns");
    /// Sends a message to everybody who listens to a sharded channel; returns to how many.
    "SPUBLISH" = spublish(channel, message) since "7.0.0" [PUBSUB LOADING STALE FAST] O("N) where N is the number of clients subscribed to the shard channel");
    /// Returns the channels that somebody listens to.
    "PUBSUB CHANNELS" = pubsub_channels(pattern) since "2.8.0" [PUBSUB LOADING STALE] O("N) where N is the number of active channels");
    /// Returns how many clients listen to each of some channels.
    "PUBSUB NUMSUB" = pubsub_numsub(channels) since "2.8.0" [PUBSUB LOADING STALE] O("N) where N is the number of requested channels");
    /// Returns how many different patterns are listened to.
    "PUBSUB NUMPAT" = pubsub_numpat() since "2.8.0" [PUBSUB LOADING STALE] O("1");
    /// Returns the sharded channels that somebody listens to.
    "PUBSUB SHARDCHANNELS" = pubsub_shardchannels(pattern) since "7.0.0" [PUBSUB LOADING STALE] O("N) where N is the number of active shard channels");
    /// Returns how many clients listen to each of some sharded channels.
    "PUBSUB SHARDNUMSUB" = pubsub_shardnumsub(channels) since "7.0.0" [PUBSUB LOADING STALE] O("N) where N is the number of requested shard channels");
    /// Returns what the subcommands of PUBSUB do.
    "PUBSUB HELP" = pubsub_help() since "6.2.0" [LOADING STALE] O("1");
};

typed! {
    /// Names, each followed by a number.
    Counts = "(Bytes | number)[]";
}

/// The namespaces of what one can listen to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Space {
    /// Channels by name.
    Channel,
    /// Channels by pattern.
    Pattern,
    /// Sharded channels.
    Shard,
}

impl Space {
    const ALL: [Space; 3] = [Space::Channel, Space::Pattern, Space::Shard];

    /// What messages to it begin with.
    fn message(self) -> &'static [u8] {
        [&b"message"[..], b"pmessage", b"smessage"][self as usize]
    }

    /// What the answer to a subscription begins with.
    fn subscribe(self) -> &'static [u8] {
        [&b"subscribe"[..], b"psubscribe", b"ssubscribe"][self as usize]
    }

    /// What the answer to its end begins with.
    fn unsubscribe(self) -> &'static [u8] {
        [&b"unsubscribe"[..], b"punsubscribe", b"sunsubscribe"][self as usize]
    }
}

/// What one client listens to.
#[derive(Debug, Default)]
pub struct Subscriptions {
    names: [OrderedSet<Box<[u8]>>; 3],
}

impl Subscriptions {
    /// How many names of a namespace.
    pub fn len(&self, space: Space) -> usize {
        self.names[space as usize].len()
    }

    /// The names of a namespace.
    pub fn names(&self, space: Space) -> impl Iterator<Item = &[u8]> {
        self.names[space as usize].iter().map(|name| &**name)
    }

    /// Bytes of the names.
    pub fn bytes(&self) -> usize {
        self.names.iter().flatten().map(|name| size_of::<Box<[u8]>>() + name.len()).sum()
    }

    /// Whether it listens to nothing.
    pub fn is_empty(&self) -> bool {
        self.names.iter().all(OrderedSet::is_empty)
    }

    /// The number in the replies: channels and patterns are counted together, sharded channels apart.
    fn counted(&self, space: Space) -> usize {
        match space {
            Space::Shard => self.len(Space::Shard),
            _ => self.len(Space::Channel) + self.len(Space::Pattern),
        }
    }
}

/// Who listens to what. The order of names is visible, so it is that of their bytes on every machine.
#[derive(Default)]
pub struct PubSub {
    listeners: [OrderedMap<Box<[u8]>, Vec<ClientId>>; 3],
}

impl PubSub {
    /// Names that somebody listens to.
    pub fn len(&self, space: Space) -> usize {
        self.listeners[space as usize].len()
    }

    fn of(&self, space: Space, name: &[u8]) -> &[ClientId] {
        self.listeners[space as usize].get(name).map_or(&[], Vec::as_slice)
    }

    /// Adds a listener; false when it was one.
    fn insert(&mut self, space: Space, name: &[u8], id: ClientId) -> bool {
        let listeners = &mut self.listeners[space as usize];
        match listeners.get_mut(name) {
            None => listeners.insert(name.into(), [id].into()).is_none(),
            Some(ids) => ids.binary_search(&id).map_err(|at| ids.insert(at, id)).is_err(),
        }
    }

    fn remove(&mut self, space: Space, name: &[u8], id: ClientId) {
        let listeners = &mut self.listeners[space as usize];
        let Some(ids) = listeners.get_mut(name) else { return };
        ids.retain(|&other| other != id);
        if ids.is_empty() {
            listeners.remove(name);
        }
    }
}

/// A message, written at most once for each dialect.
struct Message<'m> {
    words: &'m [&'m [u8]],
    written: [Vec<u8>; 2],
}

impl<'m> Message<'m> {
    fn new(words: &'m [&'m [u8]]) -> Self {
        Message { words, written: Default::default() }
    }

    fn bytes(&mut self, version: Version) -> &[u8] {
        let out = &mut self.written[version as usize];
        if out.is_empty() {
            let mut writer = Writer::new(out, version);
            writer.push(self.words.len());
            self.words.iter().for_each(|word| writer.bulk(word));
        }
        out
    }
}

impl Engine {
    /// Sends a message to whoever listens; returns how often it was sent.
    pub(super) fn publish_to(&mut self, space: Space, channel: &[u8], text: &[u8]) -> usize {
        let Engine { pubsub, clients, .. } = self;
        let mut sent = fan_out(clients, pubsub.of(space, channel), &[space.message(), channel, text]);
        if space == Space::Channel {
            for (pattern, ids) in &pubsub.listeners[Space::Pattern as usize] {
                if Glob::new(pattern).matches(channel) {
                    sent += fan_out(clients, ids, &[Space::Pattern.message(), pattern, channel, text]);
                }
            }
        }
        sent
    }

    /// Has clients of replicas hear what clients of this server do.
    fn tell_replicas(&mut self, words: &[&[u8]]) {
        if self.replication.feeds() {
            let db = self.keyspace.selected();
            self.keyspace.effects.log_message(db, words);
        }
    }

    /// Has the current client listen to `names`, and writes a message for each.
    fn listen(&mut self, space: Space, names: &[&[u8]], out: &mut Writer) {
        for name in names {
            if self.pubsub.insert(space, name, self.current) {
                self.current_mut().subscriptions.names[space as usize].insert((*name).into());
            }
            self.write_subscription(space.subscribe(), space, Some(name), out);
        }
    }

    /// Has the current client no longer listen to `names`, or to anything, and writes a message for each.
    fn unlisten(&mut self, space: Space, names: Option<&[&[u8]]>, out: &mut Writer) {
        let all;
        let names: Vec<&[u8]> = match names {
            Some(names) => names.to_vec(),
            None => {
                all = self.current().subscriptions.names[space as usize].clone();
                all.iter().map(|name| &name[..]).collect()
            }
        };
        for name in &names {
            self.forget(self.current, space, name);
            self.write_subscription(space.unsubscribe(), space, Some(name), out);
        }
        if names.is_empty() {
            self.write_subscription(space.unsubscribe(), space, None, out);
        }
    }

    fn forget(&mut self, id: ClientId, space: Space, name: &[u8]) {
        let Some(client) = self.clients.get_mut(id) else { return };
        if client.subscriptions.names[space as usize].remove(name) {
            self.pubsub.remove(space, name, id);
        }
    }

    fn write_subscription(&self, kind: &[u8], space: Space, name: Option<&[u8]>, out: &mut Writer) {
        out.push(3);
        out.bulk(kind);
        match name {
            Some(name) => out.bulk(name),
            None => out.null(),
        }
        out.integer(self.current().subscriptions.counted(space) as i64);
    }

    /// Has a client listen to nothing any more.
    pub(super) fn unsubscribe_all(&mut self, id: ClientId) {
        let Some(client) = self.clients.get_mut(id) else { return };
        let subscriptions = core::mem::take(&mut client.subscriptions);
        for space in Space::ALL {
            for name in &subscriptions.names[space as usize] {
                self.pubsub.remove(space, name, id);
            }
        }
    }
}

/// Sends a message to clients; returns to how many.
fn fan_out(clients: &mut Clients, ids: &[ClientId], words: &[&[u8]]) -> usize {
    let mut message = Message::new(words);
    for &id in ids {
        clients.send(id, |version| message.bytes(version));
    }
    ids.len()
}

/// Messages written in the place of a reply.
type Messages<F> = Written<Unknown, F>;

fn subscribe<'c, 'a>(
    engine: &'c mut Engine,
    channels: Rest<'a, Channel<'a>>,
) -> Result<Messages<impl FnOnce(&mut Writer) + use<'c, 'a>>> {
    Ok(Written::new(move |out| engine.listen(Space::Channel, channels.words(), out)))
}

fn psubscribe<'c, 'a>(
    engine: &'c mut Engine,
    patterns: Rest<'a, Pattern<'a>>,
) -> Result<Messages<impl FnOnce(&mut Writer) + use<'c, 'a>>> {
    Ok(Written::new(move |out| engine.listen(Space::Pattern, patterns.words(), out)))
}

fn ssubscribe<'c, 'a>(
    engine: &'c mut Engine,
    channels: Keys<'a>,
) -> Result<Messages<impl FnOnce(&mut Writer) + use<'c, 'a>>> {
    if engine.executing.is_some() {
        return Err(Error::refused("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client"));
    }
    Ok(Written::new(move |out| engine.listen(Space::Shard, channels.words(), out)))
}

fn unsubscribe<'c, 'a>(
    engine: &'c mut Engine,
    channels: Option<Rest<'a, Channel<'a>>>,
) -> Result<Messages<impl FnOnce(&mut Writer) + use<'c, 'a>>> {
    Ok(Written::new(move |out| engine.unlisten(Space::Channel, channels.map(|it| it.words()), out)))
}

fn punsubscribe<'c, 'a>(
    engine: &'c mut Engine,
    patterns: Option<Rest<'a, Pattern<'a>>>,
) -> Result<Messages<impl FnOnce(&mut Writer) + use<'c, 'a>>> {
    Ok(Written::new(move |out| engine.unlisten(Space::Pattern, patterns.map(|it| it.words()), out)))
}

fn sunsubscribe<'c, 'a>(
    engine: &'c mut Engine,
    channels: Option<Keys<'a>>,
) -> Result<Messages<impl FnOnce(&mut Writer) + use<'c, 'a>>> {
    Ok(Written::new(move |out| engine.unlisten(Space::Shard, channels.map(|it| it.words()), out)))
}

fn publish(engine: &mut Engine, channel: Channel, message: Text) -> Result<usize> {
    engine.tell_replicas(&[b"PUBLISH", channel.0, message.0]);
    Ok(engine.publish_to(Space::Channel, channel.0, message.0))
}

fn spublish(engine: &mut Engine, channel: Key, message: Text) -> Result<usize> {
    engine.tell_replicas(&[b"SPUBLISH", channel.0, message.0]);
    Ok(engine.publish_to(Space::Shard, channel.0, message.0))
}

/// A pattern, or none; more words are refused in words of their own.
struct OnePattern<'a, const SHARD: bool>(Option<Pattern<'a>>);

impl<'a, const SHARD: bool> Arg<'a> for OnePattern<'a, SHARD> {
    const SHAPE: Shape = Shape::Maybe(&Pattern::SHAPE);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        let name = if SHARD { "SHARDCHANNELS" } else { "CHANNELS" };
        match words.len() {
            0 => Ok(OnePattern(None)),
            1 => Pattern::parse(words).map(|pattern| OnePattern(Some(pattern))),
            _ => Err(format!(
                "ERR unknown subcommand or wrong number of arguments for '{name}'. Try PUBSUB HELP."
            )
            .into()),
        }
    }
}

fn pubsub_channels<'c, 'a>(
    engine: &'c mut Engine,
    pattern: OnePattern<'a, false>,
) -> Result<Written<ManyBytes, impl FnOnce(&mut Writer) + use<'c, 'a>>> {
    Ok(names(engine, Space::Channel, pattern.0))
}

fn pubsub_shardchannels<'c, 'a>(
    engine: &'c mut Engine,
    pattern: OnePattern<'a, true>,
) -> Result<Written<ManyBytes, impl FnOnce(&mut Writer) + use<'c, 'a>>> {
    Ok(names(engine, Space::Shard, pattern.0))
}

fn names<'c, 'a>(
    engine: &'c Engine,
    space: Space,
    pattern: Option<Pattern<'a>>,
) -> Written<ManyBytes, impl FnOnce(&mut Writer) + use<'c, 'a>> {
    let glob = pattern.map(|pattern| Glob::new(pattern.0));
    let names = engine.pubsub.listeners[space as usize].keys();
    Written::new(move |out| {
        out.counted(Writer::array, |out| {
            names.filter(|name| glob.is_none_or(|glob| glob.matches(name))).map(|name| out.bulk(name)).count()
        });
    })
}

fn pubsub_numsub<'c, 'a>(
    engine: &'c mut Engine,
    channels: Option<Rest<'a, Channel<'a>>>,
) -> Result<Written<Counts, impl FnOnce(&mut Writer) + use<'c, 'a>>> {
    Ok(counts(engine, Space::Channel, channels))
}

fn pubsub_shardnumsub<'c, 'a>(
    engine: &'c mut Engine,
    channels: Option<Rest<'a, Channel<'a>>>,
) -> Result<Written<Counts, impl FnOnce(&mut Writer) + use<'c, 'a>>> {
    Ok(counts(engine, Space::Shard, channels))
}

fn counts<'c, 'a>(
    engine: &'c Engine,
    space: Space,
    channels: Option<Rest<'a, Channel<'a>>>,
) -> Written<Counts, impl FnOnce(&mut Writer) + use<'c, 'a>> {
    let channels = channels.map_or(&[][..], |channels| channels.words());
    Written::new(move |out| {
        out.array(2 * channels.len());
        for channel in channels {
            out.bulk(channel);
            out.integer(engine.pubsub.of(space, channel).len() as i64);
        }
    })
}

fn pubsub_numpat(engine: &mut Engine) -> Result<usize> {
    Ok(engine.pubsub.len(Space::Pattern))
}

fn pubsub_help(_: &mut Engine) -> Result<HelpLines> {
    Ok(help("PUBSUB", COMMANDS))
}

#[cfg(test)]
mod tests {
    use crate::engine::testing::{Session, bytes};

    #[test]
    fn a_message_reaches_channels_and_patterns_in_each_dialect() {
        let mut session = Session::new();
        let (old, new, publisher) = (session.connect(), session.connect(), session.connect());
        session.run(old, "SUBSCRIBE news");
        session.run(new, "HELLO 3\nPSUBSCRIBE n* x*");
        assert_eq!(session.run(publisher, "PUBLISH news hi"), b":2\r\n");
        assert_eq!(session.output(old), bytes(&["message", "news", "hi"]));
        assert_eq!(session.output(new), b">4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$2\r\nhi\r\n");
    }

    #[test]
    fn the_shell_is_told_once_whom_to_look_at() {
        let mut session = Session::new();
        let (listener, publisher) = (session.connect(), session.connect());
        session.run(listener, "SUBSCRIBE news");
        while session.engine.next_ready().is_some() {}
        session.run(publisher, "PUBLISH news 1\nPUBLISH news 2");
        assert_eq!(session.engine.next_ready(), Some(listener));
        assert_eq!(session.engine.next_ready(), None);
    }

    #[test]
    fn a_message_to_oneself_follows_the_reply_and_stays_out_of_exec() {
        let mut session = Session::new();
        let client = session.connect();
        session.run(client, "HELLO 3\nSUBSCRIBE c");
        let message = ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n";
        assert_eq!(
            session.run(client, "PING\nPUBLISH c m\nPING"),
            alloc::format!("+PONG\r\n:1\r\n{message}+PONG\r\n").as_bytes()
        );
        session.run(client, "MULTI\nPUBLISH c m");
        assert_eq!(session.run(client, "EXEC"), alloc::format!("*1\r\n:1\r\n{message}").as_bytes());
    }

    #[test]
    fn whoever_leaves_listens_no_more() {
        let mut session = Session::new();
        let (listener, closed) = (session.connect(), session.connect());
        session.run(listener, "SUBSCRIBE a b\nPSUBSCRIBE a*\nSSUBSCRIBE s");
        session.run(closed, "SUBSCRIBE a\nQUIT");
        assert_eq!(session.ask("PUBLISH a x"), ":2\r\n");
        session.engine.disconnect(listener);
        assert_eq!(
            session.ask("PUBLISH a x\nSPUBLISH s x\nPUBSUB NUMPAT\nPUBSUB CHANNELS"),
            ":0\r\n:0\r\n:0\r\n*0\r\n"
        );
    }

    #[test]
    fn messages_come_even_when_replies_are_off() {
        let mut session = Session::new();
        let client = session.connect();
        let subscribed = b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n";
        assert_eq!(session.run(client, "CLIENT REPLY OFF\nSUBSCRIBE c\nPING"), subscribed);
        session.ask("PUBLISH c m");
        assert_eq!(session.output(client), bytes(&["message", "c", "m"]));
    }
}
