//! ACL, AUTH's other side: users, what they may do, and who was refused what. `selector.rs` has the rules, `user.rs` the
//! user made of them; the gate itself is one line of `dispatch.rs`.

mod log;
mod selector;
mod user;

use alloc::{
    boxed::Box,
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};
use core::mem;

use super::{
    ClientId, Engine,
    client::Client,
    dispatch::{Known, Table},
    pubsub::Space,
};
use crate::{
    Error, Result,
    commands::{
        CATEGORIES, Command, Kind, Shape,
        args::{Arg, Rest, Text, Words},
        help::{HelpLines, help},
        reply::{Done, Either, ManyBytes, Written, typed},
        spec::commands,
    },
    data::containers::ordered::OrderedMap,
    error::until_zero,
    resp::Writer,
};
use log::{Entry, Log, Reason};
pub(super) use selector::Denied;
use selector::{Request, Selector};
use user::User;
pub use user::same_secret;

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "server";
    /// Lists the categories of commands, or the commands of one.
    "ACL CAT" = acl_cat(category) since "6.0.0" [NOSCRIPT LOADING STALE] O("1) since the categories and commands are a fixed set");
    /// Deletes users, and closes their connections; returns how many there were.
    "ACL DELUSER" = acl_deluser(usernames) since "6.0.0" [ADMIN NOSCRIPT LOADING STALE] O("1) amortized time considering the typical user");
    /// Tells whether a user may run a command, without running it.
    "ACL DRYRUN" = acl_dryrun(username, command) since "7.0.0" [ADMIN NOSCRIPT LOADING STALE] O("1");
    /// Makes up a password.
    "ACL GENPASS" = acl_genpass(bits) since "6.0.0" [NOSCRIPT LOADING STALE] O("1");
    /// Returns the rules of a user.
    "ACL GETUSER" = acl_getuser(username) since "6.0.0" [ADMIN NOSCRIPT LOADING STALE] O("N) where N is the number of password, command and pattern rules that the user has");
    /// Lists the subcommands.
    "ACL HELP" = acl_help() since "6.0.0" [LOADING STALE] O("1");
    /// Lists the users, each as a line of the ACL file.
    "ACL LIST" = acl_list() since "6.0.0" [ADMIN NOSCRIPT LOADING STALE] O("N) where N is the number of configured users");
    /// Reads the users from the ACL file.
    "ACL LOAD" = acl_load() since "6.0.0" [ADMIN NOSCRIPT LOADING STALE] O("N) where N is the number of configured users");
    /// Lists who was refused what lately, or forgets it.
    "ACL LOG" = acl_log(operation) since "6.0.0" [ADMIN NOSCRIPT LOADING STALE] O("N) with N being the number of entries shown");
    /// Writes the users to the ACL file.
    "ACL SAVE" = acl_save() since "6.0.0" [ADMIN NOSCRIPT LOADING STALE] O("N) where N is the number of configured users");
    /// Changes the rules of a user, who is made when there is none.
    "ACL SETUSER" = acl_setuser(username, rules) since "6.0.0" [ADMIN NOSCRIPT LOADING STALE] O("N) where N is the number of rules provided");
    /// Lists the names of the users.
    "ACL USERS" = acl_users() since "6.0.0" [ADMIN NOSCRIPT LOADING STALE] O("N) where N is the number of configured users");
    /// Returns the name of the user of this connection.
    "ACL WHOAMI" = acl_whoami() since "6.0.0" [NOSCRIPT LOADING STALE] O("1");
};

typed! {
    /// What a user may do.
    Rules = "Record<string, unknown> | null";
    /// Entries of ACL LOG.
    Refusals = "Record<string, unknown>[] | 'OK'";
}

/// The user of clients that have not said who they are.
const DEFAULT: &[u8] = b"default";

/// Names a user as long as there is one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct UserId(u32);

/// How many requests were refused, for INFO.
#[derive(Clone, Copy, Default)]
#[allow(missing_docs)]
pub struct Denials {
    pub auth: u64,
    pub command: u64,
    pub key: u64,
    pub channel: u64,
}

/// Every user.
pub struct Acl {
    /// By number; the first is the default user.
    users: Vec<Option<User>>,
    names: OrderedMap<Box<[u8]>, UserId>,
    /// The password that CONFIG SET gave the default user last.
    requirepass: Vec<u8>,
    log: Log,
    /// How many requests were refused.
    pub denials: Denials,
}

impl Acl {
    /// The default user alone, who may do everything.
    pub fn new(table: &Table) -> Acl {
        Acl {
            users: Vec::from([Some(User::unrestricted(table))]),
            names: OrderedMap::from_iter([(DEFAULT.into(), UserId(0))]),
            requirepass: Vec::new(),
            log: Log::default(),
            denials: Denials::default(),
        }
    }

    /// Whether clients need not say who they are.
    pub fn is_open(&self) -> bool {
        let default = self.get(UserId(0));
        default.enabled && default.any_password
    }

    /// The user of that name.
    pub fn find(&self, name: &[u8]) -> Option<UserId> {
        self.names.get(name).copied()
    }

    /// The name of a user.
    pub fn name(&self, id: UserId) -> &[u8] {
        self.names.iter().find(|&(_, &other)| other == id).map_or(DEFAULT, |(name, _)| name)
    }

    /// A user who is there, as one just found by name is.
    fn get(&self, id: UserId) -> &User {
        self.of(id).expect("it was found")
    }

    /// The user of a client. One that is about to be closed may have none any more.
    fn of(&self, id: UserId) -> Option<&User> {
        self.users[id.0 as usize].as_ref()
    }

    fn put(&mut self, name: &[u8], user: User) {
        let id = match self.find(name) {
            Some(id) => id,
            None => match self.users.iter().position(Option::is_none) {
                Some(free) => UserId(free as u32),
                None => {
                    self.users.push(None);
                    UserId(self.users.len() as u32 - 1)
                }
            },
        };
        self.users[id.0 as usize] = Some(user);
        self.names.insert(name.into(), id);
    }

    fn remove(&mut self, name: &[u8]) -> Option<UserId> {
        let id = self.names.remove(name)?;
        self.users[id.0 as usize] = None;
        Some(id)
    }

    /// Every user by name.
    fn iter(&self) -> impl Iterator<Item = (&[u8], &User)> {
        self.names.iter().map(|(name, &id)| (&**name, self.get(id)))
    }

    /// A line for every user, as an ACL file has them.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.iter().map(|(name, user)| format!("user {} {}", String::from_utf8_lossy(name), user.describe()))
    }
}

/// The category called `name`, in lower case and without the `@`.
fn find_category(name: &[u8]) -> Option<&'static str> {
    CATEGORIES.into_iter().find(|category| category.as_bytes() == name)
}

/// Words that fit no form of a subcommand.
fn too_many_for(subcommand: &str) -> Error {
    format!("ERR unknown subcommand or wrong number of arguments for '{subcommand}'. Try ACL HELP.").into()
}

/// A category, or none.
struct Category<'a>(Option<&'a [u8]>);

impl<'a> Arg<'a> for Category<'a> {
    const SHAPE: Shape = Shape::Maybe(&Shape::Word("category", Kind::Text));
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        if words.len() > 1 { Err(too_many_for("CAT")) } else { Ok(Category(words.next().ok())) }
    }
}

fn acl_cat<'c>(
    engine: &'c mut Engine,
    category: Category,
) -> Result<Written<ManyBytes, impl FnOnce(&mut Writer) + use<'c>>> {
    let names: Vec<&str> = match category.0 {
        None => CATEGORIES.to_vec(),
        Some(name) => {
            let category = find_category(&name.to_ascii_lowercase())
                .ok_or_else(|| Error::quoting("ERR Unknown category '", name, "'"))?;
            let members = engine.table.all().filter(|&known| engine.table.spec(known).is_in(category));
            members.map(|known| engine.table.name(known)).collect()
        }
    };
    Ok(Written::new(move |out| {
        out.array(names.len());
        names.iter().for_each(|name| out.bulk(name.as_bytes()));
    }))
}

fn acl_deluser<'a>(engine: &mut Engine, usernames: Rest<'a, Text<'a>>) -> Result<usize> {
    if usernames.iter().any(|name| name.0 == DEFAULT) {
        return Err(Error::refused("ERR The 'default' user cannot be removed"));
    }
    let removed: Vec<UserId> = usernames.iter().filter_map(|name| engine.acl.remove(name.0)).collect();
    engine.close_clients(|client| removed.contains(&client.user));
    Ok(removed.len())
}

/// A command and its arguments.
struct CommandLine<'a>(&'a [&'a [u8]]);

impl<'a> Arg<'a> for CommandLine<'a> {
    const SHAPE: Shape = Shape::Many(&[Shape::Word("word", Kind::Text)]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        Ok(CommandLine(words.split_off(0)))
    }
}

fn acl_dryrun<'a>(
    engine: &mut Engine,
    username: Text<'a>,
    command: CommandLine<'a>,
) -> Result<Either<Vec<u8>, Done>> {
    let id = (engine.acl.find(username.0))
        .ok_or_else(|| Error::quoting("ERR User '", username.0, "' not found"))?;
    let words = command.0;
    let known =
        (engine.table.find(words)).ok_or_else(|| Error::quoting("ERR Command '", words[0], "' not found"))?;
    if !engine.table.spec(known).accepts(words.len()) {
        let name = engine.table.name(known);
        return Err(format!("ERR wrong number of arguments for '{name}' command").into());
    }
    Ok(match engine.check_user(id, known, words) {
        Ok(()) => Either::Right(Done),
        Err(Denied::Command) => Either::Left(engine.no_command(id, known)),
        Err(Denied::Key(at)) => Either::Left(engine.no_object(id, "key", words[at])),
        Err(Denied::Channel(at)) => Either::Left(engine.no_object(id, "channel", words[at])),
        // Redis looks at the patterns only while it sorts.
        Err(Denied::Pattern(_)) => Either::Right(Done),
    })
}

/// How many bits, or as many as are safe.
struct Bits(usize);

impl Arg<'_> for Bits {
    const SHAPE: Shape = Shape::Maybe(&Shape::Word("bits", Kind::Integer));
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        match words.len() {
            0 => Ok(Bits(256)),
            1 => match i64::parse(words)? {
                bits @ 1..=4096 => Ok(Bits(bits as usize)),
                _ => Err(Error::refused(
                    "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096",
                )),
            },
            _ => Err(too_many_for("GENPASS")),
        }
    }
}

fn acl_genpass(engine: &mut Engine, bits: Bits) -> Result<Vec<u8>> {
    let digits = bits.0.div_ceil(4);
    let mut secret = vec![0; digits.div_ceil(2)];
    engine.fill_secretly(&mut secret);
    let text: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(text.as_bytes()[..digits].to_vec())
}

fn acl_getuser<'a>(
    engine: &'a mut Engine,
    username: Text,
) -> Result<Written<Rules, impl FnOnce(&mut Writer) + use<'a>>> {
    let user = engine.acl.find(username.0).map(|id| engine.acl.get(id));
    Ok(Written::new(move |out| {
        let Some(user) = user else { return out.null_array() };
        out.map(6);
        out.bulk(b"flags");
        let flags = user.flags();
        out.set(flags.len());
        flags.iter().for_each(|flag| out.bulk(flag.as_bytes()));
        out.bulk(b"passwords");
        let passwords = user.passwords();
        out.array(passwords.len());
        passwords.for_each(|hash| out.bulk(hash.as_bytes()));
        let mut selectors = user.selectors();
        write_rules(selectors.next().expect("the rules of its own"), out);
        let others: Vec<&Selector> = selectors.collect();
        out.bulk(b"selectors");
        out.array(others.len());
        for selector in others {
            out.map(3);
            write_rules(selector, out);
        }
    }))
}

/// Three pairs of a map.
fn write_rules(selector: &Selector, out: &mut Writer) {
    let rules = [
        ("commands", selector.command_rules()),
        ("keys", selector.key_rules()),
        ("channels", selector.channel_rules()),
    ];
    for (name, text) in rules {
        out.bulk(name.as_bytes());
        out.bulk(text.as_bytes());
    }
}

fn acl_help(_: &mut Engine) -> Result<HelpLines> {
    Ok(help("ACL", COMMANDS))
}

fn acl_list(engine: &mut Engine) -> Result<Written<ManyBytes, impl FnOnce(&mut Writer) + use<'_>>> {
    Ok(Written::new(move |out| {
        out.array(engine.acl.names.len());
        engine.acl.lines().for_each(|line| out.bulk(line.as_bytes()));
    }))
}

fn acl_users(engine: &mut Engine) -> Result<Written<ManyBytes, impl FnOnce(&mut Writer) + use<'_>>> {
    Ok(Written::new(move |out| {
        let names = &engine.acl.names;
        out.array(names.len());
        names.keys().for_each(|name| out.bulk(name));
    }))
}

fn acl_whoami(engine: &mut Engine) -> Result<Vec<u8>> {
    Ok(engine.acl.name(engine.current().user).to_vec())
}

const NO_FILE: Error = Error::refused(
    "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and \
     then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis \
     configuration.",
);

fn acl_load(engine: &mut Engine) -> Result<Done> {
    let file = engine.acl_file().ok_or(NO_FILE)?;
    engine.load_acl_file(&file).map_err(|reason| Error::from(format!("ERR {reason}")))?;
    Ok(Done)
}

fn acl_save(engine: &mut Engine) -> Result<Done> {
    let file = engine.acl_file().ok_or(NO_FILE)?;
    let text: String = engine.acl.lines().map(|line| line + "\n").collect();
    let write = engine.config.host.files.ok_or(NO_FILE)?.write;
    write(&file, text.as_bytes()).map_err(|reason| {
        engine.note(format!("Saving ACLs to {file}: {reason}"));
        Error::refused("ERR There was an error trying to save the ACLs. Please check the server logs for more information")
    })?;
    Ok(Done)
}

/// `[count | RESET]`
enum LogOperation {
    Show(usize),
    Reset,
}

impl Arg<'_> for LogOperation {
    const SHAPE: Shape =
        Shape::Maybe(&Shape::OneOf(&[Shape::Token("RESET"), Shape::Word("count", Kind::Integer)]));
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        match words.len() {
            0 => Ok(LogOperation::Show(10)),
            1 if words.take("RESET") => Ok(LogOperation::Reset),
            1 => i64::parse(words).map(|count| LogOperation::Show(usize::try_from(count).unwrap_or(0))),
            _ => Err(too_many_for("LOG")),
        }
    }
}

fn acl_log(
    engine: &mut Engine,
    operation: LogOperation,
) -> Result<Written<Refusals, impl FnOnce(&mut Writer) + use<'_>>> {
    Ok(Written::new(move |out| match operation {
        LogOperation::Reset => {
            engine.acl.log.clear();
            out.ok();
        }
        LogOperation::Show(count) => {
            let now_ms = engine.keyspace.now_ms();
            let entries = engine.acl.log.iter();
            out.array(entries.len().min(count));
            entries.take(count).for_each(|entry| write_entry(entry, now_ms, out));
        }
    }))
}

fn write_entry(entry: &Entry, now_ms: u64, out: &mut Writer) {
    out.map(10);
    out.bulk(b"count");
    out.integer(entry.count as i64);
    for (name, text) in [
        ("reason", entry.reason.name().as_bytes()),
        ("context", entry.context.as_bytes()),
        ("object", &entry.object),
        ("username", &entry.user),
    ] {
        out.bulk(name.as_bytes());
        out.bulk(text);
    }
    out.bulk(b"age-seconds");
    out.double(now_ms.saturating_sub(entry.created_ms) as f64 / 1000.0);
    out.bulk(b"client-info");
    out.bulk(entry.client.as_bytes());
    for (name, number) in [
        ("entry-id", entry.id),
        ("timestamp-created", entry.created_ms),
        ("timestamp-last-updated", entry.updated_ms),
    ] {
        out.bulk(name.as_bytes());
        out.integer(number as i64);
    }
}

/// Rules, if any, in words as they came.
struct RuleWords<'a>(&'a [&'a [u8]]);

impl<'a> Arg<'a> for RuleWords<'a> {
    const SHAPE: Shape = Shape::Maybe(&Shape::Many(&[Shape::Word("rule", Kind::Text)]));
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        Ok(RuleWords(words.split_off(0)))
    }
}

fn acl_setuser<'a>(engine: &mut Engine, username: Text<'a>, rules: RuleWords<'a>) -> Result<Done> {
    check_name(username.0)?;
    let all_channels = engine.all_channels();
    let mut user = match engine.acl.find(username.0) {
        Some(id) => engine.acl.get(id).clone(),
        None => User::new(all_channels, &engine.table),
    };
    for rule in join_selectors(rules.0)? {
        user.apply(&rule, all_channels, &engine.table).map_err(|reason| {
            Error::quoting("ERR Error in ACL SETUSER modifier '", &rule, &format!("': {reason}"))
        })?;
    }
    engine.acl.put(username.0, user);
    engine.users_changed();
    Ok(Done)
}

fn check_name(name: &[u8]) -> Result<()> {
    let is_refused = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, 0 | 0x0b);
    match name.iter().any(is_refused) {
        true => Err(Error::refused("ERR Usernames can't contain spaces or null characters")),
        false => Ok(()),
    }
}

/// The rules, with the words of each parenthesis joined.
fn join_selectors(words: &[&[u8]]) -> Result<Vec<Vec<u8>>> {
    let mut rules: Vec<Vec<u8>> = Vec::new();
    let mut open: Option<(&[u8], Vec<u8>)> = None;
    for &word in words {
        let (first, rule) = match open.take() {
            None if word.starts_with(b"(") => (word, word.to_vec()),
            None => {
                rules.push(word.to_vec());
                continue;
            }
            Some((first, rule)) => (first, [&rule[..], b" ", word].concat()),
        };
        if word.ends_with(b")") {
            rules.push(rule);
        } else {
            open = Some((first, rule));
        }
    }
    match open {
        None => Ok(rules),
        Some((first, _)) => {
            Err(Error::quoting("ERR Unmatched parenthesis in acl selector starting at '", first, "'."))
        }
    }
}

impl Engine {
    /// Defines the users that the configuration has, and those of its ACL file. Call it once, before the first client
    /// connects. An error is what is wrong with them, for people.
    pub fn define_users(&mut self) -> Result<(), String> {
        for words in mem::take(&mut self.config.users) {
            let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
            self.define_user(&words).map_err(|reason| {
                format!(
                    "Error in user declaration '{}': {reason}",
                    String::from_utf8_lossy(words.first().unwrap_or(&&b""[..]))
                )
            })?;
        }
        if let Some(file) = self.acl_file() {
            self.load_acl_file(&file)?;
        }
        Ok(())
    }

    /// A user as a line of an ACL file has it, without `user`.
    fn define_user(&mut self, words: &[&[u8]]) -> Result<(), String> {
        let (name, rules) = words.split_first().ok_or("no name")?;
        let (name, user) = self.make_user(name, rules)?;
        self.acl.put(&name, user);
        self.users_changed();
        Ok(())
    }

    fn make_user(&self, name: &[u8], rules: &[&[u8]]) -> Result<(Vec<u8>, User), String> {
        check_name(name).map_err(|error| error.to_string())?;
        let all_channels = self.all_channels();
        let mut user = User::new(all_channels, &self.table);
        for rule in join_selectors(rules).map_err(|error| error.to_string())? {
            user.apply(&rule, all_channels, &self.table).map_err(str::to_string)?;
        }
        Ok((name.to_vec(), user))
    }

    fn acl_file(&self) -> Option<String> {
        let file = self.config.get("aclfile").filter(|file| !file.is_empty())?;
        Some(String::from_utf8_lossy(&file).into_owned())
    }

    /// Puts the users of a file in the place of all there are; when anything is wrong with it, nothing changes.
    fn load_acl_file(&mut self, file: &str) -> Result<(), String> {
        let read = self.config.host.files.ok_or("no files here")?.read;
        let text =
            read(file).map_err(|reason| format!("Error loading ACLs, opening file '{file}': {reason}"))?;
        let mut users: OrderedMap<Vec<u8>, User> = OrderedMap::new();
        let mut errors = String::new();
        for (i, line) in text.split(|&byte| byte == b'\n').enumerate() {
            let words: Vec<&[u8]> =
                line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
            let outcome = match &words[..] {
                [] => continue,
                [b"user", name, rules @ ..] => self.make_user(name, rules),
                _ => Err("should start with user keyword followed by the username".to_string()),
            };
            match outcome {
                Ok((name, _)) if users.contains_key(&name) => {
                    errors += &format!(
                        "{file}:{}: Duplicate user '{}' found. ",
                        i + 1,
                        String::from_utf8_lossy(&name)
                    );
                }
                Ok((name, user)) => drop(users.insert(name, user)),
                Err(reason) => errors += &format!("{file}:{}: {reason}. ", i + 1),
            }
        }
        if !errors.is_empty() {
            return Err(errors
                + "WARNING: ACL errors detected, no change to the previously active ACL rules was performed");
        }
        self.replace_users(users);
        Ok(())
    }

    fn replace_users(&mut self, mut users: OrderedMap<Vec<u8>, User>) {
        users.get_or_insert_with(DEFAULT.to_vec(), || User::unrestricted(&self.table));
        let gone =
            self.acl.names.keys().filter(|name| !users.contains_key(&***name)).cloned().collect::<Vec<_>>();
        let gone: Vec<UserId> = gone.iter().filter_map(|name| self.acl.remove(name)).collect();
        self.close_clients(|client| gone.contains(&client.user));
        users.into_iter().for_each(|(name, user)| self.acl.put(&name, user));
        self.users_changed();
    }

    fn all_channels(&self) -> bool {
        self.config.get("acl-pubsub-default").as_deref() == Some(b"allchannels")
    }

    /// Has a changed `requirepass` be the password of the default user.
    pub(super) fn follow_requirepass(&mut self) {
        if self.acl.requirepass == self.config.requirepass {
            return;
        }
        let password = self.config.requirepass.clone();
        let mut user = self.acl.get(UserId(0)).clone();
        let rules = match password.is_empty() {
            true => [b"resetpass".to_vec(), b"nopass".to_vec()],
            false => [b"resetpass".to_vec(), [b">", &password[..]].concat()],
        };
        for rule in rules {
            user.apply(&rule, false, &self.table).expect("a rule as it should be");
        }
        self.acl.put(DEFAULT, user);
        self.acl.requirepass = password;
        self.users_changed();
    }

    /// Has clients notice that users are not as they were; those that listen to what they may not any more are closed.
    fn users_changed(&mut self) {
        let ids: Vec<ClientId> = self.clients.iter().map(|(id, _)| id).collect();
        for id in ids {
            let Some(client) = self.clients.get_mut(id).filter(|client| !client.closing) else { continue };
            let Some(user) = self.acl.of(client.user) else { continue };
            client.unrestricted = user.is_unrestricted();
            if !client.unrestricted && !may_listen(user, client) {
                self.close(id);
            }
        }
    }

    fn close_clients(&mut self, is_meant: impl Fn(&Client) -> bool) {
        let is_open = |client: &Client| !client.closing && is_meant(client);
        let ids: Vec<ClientId> =
            self.clients.iter().filter(|(_, client)| is_open(client)).map(|(id, _)| id).collect();
        ids.into_iter().for_each(|id| self.close(id));
    }

    /// Makes a client that of the default user, authenticated if that needs no password.
    pub(super) fn greet(&mut self, id: ClientId) {
        let (is_open, user) = (self.acl.is_open(), UserId::default());
        let unrestricted = self.acl.get(user).is_unrestricted();
        if let Some(client) = self.clients.get_mut(id) {
            (client.user, client.authenticated, client.unrestricted) = (user, is_open, unrestricted);
        }
    }

    /// Lets the current client in, or refuses it and leaves it as it was.
    pub(super) fn authenticate(&mut self, name: Option<&[u8]>, password: &[u8]) -> Result<()> {
        let name = name.unwrap_or(DEFAULT);
        let user = self.acl.find(name).filter(|&id| self.acl.get(id).accepts(password));
        let Some(user) = user else {
            self.acl.denials.auth += 1;
            let command = self.current().last_command.map_or("", |known| self.table.spec(known).name);
            self.log_refusal(Reason::Auth, command.as_bytes(), name);
            return Err(Error::refused("WRONGPASS invalid username-password pair or user is disabled."));
        };
        let unrestricted = self.acl.get(user).is_unrestricted();
        let client = self.current_mut();
        (client.user, client.authenticated, client.unrestricted) = (user, true, unrestricted);
        Ok(())
    }

    /// Whether the current client's user may run a command, and why not. A refusal is logged.
    #[inline]
    pub(super) fn permit(&mut self, known: Known, words: &[&[u8]]) -> Result<(), Denied> {
        if self.current().unrestricted { Ok(()) } else { self.permit_by_rules(known, words) }
    }

    #[cold]
    fn permit_by_rules(&mut self, known: Known, words: &[&[u8]]) -> Result<(), Denied> {
        let user = self.current().user;
        let Err(denied) = self.check_user(user, known, words) else { return Ok(()) };
        let denials = &mut self.acl.denials;
        let (reason, count, object) = match denied {
            Denied::Command => (Reason::Command, &mut denials.command, self.table.name(known).as_bytes()),
            Denied::Key(at) => (Reason::Key, &mut denials.key, words[at]),
            Denied::Channel(at) => (Reason::Channel, &mut denials.channel, words[at]),
            Denied::Pattern(_) => return Err(denied),
        };
        *count += 1;
        let (object, name) = (object.to_vec(), self.acl.name(user).to_vec());
        self.log_refusal(reason, &object, &name);
        Err(denied)
    }

    /// The refusal of a command that the current client's user may not run; `before` says what was done with it.
    pub(super) fn no_permission(&self, before: &str, known: Known, denied: Denied) -> Error {
        let why = match denied {
            Denied::Command => self.no_command(self.current().user, known),
            Denied::Key(_) => b"No permissions to access a key".to_vec(),
            Denied::Channel(_) => b"No permissions to access a channel".to_vec(),
            Denied::Pattern(option) => {
                return format!("ERR {option} option of SORT denied due to insufficient ACL permissions.")
                    .into();
            }
        };
        Error::Quoting([b"NOPERM ", before.as_bytes(), &why].concat())
    }

    /// The refusal of a command that waited for EXEC, for its user's rules have changed since.
    pub(super) fn no_permission_any_more(denied: Denied) -> Error {
        let reason = match denied {
            Denied::Command => "no permission to execute the command or subcommand",
            Denied::Key(_) => "no permission to touch the specified keys",
            Denied::Channel(_) => {
                "no permission to access one of the channels used as arguments to the command"
            }
            Denied::Pattern(_) => "no permission to access keys that the command's patterns lead to",
        };
        let text = "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This \
                    command is no longer allowed for the following reason: ";
        format!("{text}{reason}").into()
    }

    /// Whether the current client's user may run a command. Nothing is logged.
    pub(super) fn would_permit(&self, known: Known, words: &[&[u8]]) -> bool {
        let client = self.current();
        client.unrestricted || self.check_user(client.user, known, words).is_ok()
    }

    fn check_user(&self, id: UserId, known: Known, words: &[&[u8]]) -> Result<(), Denied> {
        let spec = self.table.spec(known);
        let keys = spec.find_keys(words).unwrap_or_default();
        let user = self.acl.of(id).ok_or(Denied::Command)?;
        user.check(&Request { known, spec, words, keys: &keys })
    }

    fn no_command(&self, id: UserId, known: Known) -> Vec<u8> {
        let (user, command) = (self.acl.name(id), self.table.name(known).as_bytes());
        [b"User ", user, b" has no permissions to run the '", command, b"' command"].concat()
    }

    fn no_object(&self, id: UserId, kind: &str, object: &[u8]) -> Vec<u8> {
        let user = self.acl.name(id);
        [b"User ", user, b" has no permissions to access the '", until_zero(object), b"' ", kind.as_bytes()]
            .concat()
    }

    fn log_refusal(&mut self, reason: Reason, object: &[u8], user: &[u8]) {
        let max_len = self.config.number("acllog-max-len").unwrap_or(0);
        let now_ms = self.keyspace.now_ms();
        let entry = Entry {
            count: 1,
            reason,
            context: if self.scripts.is_calling {
                "lua"
            } else if self.executing.is_some() || self.current().transaction.is_some() {
                "multi"
            } else {
                "toplevel"
            },
            object: object.to_vec(),
            user: user.to_vec(),
            client: self.client_line(self.current(), self.executing),
            id: 0,
            created_ms: now_ms,
            updated_ms: now_ms,
        };
        self.acl.log.add(entry, max_len as usize);
    }

    /// Fills `secret` from the host's source of secrets, or by chance from the seed where the host has none.
    fn fill_secretly(&mut self, secret: &mut [u8]) {
        match self.config.host.entropy {
            Some(entropy) => entropy(secret),
            None => secret.iter_mut().for_each(|byte| *byte = self.keyspace.random.next() as u8),
        }
    }
}

/// Whether a user may listen to all that a client listens to.
fn may_listen(user: &User, client: &Client) -> bool {
    [Space::Channel, Space::Pattern, Space::Shard].into_iter().all(|space| {
        client.subscriptions.names(space).all(|name| user.allows_channel(name, space == Space::Pattern))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Config, Files, Host, testing::Session};

    #[test]
    fn rules_that_change_bind_those_who_are_connected() {
        let mut session = Session::new();
        let (admin, ada) = (session.connect(), session.connect());
        session.run(admin, "ACL SETUSER ada on nopass +@all ~* &*");
        session.run(ada, "AUTH ada x\nMULTI\nSET k v\nGET k\nPUBLISH c m");
        session.run(admin, "ACL SETUSER ada -set resetkeys ~other resetchannels");
        let replies = String::from_utf8(session.run(ada, "EXEC")).unwrap();
        for reason in [
            "execute the command or subcommand",
            "touch the specified keys",
            "one of the channels used as arguments",
        ] {
            assert!(replies.contains(reason), "{replies}");
        }
        session.run(admin, "ACL SETUSER ada &news*");
        session.run(ada, "HELLO 3\nSUBSCRIBE news\nPSUBSCRIBE news*");
        session.run(admin, "ACL SETUSER ada resetchannels &news*");
        assert!(!session.engine.is_closing(ada));
        session.run(admin, "ACL SETUSER ada resetchannels &news");
        assert!(session.engine.is_closing(ada), "a pattern has to be one of the rules' own");
        let ada = session.connect();
        session.run(ada, "AUTH ada x");
        assert_eq!(session.run(admin, "ACL DELUSER ada"), b":1\r\n");
        assert!(session.engine.is_closing(ada));
    }

    #[test]
    fn who_is_deleted_by_its_own_transaction_may_do_nothing_more() {
        let mut session = Session::new();
        session.ask("ACL SETUSER ada on nopass +@all ~k* &*");
        let ada = session.connect();
        session.run(ada, "AUTH ada x");
        let replies = session.run(ada, "MULTI\nACL DELUSER ada\nSET k v\nEXEC\nGET k");
        let replies = String::from_utf8(replies).unwrap();
        assert!(replies.contains("*2\r\n:1\r\n"), "{replies}");
        assert!(replies.ends_with("no permission to execute the command or subcommand\r\n"), "{replies}");
        assert!(session.engine.is_closing(ada), "{replies}");
    }

    #[test]
    fn the_password_of_the_configuration_is_that_of_the_default_user() {
        let mut session = Session::new();
        assert_eq!(session.ask("CONFIG SET requirepass one\nACL LIST").matches(" on #").count(), 1);
        assert!(session.ask_once("PING\nAUTH one\nPING").ends_with("+OK\r\n+PONG\r\n"));
        session.ask("ACL SETUSER default >two");
        assert!(session.ask_once("AUTH two\nAUTH default one").ends_with("+OK\r\n+OK\r\n"));
        session.ask("CONFIG SET requirepass \"\"");
        assert_eq!(session.ask_once("PING"), "+PONG\r\n");
        assert_eq!(session.ask("ACL LIST"), "*1\r\n$34\r\nuser default on nopass ~* &* +@all\r\n");
    }

    const GOOD: &[u8] = b"user ada on nopass ~a* +get (~b +set)\r\n\n  user default on #2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b ~* &* +@all\n";

    /// A store whose ACL file holds what `read` returns.
    fn with_file(read: fn(&str) -> Result<Vec<u8>, String>) -> Session {
        let files = Files { read, write: |_, _| Err("full".into()), create: |_| Err("full".into()) };
        let mut config = Config { host: Host { files: Some(files), ..Host::default() }, ..Config::default() };
        config.apply("aclfile", &[b"users.acl"]).unwrap();
        Session::with(config)
    }

    #[test]
    fn a_file_defines_all_users_or_none() {
        let mut session = with_file(|_| Ok(GOOD.to_vec()));
        session.engine.define_users().unwrap();
        assert_eq!(session.ask_once("PING"), "-NOAUTH Authentication required.\r\n");
        let users = session.ask("AUTH secret\nACL SETUSER bob\nACL LOAD\nACL USERS\nACL SAVE");
        assert!(users.starts_with("+OK\r\n+OK\r\n+OK\r\n*2\r\n$3\r\nada\r\n"), "{users}");
        assert!(users.contains("-ERR There was an error trying to save the ACLs."), "{users}");

        let mut session = with_file(|_| Ok(b"user a +nosuch\nbob\nuser b on\nuser b off".to_vec()));
        let reason = session.engine.define_users().unwrap_err();
        for part in
            ["users.acl:1: Unknown command", "users.acl:2: should start", "users.acl:4: Duplicate user 'b'"]
        {
            assert!(reason.contains(part), "{reason}");
        }
        assert_eq!(session.ask("ACL USERS"), "*1\r\n$7\r\ndefault\r\n");
    }

    #[test]
    fn lines_of_the_configuration_define_users() {
        let mut config = Config::default();
        config.apply("user", &[b"ada", b"on", b">pw", b"+@all", b"~*", b"(+get", b"~x)"]).unwrap();
        let mut session = Session::with(config);
        session.engine.define_users().unwrap();
        assert_eq!(session.ask("AUTH ada pw\nSET k v"), "+OK\r\n+OK\r\n");
        let mut config = Config::default();
        config.apply("user", &[b"ada", b"nonsense"]).unwrap();
        let reason = Session::with(config).engine.define_users().unwrap_err();
        assert_eq!(reason, "Error in user declaration 'ada': Syntax error");
    }

    #[test]
    fn what_a_user_is_described_as_makes_the_same_user() {
        let mut session = Session::new();
        session
            .ask("ACL SETUSER a on >x ~k* %R~r %W~w &c +@all -@admin +config|get -set +select|1 (~z +get)");
        let table = &session.engine.table;
        let id = session.engine.acl.find(b"a").unwrap();
        let text = session.engine.acl.get(id).describe();
        let words: Vec<&[u8]> = text.split(' ').map(str::as_bytes).collect();
        let mut again = User::new(false, table);
        for rule in join_selectors(&words).unwrap() {
            again.apply(&rule, false, table).unwrap();
        }
        assert_eq!(again.describe(), text);
        assert!(
            text.ends_with("+@all -@admin +config|get -set +select|1 (~z resetchannels -@all +get)"),
            "{text}"
        );
    }
}
