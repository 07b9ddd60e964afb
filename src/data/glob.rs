//! Glob patterns, as KEYS, SCAN MATCH and PSUBSCRIBE understand them: `*`, `?`, `[a-z]`, `[^a]` and `\`. They match
//! bytes, not characters, and the whole text. In the worst case the time is the product of both lengths: there is no
//! recursion and no pattern that blows up.

use memchr::memchr;

/// A pattern, ready to be matched many times.
#[derive(Clone, Copy, Debug)]
pub struct Glob<'p> {
    pattern: &'p [u8],
    /// How many bytes at the front stand for themselves.
    prefix_len: usize,
    ignores_case: bool,
}

impl<'p> Glob<'p> {
    /// Reads a pattern. Every byte string is one.
    pub fn new(pattern: &'p [u8]) -> Self {
        let prefix_len = pattern.iter().position(|byte| is_special(*byte)).unwrap_or(pattern.len());
        Glob { pattern, prefix_len, ignores_case: false }
    }

    /// The same pattern, for which `a` is `A`, save after a backslash in brackets.
    pub fn ignoring_case(self) -> Self {
        Glob { prefix_len: 0, ignores_case: true, ..self }
    }

    /// What every text that matches begins with.
    pub fn prefix(&self) -> &'p [u8] {
        &self.pattern[..self.prefix_len]
    }

    /// The only text that matches, when no byte of the pattern is special.
    pub fn literal(&self) -> Option<&'p [u8]> {
        (!self.ignores_case && self.prefix_len == self.pattern.len()).then_some(self.pattern)
    }

    /// Whether it is a star alone. Commands that look through keys or members take it as no pattern at all, and so
    /// find the empty one too.
    pub fn is_star(&self) -> bool {
        self.pattern == b"*"
    }

    /// Whether all of `text` matches. An empty text matches no pattern but the empty one, not even a star.
    pub fn matches(&self, text: &[u8]) -> bool {
        if text.is_empty() || !text.starts_with(self.prefix()) {
            return text.is_empty() && self.pattern.is_empty();
        }
        let (mut at, mut here) = (self.prefix_len, self.prefix_len);
        // Where to go on when what follows the last star does not match: the star takes one byte more.
        let mut star = None;
        while here < text.len() {
            if self.pattern.get(at) == Some(&b'*') {
                at += 1;
                here += match self.skippable(at, &text[here..]) {
                    Some(skip) => skip,
                    None => return false,
                };
                star = Some((at, here));
            } else if let Some(next) = self.match_one(at, text[here]) {
                (at, here) = (next, here + 1);
            } else if let Some((after, from)) = star {
                let Some(skip) = self.skippable(after, &text[from + 1..]) else { return false };
                (at, here) = (after, from + 1 + skip);
                star = Some((at, here));
            } else {
                return false;
            }
        }
        self.pattern[at..].iter().all(|&byte| byte == b'*')
    }

    /// How many bytes a star passes over at least, when a plain byte follows it; `None` when that byte does not come.
    #[inline]
    fn skippable(&self, at: usize, text: &[u8]) -> Option<usize> {
        match self.pattern.get(at) {
            None => Some(text.len()),
            Some(&byte) if !self.ignores_case && !is_special(byte) => memchr(byte, text),
            Some(_) => Some(0),
        }
    }

    /// Where the pattern goes on after the element at `at`, which is not a star, if that takes the byte.
    #[inline]
    fn match_one(&self, at: usize, byte: u8) -> Option<usize> {
        match self.pattern.get(at)? {
            b'?' => Some(at + 1),
            b'[' => self.match_class(at + 1, byte),
            b'\\' if at + 1 < self.pattern.len() => self.same(self.pattern[at + 1], byte).then_some(at + 2),
            &plain => self.same(plain, byte).then_some(at + 1),
        }
    }

    /// The same for what follows an opening bracket. A class that is never closed ends with the pattern.
    fn match_class(&self, start: usize, byte: u8) -> Option<usize> {
        let negated = self.pattern.get(start) == Some(&b'^');
        let mut at = start + negated as usize;
        let mut found = false;
        let end = loop {
            match self.pattern[at..] {
                [] => break at,
                [b'\\', escaped, ..] => {
                    found |= escaped == byte;
                    at += 2;
                }
                [b']', ..] => break at + 1,
                [from, b'-', to, ..] => {
                    found |= self.is_between(from, to, byte);
                    at += 3;
                }
                [plain, ..] => {
                    found |= self.same(plain, byte);
                    at += 1;
                }
            }
        };
        (found != negated).then_some(end)
    }

    fn is_between(&self, from: u8, to: u8, byte: u8) -> bool {
        let (low, high) = (from.min(to), from.max(to));
        match self.ignores_case {
            false => (low..=high).contains(&byte),
            true => {
                (low.to_ascii_lowercase()..=high.to_ascii_lowercase()).contains(&byte.to_ascii_lowercase())
            }
        }
    }

    #[inline]
    fn same(&self, a: u8, b: u8) -> bool {
        a == b || (self.ignores_case && a.eq_ignore_ascii_case(&b))
    }
}

fn is_special(byte: u8) -> bool {
    matches!(byte, b'*' | b'?' | b'[' | b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn matches(pattern: &str, text: &str) -> bool {
        Glob::new(pattern.as_bytes()).matches(text.as_bytes())
    }

    /// The same said as a definition: each way a star can go is tried.
    fn defined(glob: &Glob<'_>, at: usize, text: &[u8]) -> bool {
        match (glob.pattern.get(at), text) {
            (None, text) => text.is_empty(),
            (Some(b'*'), text) => (0..=text.len()).any(|skip| defined(glob, at + 1, &text[skip..])),
            (Some(_), []) => false,
            (Some(_), [byte, rest @ ..]) => {
                glob.match_one(at, *byte).is_some_and(|next| defined(glob, next, rest))
            }
        }
    }

    #[test]
    fn agrees_with_its_definition() {
        let mut state = 1u64;
        let mut below = |n: usize| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            ((state >> 33) as usize) % n
        };
        let mut met = 0;
        for _ in 0..if cfg!(miri) { 300 } else { 100_000 } {
            let pattern: Vec<u8> = (0..below(8)).map(|_| b"aab*b*?[]^-\\A"[below(13)]).collect();
            let text: Vec<u8> = (0..below(8)).map(|_| b"aabbA]"[below(6)]).collect();
            for glob in [Glob::new(&pattern), Glob::new(&pattern).ignoring_case()] {
                let expected = defined(&glob, 0, &text) && (!text.is_empty() || pattern.is_empty());
                met += expected as usize;
                assert_eq!(
                    glob.matches(&text),
                    expected,
                    "{} {}",
                    pattern.escape_ascii(),
                    text.escape_ascii()
                );
                assert!(!expected || text.starts_with(glob.prefix()));
                assert!(glob.literal().is_none_or(|literal| (literal == text) == expected));
            }
        }
        assert!(met > 20);
    }

    /// What SSCAN MATCH of redis-server 7.0.15 finds among these members.
    #[test]
    fn finds_what_redis_finds() {
        let members = ["", "a", "ab", "-", "]", "^", "b", "\\", "[", "c"];
        for (pattern, found) in FOUND {
            let ours: Vec<_> = members.iter().copied().filter(|member| matches(pattern, member)).collect();
            assert_eq!(ours, *found, "{pattern}");
        }
    }

    const FOUND: &[(&str, &[&str])] = &[
        ("**", &["a", "ab", "-", "]", "^", "b", "\\", "[", "c"]),
        ("a**", &["a", "ab"]),
        ("[]", &[]),
        ("[^]", &["a", "-", "]", "^", "b", "\\", "[", "c"]),
        ("[^]*", &["a", "ab", "-", "]", "^", "b", "\\", "[", "c"]),
        ("[a", &["a"]),
        ("[a-", &["a", "-"]),
        ("[a-]", &["a", "]", "^"]),
        ("[^a", &["-", "]", "^", "b", "\\", "[", "c"]),
        ("[", &[]),
        ("[^", &["a", "-", "]", "^", "b", "\\", "[", "c"]),
        ("[\\]]", &["]"]),
        ("[\\", &["\\"]),
        ("\\", &["\\"]),
        ("a\\", &[]),
        ("\\a", &["a"]),
        ("[]a]", &[]),
        ("[c-a]", &["a", "b", "c"]),
        ("?", &["a", "-", "]", "^", "b", "\\", "[", "c"]),
        ("[a-c", &["a", "b", "c"]),
        ("", &[""]),
    ];

    #[test]
    fn case_is_ignored_on_demand() {
        let matches = |pattern: &str, text: &str| {
            Glob::new(pattern.as_bytes()).ignoring_case().matches(text.as_bytes())
        };
        for pattern in ["G[E]T", "G[e]t", "G[\\e]T", "G\\Et", "[F-H]eT", "[h-F]et", "GE?", "*T"] {
            assert!(matches(pattern, "get"), "{pattern}");
        }
        assert!(!matches("g[\\E]t", "get"));
    }

    #[test]
    fn stars_do_not_blow_up() {
        let pattern = b"a*".repeat(500);
        let text = b"a".repeat(5000);
        assert!(Glob::new(&pattern).matches(&text));
        let pattern = [&b"*a?".repeat(500)[..], b"b"].concat();
        assert!(!Glob::new(&pattern).matches(&text));
    }
}
