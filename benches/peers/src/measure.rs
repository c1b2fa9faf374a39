//! The two measures: nanoseconds of the fastest sample, and instructions.

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::case::Case;
use crate::check::{Job, bytes};
use crate::peer::Peer;

/// A job that can be measured: this peer has done it on this message.
pub struct Task<'p> {
    pub peer: &'p dyn Peer,
    pub case: &'p Case,
    pub job: Job,
}

/// What a task costs.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub nanoseconds: f64,
    /// Where valgrind is there.
    pub instructions: Option<f64>,
}

const SAMPLES: usize = 300;
const SAMPLE: Duration = Duration::from_micros(60);
/// How often a task is done while its instructions are counted.
const COUNTED: u32 = 50;
/// The arguments with which the program starts itself: to time everything, and, under valgrind, to
/// count one peer.
pub const TIME: &str = "--time";
pub const COUNT: &str = "--count";

/// Does the task; the answer is lent to nobody.
fn run(task: &Task<'_>) {
    let bytes = black_box(bytes(task.peer, task.case));
    let done = match task.job {
        Job::Head => task.peer.head(bytes, &mut |head| {
            black_box(head);
        }),
        Job::TenHeaders => task.peer.ten_headers(bytes, &mut |ten| {
            black_box(ten);
        }),
    };
    black_box(done).expect("checked before");
}

/// The fastest sample of each task, in nanoseconds; by this program run again, since some peers print
/// what they do not like.
pub fn nanoseconds() -> Result<Vec<f64>, Box<dyn Error>> {
    let output = Command::new(std::env::current_exe()?)
        .arg(TIME)
        .stderr(Stdio::null())
        .output()?;
    let lines = String::from_utf8(output.stdout)?;
    Ok(lines.lines().map(str::parse).collect::<Result<_, _>>()?)
}

/// The other half of [`nanoseconds`]. The tasks take turns, so that whatever else the machine does
/// meets them all alike.
pub fn time_all(tasks: &[Task<'_>]) -> Vec<f64> {
    let batches: Vec<u32> = tasks.iter().map(batch).collect();
    let mut fastest = vec![f64::INFINITY; tasks.len()];
    for _ in 0..SAMPLES {
        for ((task, batch), fastest) in tasks.iter().zip(&batches).zip(&mut fastest) {
            let seconds = time(task, *batch).as_secs_f64() / f64::from(*batch);
            *fastest = fastest.min(seconds * 1e9);
        }
    }
    fastest
}

fn time(task: &Task<'_>, times: u32) -> Duration {
    let start = Instant::now();
    for _ in 0..times {
        run(task);
    }
    start.elapsed()
}

/// How often the task is done in one sample.
fn batch(task: &Task<'_>) -> u32 {
    let mut times = 1;
    while time(task, times) < SAMPLE {
        times *= 2;
    }
    times
}

/// What callgrind looks for: after each call it writes down the count since the last.
#[inline(never)]
fn counted_by_callgrind(task: &Task<'_>) {
    for _ in 0..COUNTED {
        run(task);
    }
    black_box(());
}

/// The other half of [`instructions`], under callgrind. The first of two calls is there for what a
/// peer does once, and so that the second count begins where the first ended.
pub fn count(tasks: &[Task<'_>]) {
    for task in tasks {
        counted_by_callgrind(task);
        counted_by_callgrind(task);
    }
}

/// The instructions of each task, all of them of one peer, counted by this program run under
/// callgrind; none where there is no valgrind.
pub fn instructions(tasks: &[Task<'_>]) -> Result<Option<Vec<f64>>, Box<dyn Error>> {
    let Some(first) = tasks.first() else {
        return Ok(Some(Vec::new()));
    };
    let folder = std::env::temp_dir().join(format!("sip-oauth-peers-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let counts = callgrind(first.peer.name(), &folder, tasks.len());
    std::fs::remove_dir_all(&folder)?;
    counts
}

fn callgrind(peer: &str, folder: &Path, tasks: usize) -> Result<Option<Vec<f64>>, Box<dyn Error>> {
    let out = folder.join("out");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--dump-after=*counted_by_callgrind*"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe()?)
        .args([COUNT, peer])
        .output();
    let output = match output {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        output => output?,
    };
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let mut counts = Vec::with_capacity(tasks);
    for number in (1..=tasks).map(|task| 2 * task) {
        let dump = std::fs::read_to_string(out.with_extension(number.to_string()))?;
        let total = dump.lines().find_map(|line| line.strip_prefix("totals: "));
        let total: f64 = total.ok_or("a dump of callgrind without totals")?.parse()?;
        counts.push(total / f64::from(COUNTED));
    }
    Ok(Some(counts))
}
