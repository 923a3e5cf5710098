//! Which case is followed on which machine, and the output about it.

use std::fs::File;
use std::io::Result;
use std::mem::ManuallyDrop;
use std::process::{Command, ExitCode};

use crate::cases::{self, Case, Multiplies, Work};
use crate::compare::{Blocks, Parting, Told, compare};
use crate::copies::{Copy, copy};
use crate::follow::Follower;
use crate::machine::Machine;
use crate::secrets::{self, Secret};
use crate::translate::{Marks, NotFollowed};

/// A case on a machine.
struct Job {
    case: &'static Case,
    machine: Machine,
    leaks: bool,
}

pub(crate) fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let all = arguments.iter().any(|argument| argument == "--all");
    let words: Vec<_> = arguments
        .iter()
        .filter(|argument| *argument != "--all")
        .collect();
    let secrets = if all { secrets::ALL } else { secrets::SHORT };
    let (mut jobs, mut failed, mut instructions) = (Vec::new(), 0, 0);
    let mut fastest = true;
    for machine in Machine::ALL {
        if machine.is_here() {
            let cases = cases::CASES
                .iter()
                .filter(|case| all || fastest || !case.long);
            jobs.extend(cases.map(|case| Job::new(case, machine, false)));
            fastest = false;
        } else {
            println!(
                "# the kernel {} is not followed: this processor cannot run it, or the compiler is older than 1.89",
                machine.name()
            );
        }
    }
    jobs.extend(
        cases::PLANTED
            .iter()
            .map(|case| Job::new(case, Machine::Portable, true)),
    );
    jobs.retain(|job| {
        words.is_empty() || words.iter().any(|word| job.name().contains(word.as_str()))
    });

    let mut blocks = Blocks::default();
    for job in &jobs {
        let told = job.follow(secrets, &mut blocks);
        let (good, sentence) = job.verdict(&told, secrets);
        instructions += told.map_or(0, |told| told.instructions);
        failed += u32::from(!good);
        if good {
            println!("ok - {}", job.name());
            println!("# {}: {sentence}", job.name());
        } else {
            println!("not ok - {}: {sentence}", job.name());
        }
    }
    println!(
        "# {instructions} instructions, the same for {} secrets",
        secrets.len()
    );
    println!("1..{}", jobs.len());
    ExitCode::from(u8::from(failed > 0 || jobs.is_empty()))
}

/// What a copy does.
fn play(
    case: &Case,
    machine: Machine,
    secret: Secret,
    to: File,
) -> std::result::Result<(), NotFollowed> {
    let mut follower = Follower::new(machine)?;
    let mut work: Option<Work> = None;
    follower.prepare(&mut || {
        cases::meet_processor();
        work = Some((case.prepare)(secret));
    })?;
    let work = work.ok_or_else(|| NotFollowed("nothing was prepared".to_owned()))?;
    // It was made with the memory of what is followed, which is not ours to free.
    let mut work = ManuallyDrop::new(work);
    follower.tell(&mut || work(), secret, to)
}

impl Job {
    fn new(case: &'static Case, machine: Machine, leaks: bool) -> Self {
        Self {
            case,
            machine,
            leaks,
        }
    }

    fn name(&self) -> String {
        format!("{}: {}", self.machine.name(), self.case.name)
    }

    fn follow(&self, secrets: &[Secret], blocks: &mut Blocks) -> Result<Told> {
        // Nothing is allocated between two copies, so that they are the same.
        let mut copies: Vec<Copy> = Vec::with_capacity(secrets.len());
        for secret in secrets {
            copies.push(copy(|to| {
                if let Err(NotFollowed(why)) = play(self.case, self.machine, *secret, to) {
                    println!("# {why}");
                }
            })?);
        }
        compare(&mut copies, blocks)
    }

    /// Whether it went as it must, and a sentence about it.
    fn verdict(&self, told: &Result<Told>, secrets: &[Secret]) -> (bool, String) {
        let told = match told {
            Ok(told) => told,
            Err(error) => return (false, error.to_string()),
        };
        let heard = format!(
            "{} instructions, {} addresses",
            told.instructions, told.addresses
        );
        match &told.parting {
            Some(parting) if self.leaks => (true, format!("found: {}", tell(parting, secrets))),
            Some(parting) => (false, format!("after {heard}, {}", tell(parting, secrets))),
            None if !told.whole => (false, format!("it ended after {heard}")),
            None if self.leaks => (false, "not found".to_owned()),
            None if told.marks != self.marks() => (
                false,
                format!(
                    "it ran with another kernel than it should: {:?}",
                    told.marks
                ),
            ),
            None => (true, heard),
        }
    }

    /// What instructions of the kernels are to be seen.
    fn marks(&self) -> Marks {
        let multiplies = self.case.multiplies;
        let with = |machine| multiplies != Multiplies::Nothing && self.machine == machine;
        // For DSA there is no kernel for FMA.
        let is_dsa = multiplies == Multiplies::Dsa;
        Marks {
            ifma: with(Machine::Ifma),
            avx_ifma: with(Machine::AvxIfma),
            fma: with(Machine::Fma) && !is_dsa,
            adx: with(Machine::Adx) || with(Machine::Fma) && is_dsa,
        }
    }
}

fn tell(parting: &Parting, secrets: &[Secret]) -> String {
    let name = |which| {
        secrets
            .get(which)
            .map(|secret| format!("{secret:?}"))
            .unwrap_or_default()
    };
    let (one, other) = (name(0), name(parting.which));
    format!(
        "{one} and {other} part at {}: {}",
        place(parting.at),
        parting.what
    )
}

/// An address as file, functions and lines, as far as addr2line knows them.
fn place(address: u64) -> String {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let number = |text: &str| u64::from_str_radix(text, 16).unwrap_or(0);
    let range = |line: &str| {
        let (from, to) = line.split_whitespace().next()?.split_once('-')?;
        Some((number(from), number(to)))
    };
    let file = |line: &str| line.split_whitespace().nth(5).map(str::to_owned);
    let here = |line: &&str| range(line).is_some_and(|(from, to)| (from..to).contains(&address));
    let Some(path) = maps.lines().find(here).and_then(file) else {
        return format!("{address:x}");
    };
    let first = maps
        .lines()
        .find(|line| file(line).as_ref() == Some(&path))
        .and_then(range);
    let offset = address - first.map_or(0, |(from, _)| from);
    let mut command = Command::new("addr2line");
    command.args(["-f", "-i", "-C", "-p", "-e", &path, &format!("{offset:x}")]);
    let known = command
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let known = known.unwrap_or_default();
    let mut lines = known.lines();
    // The innermost function, and the one that all others were inlined into.
    let (inner, outer) = (
        lines.next().unwrap_or_default(),
        lines.next_back().unwrap_or_default(),
    );
    format!("{path}+{offset:x} ({inner}{outer})")
}
