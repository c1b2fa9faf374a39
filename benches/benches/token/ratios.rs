//! Rates as ratios, which a busy machine changes less than times.

use std::hint::black_box;
use std::time::{Duration, Instant};

use sip_oauth_benches::turns;

/// Something that is timed, under the name it has in the table.
pub(crate) type Contender<'a> = (&'static str, Box<dyn Fn() + 'a>);

/// How often each contender has its turn.
const ROUNDS: usize = 2_000;
/// A turn is short, so that most end before the scheduler interrupts them.
const TURN: Duration = Duration::from_micros(400);

/// Prints for each contender the time it takes and its rate against that of the first one. They take turns, so that all of
/// them meet the same neighbours, and the fastest turn of each counts.
pub(crate) fn print(title: &str, contenders: &[Contender<'_>]) {
    let mut rows: Vec<(u32, Duration)> = contenders
        .iter()
        .map(|(_, run)| {
            let once = (0..20).map(|_| turn(run, 1)).min().unwrap_or_default();
            let times = TURN.as_nanos() / once.as_nanos().max(1);
            (u32::try_from(times).unwrap_or(1).max(1), Duration::MAX)
        })
        .collect();
    let rounds = turns(ROUNDS);
    for _ in 0..rounds {
        for ((_, run), (times, fastest)) in contenders.iter().zip(&mut rows) {
            *fastest = turn(run, *times).min(*fastest);
        }
    }
    let micros: Vec<f64> = rows
        .iter()
        .map(|(times, fastest)| fastest.as_secs_f64() * 1e6 / f64::from(*times))
        .collect();
    let first = micros.first().copied().unwrap_or_default();
    println!("\n{title}: fastest of {rounds} turns each, taken in turn");
    for ((name, _), micros) in contenders.iter().zip(micros) {
        println!("{name:45} {micros:8.3} us   rate {:.3}", first / micros);
    }
}

fn turn(run: &dyn Fn(), times: u32) -> Duration {
    let started = Instant::now();
    for _ in 0..times {
        black_box(run)();
    }
    started.elapsed()
}
