//! One training of several processes: of a job of MPI, for instance.

use std::fmt::Write;

use gannet::gan::Exchange;
use gannet::internals::engine::shards_of;

use crate::terminal::output;

/// The processes of a job, one of which this is. Process 0 leads: it has the folder of the run and tells of it.
pub struct Job {
    /// How this process talks to the others.
    pub exchange: Box<dyn Exchange>,
    /// Threads of this process, where the settings leave them open.
    pub threads: usize,
    /// Where each process runs, in their order: a host, and its threads.
    pub places: Vec<(String, usize)>,
}

impl Job {
    /// Whether this process leads.
    pub(crate) fn leads(&self) -> bool {
        self.exchange.process() == 0
    }

    /// What each process does in a step of `batch` samples in so many shards.
    pub(crate) fn table(&self, batch: usize, shards: usize) -> String {
        let mut table = "process  host              threads  shards      samples a step".to_string();
        for (process, (host, threads)) in self.places.iter().enumerate() {
            let own = shards_of(process, self.places.len(), shards);
            let start = |shard: usize| (shard as u64 * batch as u64 / shards as u64) as usize;
            let samples = start(own.end) - start(own.start);
            let range =
                if own.len() == 1 { own.start.to_string() } else { format!("{} to {}", own.start, own.end - 1) };
            // Writing to a text cannot fail.
            write!(table, "\n{process:<8} {host:<17} {threads:<8} {range:<11} {samples}").ok();
        }
        table
    }
}

/// What starters of processes call the number of those of a job: Open MPI, MPICH and its kin, Slurm's srun with PMIx.
const SIZES: [&str; 3] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_SIZE"];

/// Warns where several processes were started that know nothing of each other.
pub(crate) fn warn_of_others() {
    let size = |name: &str| std::env::var(name).ok()?.parse::<usize>().ok();
    let Some(processes) = SIZES.iter().find_map(|name| size(name)).filter(|size| *size > 1) else { return };
    output::alert(&format!(
        "warning: this is one of {processes} processes, each of which trains alone; for one training of all, build the program for \
         MPI with: cargo build --release -p gannet-mpi"
    ));
}

#[cfg(test)]
mod tests {
    use gannet::gan::ExchangeError;

    use super::*;

    struct Nobody;

    impl Exchange for Nobody {
        fn processes(&self) -> usize {
            3
        }

        fn process(&self) -> usize {
            1
        }

        fn send(&mut self, _to: usize, _message: &[u8]) -> Result<(), ExchangeError> {
            Err("nobody".into())
        }

        fn receive(&mut self, _from: usize, _message: &mut [u8]) -> Result<(), ExchangeError> {
            Err("nobody".into())
        }
    }

    #[test]
    fn the_table_tells_what_each_process_does() {
        let places = vec![("one".to_string(), 2), ("one".to_string(), 2), ("two".to_string(), 4)];
        let job = Job { exchange: Box::new(Nobody), threads: 2, places };
        assert!(!job.leads());
        let table = job.table(1_000, 4);
        let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[1], ["0", "one", "2", "0", "to", "1", "500"]);
        assert_eq!(rows[2], ["1", "one", "2", "2", "250"]);
        assert_eq!(rows[3], ["2", "two", "4", "3", "250"]);
    }
}
