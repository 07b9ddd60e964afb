//! One user: whether it may come in, with which passwords, and what it may do then.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use sha2::{Digest as _, Sha256};

use super::{
    super::dispatch::Table,
    selector::{Denied, Request, RuleError, SYNTAX, Selector, sort_pattern},
};

/// The SHA-256 of a password.
type Hash = [u8; 32];

const NO_SUCH_PASSWORD: RuleError = "The password you are trying to remove from the user does not exist";
const BAD_HASH: RuleError =
    "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters";

/// A user.
#[derive(Clone, Default)]
pub struct User {
    /// Whether it may authenticate.
    pub enabled: bool,
    /// Whether any password will do.
    pub any_password: bool,
    /// What was said of the payloads of RESTORE, which are always checked.
    sanitizes: Option<bool>,
    passwords: Vec<Hash>,
    root: Selector,
    selectors: Vec<Selector>,
}

impl User {
    /// A user that may do nothing, but for listening to every channel if `all_channels`.
    pub fn new(all_channels: bool, table: &Table) -> User {
        let mut user = User::default();
        user.reset(all_channels, table);
        user
    }

    /// The user of clients that have not said who they are: it may do everything, without a password.
    pub fn unrestricted(table: &Table) -> User {
        let mut user = User { enabled: true, any_password: true, ..User::default() };
        for rule in [b"~*", &b"&*"[..], b"+@all"] {
            user.root.apply(rule, table).expect("a rule as it should be");
        }
        user
    }

    fn reset(&mut self, all_channels: bool, table: &Table) {
        *self = User::default();
        if all_channels {
            self.root.apply(b"allchannels", table).expect("a rule as it should be");
        }
    }

    /// Applies one rule of ACL SETUSER; selectors are one rule, parentheses included.
    pub fn apply(&mut self, rule: &[u8], all_channels: bool, table: &Table) -> Result<(), RuleError> {
        match &*rule.to_ascii_lowercase() {
            b"on" => self.enabled = true,
            b"off" => self.enabled = false,
            b"nopass" => (self.any_password, self.passwords) = (true, Vec::new()),
            b"resetpass" => (self.any_password, self.passwords) = (false, Vec::new()),
            b"skip-sanitize-payload" => self.sanitizes = Some(false),
            b"sanitize-payload" => self.sanitizes = Some(true),
            b"clearselectors" => self.selectors.clear(),
            b"reset" => self.reset(all_channels, table),
            [b'>', ..] => self.add_password(hash(&rule[1..])),
            [b'#', ..] => self.add_password(parse_hash(&rule[1..]).ok_or(BAD_HASH)?),
            [b'<', ..] => self.remove_password(hash(&rule[1..]))?,
            [b'!', ..] => self.remove_password(parse_hash(&rule[1..]).ok_or(BAD_HASH)?)?,
            [b'(', ..] => {
                let rules = rule[1..].strip_suffix(b")").ok_or(SYNTAX)?;
                let mut selector = Selector::default();
                for rule in rules.split(|&byte| byte == b' ') {
                    selector.apply(rule, table)?;
                }
                self.selectors.push(selector);
            }
            _ => self.root.apply(rule, table)?,
        }
        Ok(())
    }

    fn add_password(&mut self, hash: Hash) {
        self.any_password = false;
        if !self.passwords.contains(&hash) {
            self.passwords.push(hash);
        }
    }

    fn remove_password(&mut self, hash: Hash) -> Result<(), RuleError> {
        let at = self.passwords.iter().position(|own| *own == hash).ok_or(NO_SUCH_PASSWORD)?;
        self.passwords.remove(at);
        Ok(())
    }

    /// Whether a password lets it in, found out in a time that tells nothing of the right ones.
    pub fn accepts(&self, password: &[u8]) -> bool {
        let given = hash(password);
        let is_right = self.passwords.iter().fold(false, |is_right, own| is_right | same_secret(own, &given));
        self.enabled && (self.any_password || is_right)
    }

    /// Whether it may do everything.
    pub fn is_unrestricted(&self) -> bool {
        self.root.is_unrestricted()
    }

    /// Lets a request through, or says why not.
    pub fn check(&self, request: &Request) -> Result<(), Denied> {
        self.check_words(request)?;
        let Some(option) = sort_pattern(request) else { return Ok(()) };
        let sees_all = |selector: &Selector| selector.reads_every_key() && selector.check(request).is_ok();
        if self.selectors().any(sees_all) { Ok(()) } else { Err(Denied::Pattern(option)) }
    }

    fn check_words(&self, request: &Request) -> Result<(), Denied> {
        let mut denied = match self.root.check(request) {
            Ok(()) => return Ok(()),
            Err(denied) => denied,
        };
        for selector in &self.selectors {
            match selector.check(request) {
                Ok(()) => return Ok(()),
                Err(other) => denied = denied.max(other),
            }
        }
        Err(denied)
    }

    /// Whether it may use a channel, or listen to a pattern.
    pub fn allows_channel(&self, name: &[u8], is_pattern: bool) -> bool {
        self.selectors().any(|selector| selector.allows_channel(name, is_pattern))
    }

    /// What it may do: the rules of its own, and then those of its further selectors.
    pub fn selectors(&self) -> impl Iterator<Item = &Selector> {
        [&self.root].into_iter().chain(&self.selectors)
    }

    /// What ACL GETUSER lists as flags.
    pub fn flags(&self) -> Vec<&'static str> {
        let mut flags = Vec::from([if self.enabled { "on" } else { "off" }]);
        if self.any_password {
            flags.push("nopass");
        }
        match self.sanitizes {
            Some(true) => flags.push("sanitize-payload"),
            Some(false) => flags.push("skip-sanitize-payload"),
            None => {}
        }
        flags
    }

    /// The hashes of its passwords in hexadecimal digits.
    pub fn passwords(&self) -> impl ExactSizeIterator<Item = String> {
        self.passwords.iter().map(|hash| hash.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// All rules, from which the same user can be made again.
    pub fn describe(&self) -> String {
        let flags = self.flags().into_iter().map(ToString::to_string);
        let passwords = self.passwords().map(|hash| format!("#{hash}"));
        let selectors = self.selectors.iter().map(|selector| format!("({})", selector.describe()));
        let parts = flags.chain(passwords).chain([self.root.describe()]).chain(selectors);
        parts.collect::<Vec<_>>().join(" ")
    }
}

fn hash(password: &[u8]) -> Hash {
    Sha256::digest(password).into()
}

fn parse_hash(digits: &[u8]) -> Option<Hash> {
    let mut hash = Hash::default();
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    if digits.len() != 2 * hash.len() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(hash)
}

/// Whether two secrets are the same, in a time that does not tell how much of them is.
pub fn same_secret(a: &[u8], b: &[u8]) -> bool {
    let differences = a.iter().zip(b).fold(0, |differences, (a, b)| differences | (a ^ b));
    a.len() == b.len() && core::hint::black_box(differences) == 0
}
