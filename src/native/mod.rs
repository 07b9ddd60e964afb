//! The server around the engine: sockets, clocks, signals, the command line and the log. Everything that waits is here;
//! what a request means is decided elsewhere.
//!
//! One thread does all of it, the engine's work included: `shell` is what its tasks share, `connection` is the task of a
//! client, `listener` makes them.

mod append_log;
mod check;
mod connection;
mod directives;
mod disk;
mod files;
mod journal;
mod link;
mod listener;
mod log;
mod settings;
mod shell;
mod snapshots;
mod time;
mod usage;

use std::{
    env, fs,
    hash::{BuildHasher, RandomState},
    mem,
    path::PathBuf,
    process::{self, ExitCode},
    rc::Rc,
    thread,
    time::Duration,
};

use keyside::{Config, Engine, Files, Host};
use tokio::{
    runtime,
    signal::unix::{Signal, SignalKind, signal},
    task::spawn_local,
};

use directives::Request;
use journal::Journal;
use listener::Listeners;
use settings::Settings;
use shell::{Shell, State};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// How long slow clients may take to fetch their last replies.
const LAST_WRITES: Duration = Duration::from_secs(2);

const USAGE: &str = "\
Usage: keyside-server [/path/to/keyside.conf | -] [--directive value ...] [-]
       keyside-server -v | --version
       keyside-server -h | --help
       keyside-server check-rdb file.rdb
       keyside-server check-aof [--fix|--truncate-to-timestamp seconds] file.manifest|file.aof

A `-` reads the configuration from standard input. Directives are those of redis.conf.

Examples:
       keyside-server
       keyside-server --port 7777 --requirepass secret
       keyside-server /etc/keyside.conf --loglevel verbose
       echo 'maxclients 100' | keyside-server -";

/// Does what the command line says. `allocated` counts the bytes that the process has allocated.
pub fn main(allocated: fn() -> usize) -> ExitCode {
    let words: Vec<String> = env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some(code) = check::requested(&words) {
        return code;
    }
    match directives::read_command_line(&words) {
        Ok(Request::Version) => {
            println!("keyside server v={VERSION} malloc=libc bits={}", usize::BITS);
            ExitCode::SUCCESS
        }
        Ok(Request::Help) => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        Ok(Request::Serve(directives, file)) => {
            let mut config = Config {
                host: host(allocated, file),
                interpreter: keyside::INTERPRETER,
                ..Config::default()
            };
            match settings::configure(&mut config, &directives) {
                Ok(()) => start(config),
                Err(fatal) => fail(fatal),
            }
        }
        Err(fatal) => fail(fatal),
    }
}

fn fail(fatal: directives::Fatal) -> ExitCode {
    eprintln!("{fatal}");
    ExitCode::FAILURE
}

fn start(mut config: Config) -> ExitCode {
    let mut settings = Settings::of(&config);
    let log = settings.log.clone();
    log.warning(format_args!(
        "keyside version={VERSION}, bits={}, pid={}, just started",
        usize::BITS,
        process::id()
    ));
    if settings.limit_clients() {
        let maxclients = settings.maxclients.to_string();
        config.apply("maxclients", &[maxclients.as_bytes()]).expect("a smaller number than before");
    }
    config.host.tcp_port = settings.port;
    if let Some(dir) = &settings.dir
        && let Err(error) = env::set_current_dir(dir)
    {
        log.warning(format_args!("Can't chdir to '{}': {error}", dir.display()));
        return ExitCode::FAILURE;
    }
    let served = runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(runtime::LocalOptions::default())
        .map_err(|error| format!("Can't start the runtime: {error}"))
        .and_then(|runtime| runtime.block_on(serve(settings, config)));
    match served {
        Ok(()) => {
            log.warning(format_args!("keyside is now ready to exit, bye bye..."));
            ExitCode::SUCCESS
        }
        Err(reason) => {
            log.warning(format_args!("{reason}"));
            ExitCode::FAILURE
        }
    }
}

/// Serves clients until a signal ends that.
async fn serve(settings: Settings, config: Config) -> Result<(), String> {
    let signal = |kind| signal(kind).map_err(|error| format!("Can't wait for signals: {error}"));
    let (mut sigterm, mut sigint) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let listeners = Listeners::open(&settings)?;
    let seed = RandomState::new().hash_one(time::now_ms());
    let mut engine = Engine::new(config, seed);
    engine.define_users()?;
    settings.log.notice(format_args!(
        "Running mode=standalone, port={}, PID: {}.",
        settings.port,
        process::id()
    ));
    settings.log.warning(format_args!("Server initialized"));
    let (mut journal, outcomes) = Journal::new(engine.config());
    let found = journal.load(&mut engine, &settings.log)?;
    if !found {
        snapshots::load(&mut engine, &settings.log)?;
    }
    journal.start(&mut engine, found)?;
    let shell = Shell::new(settings, engine, journal);
    announce(&shell.settings.borrow());

    listeners.accept(&shell);
    spawn_local(shell.clone().keep_time());
    spawn_local(shell.clone().keep_snapshots());
    spawn_local(shell.clone().keep_journal(outcomes));
    spawn_local(shell.clone().keep_link());
    loop {
        let name = tokio::select! {
            name = either(&mut sigterm, &mut sigint) => name,
            () = shell.over.notified() => break,
        };
        shell.log().warning(format_args!("Received {name}, shutting down"));
        if begin_to_end(&shell, name) {
            if shell.state.borrow().engine.is_over() {
                break;
            }
            continue;
        }
        shell.log().warning(format_args!(
            "Errors trying to shut down the server, check the logs for more information."
        ));
    }
    shell.end_journal();
    shell.state.borrow_mut().release_held();
    shell.log_notes(&mut shell.state.borrow_mut());
    shell.log().warning(format_args!("User requested shutdown..."));
    listener::stop();
    tokio::select! {
        () = end(&shell) => {}
        _ = either(&mut sigterm, &mut sigint) => shell.log().warning(format_args!("You insist... exiting now.")),
    }
    if let Some(path) = &shell.settings.borrow().unixsocket {
        let _ = fs::remove_file(path);
    }
    // The process ends: nobody needs its memory given back piece by piece.
    mem::forget(shell);
    Ok(())
}

fn announce(settings: &Settings) {
    let log = &settings.log;
    if !settings.saves {
        log.warning(format_args!("Data is kept in memory only: it is gone when this process ends"));
    }
    if let Some(path) = &settings.unixsocket {
        log.notice(format_args!("The server is now ready to accept connections at {}", path.display()));
    }
    log.notice(format_args!("Ready to accept connections"));
}

async fn either(sigterm: &mut Signal, sigint: &mut Signal) -> &'static str {
    tokio::select! {
        _ = sigterm.recv() => "SIGTERM",
        _ = sigint.recv() => "SIGINT",
    }
}

/// Begins the end that a signal asks for; false if it cannot come.
fn begin_to_end(shell: &Shell, signal: &str) -> bool {
    let State { engine, .. } = &mut *shell.state.borrow_mut();
    engine.tick(time::now_ms());
    let begun = engine.begin_to_end(shell.settings.borrow().on_signal(signal));
    engine.take_notes().for_each(|note| shell.log().warning(format_args!("{note}")));
    begun.is_ok()
}

/// Waits until every client has been sent what it is owed, or long enough.
async fn end(shell: &Rc<Shell>) {
    shell.state.borrow_mut().end();
    if shell.state.borrow().connections > 0 {
        let _ = tokio::time::timeout(LAST_WRITES, shell.alone.notified()).await;
    }
}

fn host(allocated: fn() -> usize, file: Option<PathBuf>) -> Host {
    let kernel = |name| fs::read_to_string(format!("/proc/sys/kernel/{name}"));
    let os = match (kernel("ostype"), kernel("osrelease")) {
        (Ok(kind), Ok(release)) => format!("{} {} {}", kind.trim(), release.trim(), env::consts::ARCH),
        _ => format!("{} {}", env::consts::OS, env::consts::ARCH),
    };
    Host {
        clock: time::clock_us,
        allocated,
        resident: usage::resident,
        cpu: usage::cpu_us,
        entropy: Some(|secret| getrandom::fill(secret).expect("the system has chance to give")),
        files: Some(Files { read: files::read, write: files::write, create: files::create }),
        listen: Some(listener::listen_again),
        sleep: Some(|micros| thread::sleep(Duration::from_micros(micros))),
        os,
        process_id: process::id(),
        tcp_port: 0,
        executable: env::current_exe().map_or_else(|_| String::new(), |path| path.display().to_string()),
        config_file: file
            .and_then(|path| fs::canonicalize(path).ok())
            .map_or_else(String::new, |path| path.display().to_string()),
    }
}
