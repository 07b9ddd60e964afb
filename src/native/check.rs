//! `keyside-server check-rdb` and `check-aof`: whether files could be loaded, and if not, from where on not. What is after
//! that is cut off if somebody asks for it. They say what Redis's tools of these names say. No store is filled.

use std::{
    env,
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use keyside::{
    Config, Engine,
    persistence::{
        aof::{Manifest, Part, Role, Scanner},
        rdb::{Damage, Loader},
    },
};

use super::{append_log::is_snapshot, time::now_ms};

/// Bytes read at once.
const READ: usize = 1 << 20;

/// What has been said already, and ends the check.
struct Refused;

type Outcome<T> = Result<T, Refused>;

/// Says something, and that this was all.
macro_rules! refuse {
    ($($text:tt)*) => {{
        println!($($text)*);
        return Err(Refused)
    }};
}

/// Checks files, if the name of the program or its first word asks for it.
pub fn requested(words: &[String]) -> Option<ExitCode> {
    let program = env::args_os().next().map(PathBuf::from).unwrap_or_default();
    let program = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (tool, words) = match words.split_first() {
        _ if program.ends_with("check-rdb") => ("check-rdb", words),
        _ if program.ends_with("check-aof") => ("check-aof", words),
        Some((first, rest)) => (first.trim_start_matches("--"), rest),
        None => return None,
    };
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match tool {
        "check-rdb" => check_rdb(&words),
        "check-aof" => check_aof(&words),
        _ => return None,
    };
    Some(if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn check_rdb(words: &[&str]) -> Outcome<()> {
    match words {
        ["-v" | "--version"] => println!("keyside-check-rdb {}", super::VERSION),
        [path] => {
            let mut file = open(Path::new(path))?;
            check_snapshot(path, &mut file, &[])?;
        }
        _ => {
            eprintln!("Usage: keyside-server check-rdb <rdb-file-name>");
            return Err(Refused);
        }
    }
    Ok(())
}

/// What is to be done with commands that should not stay.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Remedy {
    None,
    /// Cuts off what is not whole.
    Fix,
    /// Cuts off what happened after this second.
    Until(u64),
}

fn check_aof(words: &[&str]) -> Outcome<()> {
    let until = |second: &str| second.parse().ok().filter(|&second| second > 0);
    let (remedy, path) = match words {
        ["-v" | "--version"] => {
            println!("keyside-check-aof {}", super::VERSION);
            return Ok(());
        }
        ["--fix", path] => (Remedy::Fix, path),
        ["--truncate-to-timestamp", second, path] => match until(second) {
            Some(second) => (Remedy::Until(second), path),
            None => refuse!("Invalid timestamp, aborting..."),
        },
        [path] => (Remedy::None, path),
        _ => refuse!(
            "Usage: keyside-server check-aof [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>"
        ),
    };
    let path = Path::new(path);
    match read_manifest(path)? {
        Some(manifest) => check_parts(path, &manifest, remedy),
        None => {
            println!("Start checking Old-Style AOF");
            let name = path.display().to_string();
            if check_part(&name, path, remedy, true)? {
                println!("AOF {name} is valid");
            }
            Ok(())
        }
    }
}

/// The manifest that a file is, if it is one.
fn read_manifest(path: &Path) -> Outcome<Option<Manifest>> {
    const LONGEST: u64 = 1 << 20;
    let mut text = Vec::new();
    let file = open(path)?;
    let is_named_so = path.extension().is_some_and(|extension| extension == "manifest");
    if file.take(LONGEST).read_to_end(&mut text).is_err() {
        refuse!("Cannot read file {}", path.display());
    }
    match Manifest::parse(&text) {
        Ok(manifest) if is_named_so || text.starts_with(b"file ") => Ok(Some(manifest)),
        Err(reason) if is_named_so || text.starts_with(b"file ") => {
            refuse!("Invalid AOF manifest file format: {reason}")
        }
        _ => Ok(None),
    }
}

fn check_parts(path: &Path, manifest: &Manifest, remedy: Remedy) -> Outcome<()> {
    println!("Start checking Multi Part AOF");
    let parts: Vec<&Part> = manifest.living().collect();
    let mut before = Role::Base;
    for (index, part) in parts.iter().enumerate() {
        let (name, place) = (&part.name, path.with_file_name(&part.name));
        let kind = if part.role == Role::Base { "BASE" } else { "INCR" };
        if part.role == Role::Base {
            let form = if open(&place).is_ok_and(|file| starts_as_snapshot(&file)) { "RDB" } else { "AOF" };
            println!("Start to check BASE AOF ({form} format).");
        } else if before == Role::Base {
            println!("Start to check INCR files.");
        }
        before = part.role;
        if check_part(name, &place, remedy, index + 1 == parts.len())? {
            println!("{kind} AOF {name} is valid");
        }
    }
    println!("All AOF files and manifest are valid");
    Ok(())
}

/// Checks a file of commands, which may begin with a snapshot. False if it was told already how it stands.
fn check_part(name: &str, path: &Path, remedy: Remedy, is_last: bool) -> Outcome<bool> {
    let mut file = open(path)?;
    let size = file.metadata().map_or(0, |facts| facts.len());
    if size == 0 {
        println!("AOF {name} is empty");
        return Ok(false);
    }
    let mut first = [0; 5];
    let len = read_start(&mut file, &mut first);
    let (start, rest) = if is_snapshot(&first[..len]) {
        let outcome = check_snapshot(name, &mut file, &first[..len])
            .inspect(|_| println!("RDB preamble is OK, proceeding with AOF tail..."));
        outcome.inspect_err(|_| println!("RDB preamble of AOF file is not sane, aborting."))?
    } else {
        (0, first[..len].to_vec())
    };
    let until = if let Remedy::Until(second) = remedy { Some(second) } else { None };
    let mut scanner = Scanner::default();
    scanner.until = until;
    let outcome = scan(&mut scanner, rest, &mut file);
    if let Some(at) = scanner.passed {
        return cut_to_time(name, path, start + at, until.unwrap_or(0), is_last);
    }
    let whole = start + scanner.whole();
    match &outcome {
        Ok(()) if scanner.is_in_transaction() => {
            println!("0x{size:16x}: Reached EOF before reading EXEC for MULTI");
        }
        Ok(()) if scanner.is_short() => {
            println!("0x{whole:16x}: Reached EOF before the end of a command");
        }
        Ok(()) => {}
        Err(reason) => println!("0x{whole:16x}: {reason}\nAOF {name} format error"),
    }
    if let (Remedy::Until(second), Ok(()), true) = (remedy, &outcome, whole == size) {
        println!("Truncate nothing in AOF {name} to timestamp {second}");
        return Ok(true);
    }
    println!(
        "AOF analyzed: filename={name}, size={size}, ok_up_to={whole}, ok_up_to_line={}, diff={}",
        scanner.lines + 1,
        size - whole
    );
    match remedy {
        _ if whole == size => Ok(true),
        Remedy::Fix if !is_last => {
            refuse!("Failed to truncate AOF {name} because it is not the last file")
        }
        Remedy::Fix => cut_damage(name, path, size, whole).map(|()| false),
        _ => refuse!("AOF {name} is not valid. Use the --fix option to try fixing it."),
    }
}

/// Follows the commands to their end.
fn scan(scanner: &mut Scanner, rest: Vec<u8>, file: &mut File) -> Result<(), String> {
    scanner.feed(&rest)?;
    let mut buffer = vec![0; READ];
    loop {
        match file.read(&mut buffer).map_err(|error| error.to_string())? {
            0 => return Ok(()),
            read => scanner.feed(&buffer[..read])?,
        }
    }
}

fn cut_damage(name: &str, path: &Path, size: u64, whole: u64) -> Outcome<()> {
    println!(
        "This will shrink the AOF {name} from {size} bytes, with {} bytes, to {whole} bytes",
        size - whole
    );
    print!("Continue? [y/N]: ");
    let mut answer = String::new();
    let asked = io::stdout().flush().and_then(|()| io::stdin().read_line(&mut answer));
    if asked.is_err() || !answer.to_lowercase().starts_with('y') {
        refuse!("Aborting...");
    }
    cut(name, path, whole)?;
    println!("Successfully truncated AOF {name}");
    Ok(())
}

fn cut_to_time(name: &str, path: &Path, at: u64, second: u64, is_last: bool) -> Outcome<bool> {
    if !is_last {
        refuse!(
            "Failed to truncate AOF {name} to timestamp {second} to offset {at} because it is not the last file.\nIf you insist, please delete all files after this file according to the manifest file and delete the corresponding records in manifest file manually. Then re-run keyside-server check-aof."
        );
    }
    // An empty file would be taken for one that nothing happened in.
    if at == 0 {
        refuse!("AOF {name} has nothing before timestamp {second}, aborting...");
    }
    cut(name, path, at)?;
    println!("Successfully truncated AOF {name} to timestamp {second}");
    Ok(false)
}

fn cut(name: &str, path: &Path, len: u64) -> Outcome<()> {
    let file = OpenOptions::new().write(true).open(path);
    match file.and_then(|file| file.set_len(len).and_then(|()| file.sync_all())) {
        Ok(()) => Ok(()),
        Err(error) => refuse!("Failed to truncate AOF {name}: {error}"),
    }
}

/// Checks a snapshot of which the first bytes were read already. Where it ends, and what follows it.
fn check_snapshot(name: &str, file: &mut File, first: &[u8]) -> Outcome<(u64, Vec<u8>)> {
    println!("[offset 0] Checking RDB file {name}");
    let mut engine = Engine::new(Config::default(), 0);
    let mut loader = engine.loader().checking();
    let (mut told, mut len, mut buffer) = ((0, 0), first.len() as u64, vec![0; READ]);
    let mut bytes = first;
    let damage = loop {
        let outcome = engine.load(&mut loader, Some(bytes), now_ms());
        tell(&loader, &mut told);
        if let Err(damage) = outcome {
            break damage;
        }
        if let Some(rest) = loader.take_rest() {
            let end = len - rest.len() as u64;
            println!("[offset {end}] Checksum OK\n[offset {end}] \\o/ RDB looks OK! \\o/");
            tell_counts(&loader);
            return Ok((end, rest));
        }
        match file.read(&mut buffer) {
            Ok(read) if read > 0 => {
                len += read as u64;
                bytes = &buffer[..read];
            }
            Ok(_) => match engine.load(&mut loader, None, now_ms()) {
                Err(damage) => break damage,
                Ok(()) => break Damage { position: len, reason: "it ends too early".into() },
            },
            Err(error) => break Damage { position: len, reason: error.to_string() },
        }
    };
    println!("--- RDB ERROR DETECTED ---\n[offset {}] {}", damage.position, damage.reason);
    tell_counts(&loader);
    Err(Refused)
}

/// Tells what was found since the last time.
fn tell(loader: &Loader, told: &mut (usize, usize)) {
    for (name, value, at) in &loader.aux[told.0..] {
        println!("[offset {at}] AUX FIELD {} = '{}'", name.escape_ascii(), value.escape_ascii());
    }
    for (db, at) in &loader.databases[told.1..] {
        println!("[offset {at}] Selecting DB ID {db}");
    }
    *told = (loader.aux.len(), loader.databases.len());
}

fn tell_counts(loader: &Loader) {
    println!("[info] {} keys read", loader.keys);
    println!("[info] {} expires\n[info] {} already expired", loader.expires, loader.expired);
}

fn open(path: &Path) -> Outcome<File> {
    match File::open(path) {
        Ok(file) => Ok(file),
        Err(error) => refuse!("Cannot open file {}: {error}", path.display()),
    }
}

fn starts_as_snapshot(mut file: &File) -> bool {
    let mut first = [0; 5];
    let len = read_start(&mut file, &mut first);
    is_snapshot(&first[..len])
}

/// Reads as many bytes as there are, and room for.
fn read_start(file: &mut impl Read, into: &mut [u8]) -> usize {
    let mut len = 0;
    while let Ok(read @ 1..) = file.read(&mut into[len..]) {
        len += read;
    }
    len
}
