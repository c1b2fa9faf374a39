//! A program of somebody else: found or skipped by name, started, listened to, and stopped whatever happens.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// How long anything a program does may take. It takes milliseconds, half a minute for thousands of devices; this is for a
/// machine that has other work.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);
const GLANCE: Duration = Duration::from_millis(10);

/// Whether all of `programs`, each with the package it comes in, are there; else says which is missing.
pub(crate) fn all_installed(programs: &[(&str, &str)]) -> bool {
    let mut all = true;
    for (program, package) in programs {
        let found = std::env::var_os("PATH").is_some_and(|path| {
            std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
        });
        if !found {
            skipped(&format!("{program} is not installed (package {package})"));
            all = false;
        }
    }
    all
}

/// Says so past the test harness, which shows nothing of a test that passes.
pub(crate) fn skipped(why: &str) {
    let mut stderr = std::io::stderr();
    let thread = thread::current();
    let test = thread.name().unwrap_or("a test").to_owned();
    writeln!(stderr, "skipped: {test}: {why}").unwrap();
}

/// A port that is free now. A program that is told its port cannot be asked for one; so that nobody takes it before the
/// program does, it is none that systems give to outgoing connections.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    const PORTS: u32 = 10_000;
    // Another run of these tests begins elsewhere.
    let first = std::process::id().wrapping_mul(101);
    for _ in 0..PORTS {
        let number = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % PORTS;
        let port = u16::try_from(20_000 + number).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free from 20000 to 29999");
}

/// A folder of one test's own, removed at its end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("peers-{}-{number}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes a file and gives its path.
    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A running program; dropping it ends it.
pub(crate) struct Program {
    name: String,
    child: Child,
    keyboard: Option<ChildStdin>,
    said: Arc<Mutex<Vec<u8>>>,
    listeners: Vec<JoinHandle<()>>,
}

impl Program {
    pub(crate) fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let said = Arc::new(Mutex::new(Vec::new()));
        let listeners = vec![
            listen(child.stdout.take().unwrap(), Arc::clone(&said)),
            listen(child.stderr.take().unwrap(), Arc::clone(&said)),
        ];
        Self {
            name,
            keyboard: child.stdin.take(),
            child,
            said,
            listeners,
        }
    }

    /// Types `text`.
    pub(crate) fn types(&mut self, text: &str) {
        let keyboard = self.keyboard.as_mut().unwrap();
        keyboard.write_all(text.as_bytes()).unwrap();
        keyboard.flush().unwrap();
    }

    /// All it said so far, on both outputs.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&self.said.lock().unwrap()).into_owned()
    }

    /// Waits until it has said `text` `times` over, and gives all it said.
    pub(crate) async fn says(&self, text: &str, times: usize) -> String {
        for _ in 0..PATIENCE.as_millis() / GLANCE.as_millis() {
            let said = self.said();
            if said.matches(text).count() >= times {
                return said;
            }
            tokio::time::sleep(GLANCE).await;
        }
        panic!(
            "{} did not say {text:?} {times} times but:\n{}",
            self.name,
            self.said()
        );
    }

    /// Waits until somebody listens at `port`, for a program that does not say so. Linux tells without a connection, which
    /// a program may count as a call; where there is no such table nothing is waited for.
    pub(crate) async fn listens(&self, port: u16) {
        // proc_pid_net(5): local address and port in hexadecimal, the remote ones, and 0A for LISTEN.
        let row = format!(":{port:04X} 00000000:0000 0A ");
        for _ in 0..PATIENCE.as_millis() / GLANCE.as_millis() {
            match fs::read_to_string("/proc/net/tcp") {
                Ok(table) if !table.contains(&row) => tokio::time::sleep(GLANCE).await,
                _ => return,
            }
        }
        panic!("{} does not listen but says:\n{}", self.name, self.said());
    }

    /// Waits for its end; gives how it ended and all it said.
    pub(crate) async fn ends(mut self) -> (ExitStatus, String) {
        for _ in 0..PATIENCE.as_millis() / GLANCE.as_millis() {
            if let Some(status) = self.child.try_wait().unwrap() {
                for listener in self.listeners.drain(..) {
                    listener.join().unwrap();
                }
                return (status, self.said());
            }
            tokio::time::sleep(GLANCE).await;
        }
        panic!("{} did not end but said:\n{}", self.name, self.said());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen(mut from: impl Read + Send + 'static, into: Arc<Mutex<Vec<u8>>>) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            into.lock().unwrap().extend_from_slice(&buffer[..length]);
        }
    })
}
