//! Keyspace notifications: what happens to keys, published on channels. Which events there are is in
//! `keyspace/event.rs`.

use alloc::{format, vec::Vec};
use core::fmt::{self, Write};

use super::{Engine, pubsub::Space};
use crate::keyspace::{Class, Effects};

/// Which events are published and on which channels: the value of `notify-keyspace-events`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Notifications(u16);

/// On `__keyspace@<db>__:<key>`, the event.
const KEYSPACE: u16 = 1 << 12;
/// On `__keyevent@<db>__:<event>`, the key.
const KEYEVENT: u16 = 1 << 13;
/// Events of modules. There are none, but `A` includes them.
const MODULES: u16 = 1 << 14;
/// What `A` stands for: every event but those of new and of missed keys.
const ALL: u16 = MODULES
    | bit(Class::Generic)
    | bit(Class::String)
    | bit(Class::List)
    | bit(Class::Set)
    | bit(Class::Hash)
    | bit(Class::SortedSet)
    | bit(Class::Expired)
    | bit(Class::Evicted)
    | bit(Class::Stream);

/// The letters in the order in which Redis writes them.
const LETTERS: [(char, u16); 15] = [
    ('A', ALL),
    ('g', bit(Class::Generic)),
    ('$', bit(Class::String)),
    ('l', bit(Class::List)),
    ('s', bit(Class::Set)),
    ('h', bit(Class::Hash)),
    ('z', bit(Class::SortedSet)),
    ('x', bit(Class::Expired)),
    ('e', bit(Class::Evicted)),
    ('t', bit(Class::Stream)),
    ('d', MODULES),
    ('n', bit(Class::New)),
    ('K', KEYSPACE),
    ('E', KEYEVENT),
    ('m', bit(Class::Missed)),
];

const fn bit(class: Class) -> u16 {
    1 << class as u16
}

impl Notifications {
    /// Reads the letters of the directive; `None` when one means nothing.
    pub fn parse(letters: &[u8]) -> Option<Notifications> {
        letters.iter().try_fold(Notifications::default(), |Notifications(bits), &found| {
            let (_, more) = LETTERS.iter().find(|(letter, _)| *letter == found as char)?;
            Some(Notifications(bits | more))
        })
    }

    /// Whether anything is published.
    pub fn is_on(self) -> bool {
        self.0 & (KEYSPACE | KEYEVENT) != 0
    }

    fn has(self, bits: u16) -> bool {
        self.0 & bits == bits
    }
}

/// The letters of the directive, in the order in which Redis writes them.
impl fmt::Display for Notifications {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0;
        for (letter, bits) in LETTERS {
            if left & bits == bits {
                left &= !bits;
                f.write_char(letter)?;
            }
        }
        Ok(())
    }
}

impl Engine {
    /// Publishes what happened to keys.
    pub(super) fn notify(&mut self, effects: &Effects) {
        let wanted = self.config.notify_keyspace_events;
        if !wanted.is_on() {
            return;
        }
        let mut channel = Vec::new();
        for touch in effects.touches().iter().filter(|touch| wanted.has(bit(touch.event.class()))) {
            let (key, event) = (effects.key(touch), touch.event.name());
            for (kind, name, what, who) in
                [(KEYSPACE, "keyspace", key, event.as_bytes()), (KEYEVENT, "keyevent", event.as_bytes(), key)]
            {
                if wanted.has(kind) {
                    channel.clear();
                    channel.extend_from_slice(format!("__{name}@{}__:", touch.db).as_bytes());
                    channel.extend_from_slice(what);
                    self.publish_to(Space::Channel, &channel, who);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::engine::testing::{Session, bytes};

    #[test]
    fn letters_are_read_in_any_order_and_written_in_one() {
        for (written, read) in [
            ("", ""),
            ("KEA", "AKE"),
            ("g$lshzxetdKE", "AKE"),
            ("Etgx", "gxtE"),
            ("mKn", "nKm"),
            ("AKEmn", "AnKEm"),
            ("Kndt", "tdnK"),
        ] {
            let notifications = Notifications::parse(written.as_bytes()).unwrap();
            assert_eq!(notifications.to_string(), read);
            assert_eq!(Notifications::parse(read.as_bytes()), Some(notifications));
        }
        assert_eq!(Notifications::parse(b"KEq"), None);
        assert!(!Notifications::parse(b"A").unwrap().is_on());
    }

    #[test]
    fn events_are_published_on_both_channels_in_order() {
        let mut session = Session::new();
        session.engine.config.notify_keyspace_events = Notifications::parse(b"KEAnm").unwrap();
        session.engine.refresh_interests();
        let (listener, writer) = (session.connect(), session.connect());
        session.run(listener, "PSUBSCRIBE __key*");
        session.run(writer, "SET k v\nGET missing\nEXPIRE k -1");
        let heard = session.output(listener);
        let expected = ["new", "set", "keymiss", "del"].map(|event| {
            let key = if event == "keymiss" { "missing" } else { "k" };
            [(alloc::format!("__keyspace@0__:{key}"), event), (alloc::format!("__keyevent@0__:{event}"), key)]
                .map(|(channel, message)| bytes(&["pmessage", "__key*", &channel, message]))
                .concat()
        });
        assert_eq!(heard, expected.concat());
    }

    #[test]
    fn a_key_that_expires_is_told_of_when_it_does() {
        let mut session = Session::new();
        session.engine.config.notify_keyspace_events = Notifications::parse(b"Ex").unwrap();
        session.engine.refresh_interests();
        let (listener, writer) = (session.connect(), session.connect());
        session.run(listener, "SUBSCRIBE __keyevent@0__:expired");
        session.run(writer, "SET k v PX 10");
        assert_eq!(session.output(listener), b"");
        session.engine.tick(session.now_ms + 10);
        assert_eq!(session.output(listener), bytes(&["message", "__keyevent@0__:expired", "k"]));
    }
}
