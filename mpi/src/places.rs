//! Where the processes of a job run, and how many threads each takes: its share of the processors that it may use.

use std::collections::BTreeMap;

use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives};

/// Bytes in which a process tells of itself.
const TOLD: usize = 512;

/// Where a process runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    host: String,
    /// Processors that it may use at once: a container may have a quota of them.
    available: usize,
    /// Those that it may use, as the system lists them: `0-3,8`.
    processors: String,
}

/// The host and the threads of each process, in their order.
pub(crate) fn gathered(world: &SimpleCommunicator) -> Vec<(String, usize)> {
    let own = Place {
        host: mpi::environment::processor_name().unwrap_or_default(),
        available: gannet::cpu::available_threads(),
        processors: processors(),
    };
    let mut all = vec![0_u8; TOLD * world.size().unsigned_abs() as usize];
    world.all_gather_into(&own.told()[..], &mut all[..]);
    shares(&all.chunks_exact(TOLD).map(Place::heard).collect::<Vec<_>>())
}

/// The host and the threads of processes in these places: those with the same processors of a host share them.
fn shares(places: &[Place]) -> Vec<(String, usize)> {
    let mut sharing: BTreeMap<&Place, usize> = BTreeMap::new();
    places.iter().for_each(|place| *sharing.entry(place).or_default() += 1);
    let threads = |place: &Place| match count(&place.processors) {
        // The system does not list them.
        0 => place.available,
        listed => listed.min(place.available),
    };
    places.iter().map(|place| (place.host.clone(), (threads(place) / sharing[place]).max(1))).collect()
}

/// The processors that this process may use; nothing where the system does not say so.
fn processors() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let listed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    listed.unwrap_or_default().trim().to_string()
}

/// How many processors are in such a list.
fn count(listed: &str) -> usize {
    let of = |part: &str| match part.split_once('-') {
        Some((first, last)) => Some(last.parse::<usize>().ok()?.checked_sub(first.parse().ok()?)? + 1),
        None => part.parse::<usize>().ok().map(|_| 1),
    };
    listed.split(',').filter_map(of).sum()
}

impl Place {
    /// It in so many bytes, which end the longer ones.
    fn told(&self) -> [u8; TOLD] {
        let mut bytes = [0; TOLD];
        let text = format!("{} {} {}", self.host, self.available, self.processors);
        bytes.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
        bytes
    }

    fn heard(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mut words = text.trim_end_matches('\0').split(' ');
        let mut word = || words.next().unwrap_or_default().to_string();
        Self { host: word(), available: word().parse().unwrap_or(1), processors: word() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(host: &str, available: usize, processors: &str) -> Place {
        Place { host: host.into(), available, processors: processors.into() }
    }

    #[test]
    fn processors_are_counted() {
        for (listed, expected) in [("", 0), ("3", 1), ("0-3", 4), ("0-3,8,10-11", 7), ("5-2", 0), ("x", 0)] {
            assert_eq!(count(listed), expected, "{listed}");
        }
    }

    #[test]
    fn places_come_back_from_their_bytes() {
        for place in [place("node-1", 16, "0-3,8"), place("node-1", 1, "")] {
            assert_eq!(Place::heard(&place.told()), place);
        }
    }

    #[test]
    fn processes_share_the_processors_that_they_have_together() {
        let (one, other) = (place("one", 8, "0-7"), place("two", 8, "0-7"));
        let bound = [place("one", 1, "0"), place("one", 1, "1")];
        let threads = |places: &[Place]| shares(places).iter().map(|(_, threads)| *threads).collect::<Vec<_>>();
        assert_eq!(threads(&[one.clone(), one.clone(), other.clone()]), [4, 4, 8]);
        assert_eq!(threads(&bound), [1, 1]);
        // A container with a quota of four of 64 processors, one whose system lists none, and more processes than processors.
        assert_eq!(threads(&[place("one", 4, "0-63")]), [4]);
        assert_eq!(threads(&[place("one", 6, ""), place("one", 6, "")]), [3, 3]);
        assert_eq!(threads(&vec![place("one", 2, "0-1"); 5]), [1; 5]);
    }
}
