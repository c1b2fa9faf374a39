//! What a server's processes have used, from `/proc`.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::Outcome;

/// A process and its descendants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process(u32);

impl Process {
    pub(crate) const fn of(pid: u32) -> Self {
        Self(pid)
    }

    /// How long they were on a CPU: the sum of utime and stime, to the nanosecond.
    pub(crate) fn cpu(self) -> Outcome<Duration> {
        let mut nanoseconds = 0;
        for pid in self.all()? {
            for task in fs::read_dir(format!("/proc/{pid}/task"))? {
                let said = fs::read_to_string(task?.path().join("schedstat"))?;
                let ran = said.split_whitespace().next().ok_or("schedstat is empty")?;
                nanoseconds += ran.parse::<u64>()?;
            }
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// The memory they hold: proportional set size, in which what several share counts once.
    pub(crate) fn kilobytes(self) -> Outcome<u64> {
        let mut sum = 0;
        for pid in self.all()? {
            let said = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
            let line = said.lines().find_map(|line| line.strip_prefix("Pss:"));
            let number = line.and_then(|line| line.split_whitespace().next());
            sum += number.ok_or("smaps_rollup has no Pss")?.parse::<u64>()?;
        }
        Ok(sum)
    }

    fn all(self) -> Outcome<Vec<u32>> {
        let mut parents = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            if let Some(pid) = name.and_then(|name| name.parse::<u32>().ok()) {
                parents.extend(parent(&path).map(|parent| (pid, parent)));
            }
        }
        let mut all = vec![self.0];
        let mut next = 0;
        while let Some(&one) = all.get(next) {
            next += 1;
            all.extend(
                parents
                    .iter()
                    .filter(|(_, of)| *of == one)
                    .map(|(pid, _)| *pid),
            );
        }
        Ok(all)
    }
}

/// The fourth field of `stat`, behind the name in brackets; none where the process has ended.
fn parent(process: &Path) -> Option<u32> {
    let said = fs::read_to_string(process.join("stat")).ok()?;
    let (_, behind) = said.rsplit_once(')')?;
    behind.split_whitespace().nth(1)?.parse().ok()
}

/// How many files this process, and what it starts, may open.
pub(crate) fn open_files() -> Outcome<usize> {
    let said = fs::read_to_string("/proc/self/limits")?;
    let line = said.lines().find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3));
    Ok(soft.ok_or("no limit of open files")?.parse()?)
}

/// That nobody listens there: a server left over from another run would be driven instead of the one that is counted.
pub(crate) fn free(address: SocketAddr) -> Outcome {
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{address} is not free: {error}").into()),
    }
}

/// How a server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watched {
    /// As it would without us.
    Not,
    /// Under callgrind, which counts the instructions of its processes.
    ByCallgrind,
}

impl Watched {
    pub(crate) fn command(self, program: impl AsRef<OsStr>) -> Command {
        match self {
            Self::Not => Command::new(program),
            Self::ByCallgrind => {
                let mut command = Command::new("valgrind");
                command
                    .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
                    .arg(program.as_ref());
                command
            }
        }
    }
}

/// A server that is stopped when this is dropped.
#[derive(Debug)]
pub(crate) struct Server(Child);

impl Server {
    /// Starts it with the log as its standard error.
    pub(crate) fn start(command: &mut Command, log: File) -> Outcome<Self> {
        Ok(Self(command.stdin(Stdio::null()).stderr(log).spawn()?))
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    pub(crate) fn process(&self) -> Process {
        Process(self.0.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Asked first: a server that is killed leaves its children behind.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        for _ in 0..300 {
            if let Ok(Some(_)) = self.0.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
