//! Configuration as text: the command line and configuration files become directives, in the order in which they take
//! effect. What a directive means is none of its business.

use std::{
    fmt, fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use keyside::resp::split_quoted;

/// Files within files, before somebody must have made a circle.
const INCLUDES_MAX: usize = 16;

/// A name and its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Directive {
    /// The name, in lower case.
    pub name: String,
    /// The values, unquoted.
    pub values: Vec<Vec<u8>>,
    /// Where it stands, for who has to correct it.
    pub place: Place,
}

/// Where a directive was written.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// On the command line.
    CommandLine,
    /// In a file, or on standard input if the path is `-`, in a line counted from 1.
    Line(PathBuf, usize),
}

/// A configuration that cannot be followed: where, what stands there, and why not.
#[derive(Debug, PartialEq)]
pub struct Fatal {
    place: Place,
    text: String,
    reason: String,
}

/// What the command line asks for.
#[derive(Debug, PartialEq)]
pub enum Request {
    /// The server, configured by these, and the configuration file if there is one.
    Serve(Vec<Directive>, Option<PathBuf>),
    /// The version.
    Version,
    /// How to use the program.
    Help,
}

impl Directive {
    /// The refusal of this directive.
    pub fn refuse(&self, reason: impl Into<String>) -> Fatal {
        let quoted = self.values.iter().map(|value| format!(" \"{}\"", value.escape_ascii()));
        Fatal {
            place: self.place.clone(),
            text: self.name.clone() + &quoted.collect::<String>(),
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "\n*** FATAL CONFIG FILE ERROR (keyside {}) ***", env!("CARGO_PKG_VERSION"))?;
        match &self.place {
            Place::CommandLine => writeln!(f, "Reading the command line")?,
            Place::Line(path, line) => {
                writeln!(f, "Reading the configuration file {}, at line {line}", path.display())?;
            }
        }
        write!(f, ">>> '{}'\n{}", self.text, self.reason)
    }
}

/// Reads the words after the program's name. A first word that is no option is a configuration file, a `-` there or at
/// the end is standard input, and what follows an option up to the next one are its values.
pub fn read_command_line(words: &[String]) -> Result<Request, Fatal> {
    match words {
        [word] if word == "-v" || word == "--version" => return Ok(Request::Version),
        [word] if word == "-h" || word == "--help" => return Ok(Request::Help),
        _ => {}
    }
    let (path, options) = match words.split_first() {
        Some((first, rest)) if first == "-" || !first.starts_with('-') => (Some(PathBuf::from(first)), rest),
        _ => (None, words),
    };
    let (options, stdin) = match options.split_last() {
        Some((last, rest)) if last == "-" => (rest, Some(Path::new("-"))),
        _ => (options, None),
    };
    let mut directives = Vec::new();
    for path in path.as_deref().into_iter().chain(stdin) {
        read_file(path, &mut directives, 0)?;
    }
    read_options(options, &mut directives)?;
    Ok(Request::Serve(directives, path.filter(|path| path != Path::new("-"))))
}

fn read_options(options: &[String], directives: &mut Vec<Directive>) -> Result<(), Fatal> {
    for word in options {
        match word.strip_prefix("--").filter(|name| !name.is_empty()) {
            Some(name) => {
                let name = name.to_ascii_lowercase();
                directives.push(Directive { name, values: Vec::new(), place: Place::CommandLine });
            }
            None => match directives.last_mut().filter(|it| it.place == Place::CommandLine) {
                Some(directive) => directive.values.push(word.clone().into_bytes()),
                None => {
                    let reason = "Bad directive or wrong number of arguments".to_string();
                    return Err(Fatal { place: Place::CommandLine, text: word.clone(), reason });
                }
            },
        }
    }
    Ok(())
}

fn read_file(path: &Path, directives: &mut Vec<Directive>, depth: usize) -> Result<(), Fatal> {
    let text = read(path).map_err(|error| Fatal {
        place: Place::Line(path.into(), 0),
        text: path.display().to_string(),
        reason: format!("Can't open the configuration file: {error}"),
    })?;
    for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() || line[0] == b'#' {
            continue;
        }
        let place = Place::Line(path.into(), index + 1);
        let Some(words) = split_quoted(line) else {
            let text = String::from_utf8_lossy(line).into_owned();
            return Err(Fatal { place, text, reason: "Unbalanced quotes in configuration line".to_string() });
        };
        let mut words = words.into_iter();
        let Some(name) = words.next() else { continue };
        let name = String::from_utf8_lossy(&name).to_ascii_lowercase();
        let directive = Directive { name, values: words.collect(), place };
        match (&*directive.name, &*directive.values) {
            ("include", [_]) if depth == INCLUDES_MAX => {
                return Err(directive.refuse("Too many nested includes"));
            }
            ("include", [file]) => {
                let file = PathBuf::from(String::from_utf8_lossy(file).into_owned());
                read_file(&file, directives, depth + 1)?;
            }
            _ => directives.push(directive),
        }
    }
    Ok(())
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut text = Vec::new();
        io::stdin().read_to_end(&mut text)?;
        return Ok(text);
    }
    fs::read(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directives(words: &[&str]) -> Result<Vec<(String, Vec<String>)>, String> {
        let words: Vec<String> = words.iter().map(|word| word.to_string()).collect();
        let text = |value: &Vec<u8>| String::from_utf8_lossy(value).into_owned();
        match read_command_line(&words) {
            Ok(Request::Serve(all, _)) => {
                Ok(all.iter().map(|it| (it.name.clone(), it.values.iter().map(text).collect())).collect())
            }
            Ok(other) => panic!("{other:?}"),
            Err(fatal) => Err(fatal.to_string()),
        }
    }

    fn pair(name: &str, values: &[&str]) -> (String, Vec<String>) {
        (name.to_string(), values.iter().map(|value| value.to_string()).collect())
    }

    #[test]
    fn words_belong_to_the_option_before_them() {
        assert_eq!(directives(&[]), Ok(vec![]));
        assert_eq!(
            directives(&["--Port", "7000", "--save", "", "--bind", "127.0.0.1", "-::1"]),
            Ok(vec![pair("port", &["7000"]), pair("save", &[""]), pair("bind", &["127.0.0.1", "-::1"])])
        );
        assert!(
            directives(&["-x"])
                .unwrap_err()
                .ends_with(">>> '-x'\nBad directive or wrong number of arguments")
        );
    }

    #[test]
    fn a_file_comes_before_the_options_and_includes_others_where_they_are_named() {
        let dir = std::env::temp_dir().join(format!("keyside-directives-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let (outer, inner) = (dir.join("outer.conf"), dir.join("inner.conf"));
        fs::write(&inner, "DIR \"/a b\"\r\n").unwrap();
        fs::write(&outer, format!("# comment\n\n  port 1\ninclude {}\nbind 'x'\n", inner.display())).unwrap();
        let found = directives(&[outer.to_str().unwrap(), "--port", "2"]);
        fs::write(&outer, "port 1\nfoo \"bar\n").unwrap();
        let unbalanced = directives(&[outer.to_str().unwrap()]);
        fs::write(&outer, format!("include {}\n", outer.display())).unwrap();
        let circle = directives(&[outer.to_str().unwrap()]);
        fs::remove_dir_all(&dir).unwrap();

        let expected =
            [pair("port", &["1"]), pair("dir", &["/a b"]), pair("bind", &["x"]), pair("port", &["2"])];
        assert_eq!(found, Ok(expected.to_vec()));
        let unbalanced = unbalanced.unwrap_err();
        assert!(unbalanced.contains("at line 2\n>>> 'foo \"bar'\nUnbalanced quotes"), "{unbalanced}");
        assert!(circle.unwrap_err().ends_with("Too many nested includes"));
    }
}
