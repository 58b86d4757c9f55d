//! Where the processes of a job run, and how many threads each takes: its share of the processors that it may use.

use std::collections::BTreeMap;

use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives};

/// Bytes in which a process tells of itself: host and processors.
const TOLD: usize = 512;

/// The host and the threads of each process, in their order.
pub(crate) fn gathered(world: &SimpleCommunicator) -> Vec<(String, usize)> {
    let own = told(&mpi::environment::processor_name().unwrap_or_default(), &processors());
    let mut all = vec![0_u8; TOLD * world.size().unsigned_abs() as usize];
    world.all_gather_into(&own[..], &mut all[..]);
    let all: Vec<(String, String)> = all.chunks_exact(TOLD).map(heard).collect();
    let mut sharing: BTreeMap<&(String, String), usize> = BTreeMap::new();
    all.iter().for_each(|place| *sharing.entry(place).or_default() += 1);
    // Processes that may use the same processors of a host share them.
    all.iter().map(|place| (place.0.clone(), (count(&place.1) / sharing[place]).max(1))).collect()
}

/// The processors that this process may use, as the system lists them: `0-3,8`.
fn processors() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let listed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let all = || format!("0-{}", gannet::cpu::available_threads().saturating_sub(1));
    listed.map_or_else(all, |listed| listed.trim().to_string())
}

/// How many processors are in such a list.
fn count(listed: &str) -> usize {
    let of = |part: &str| match part.split_once('-') {
        Some((first, last)) => Some(last.parse::<usize>().ok()?.checked_sub(first.parse().ok()?)? + 1),
        None => part.parse::<usize>().ok().map(|_| 1),
    };
    listed.split(',').filter_map(of).sum()
}

/// Host and processors in so many bytes, which end the longer ones.
fn told(host: &str, processors: &str) -> [u8; TOLD] {
    let mut bytes = [0; TOLD];
    for (to, from) in bytes.iter_mut().zip(format!("{host} {processors}").bytes()) {
        *to = from;
    }
    bytes
}

fn heard(bytes: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(bytes);
    let (host, processors) = text.trim_end_matches('\0').rsplit_once(' ').unwrap_or_default();
    (host.to_string(), processors.to_string())
}
