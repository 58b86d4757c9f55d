//! One training of several processes: of a job of MPI, for instance.

use std::fmt::Write;

use gannet::gan::Exchange;
use gannet::internals::engine::shards_of;
use gannet::{Error, Result};

use crate::settings::config::RunConfig;
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

    /// What each process does in a step with these settings.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for more processes than shards.
    pub(crate) fn table(&self, config: &RunConfig) -> Result<String> {
        let (processes, shards) = (self.places.len(), config.shards);
        if processes > shards {
            let problem = format!(
                "{shards} for {processes} processes; each needs one at least: take --shards {}, or a larger power of two",
                processes.next_power_of_two()
            );
            return Err(Error::setting("shards", problem));
        }
        let packing = config.spec.packing.max(1);
        let packs = config.batch / packing;
        let start = |shard: usize| packing * (shard as u64 * packs as u64 / shards as u64) as usize;
        let mut table = "process  host              threads  shards      samples a step".to_string();
        for (process, (host, share)) in self.places.iter().enumerate() {
            let own = shards_of(process, processes, shards);
            let samples = start(own.end) - start(own.start);
            let threads = if config.threads == 0 { *share } else { config.threads };
            let range = match own.len() {
                1 => own.start.to_string(),
                _ => format!("{} to {}", own.start, own.end.saturating_sub(1)),
            };
            // Writing to a text cannot fail.
            write!(table, "\n{process:<8} {host:<17} {threads:<8} {range:<11} {samples}").ok();
        }
        Ok(table)
    }
}

/// What starters of processes call the number of those of a job: Open MPI, MPICH and its kin, Slurm's srun.
const SIZES: [&str; 3] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"];

/// Warns where several processes were started that know nothing of each other.
pub(crate) fn warn_of_others() {
    let size = |name: &str| std::env::var(name).ok()?.parse::<usize>().ok();
    let Some(processes) = SIZES.iter().find_map(|name| size(name)).filter(|size| *size > 1) else { return };
    output::alert(&format!(
        "warning: this is one of {processes} processes, each of which trains alone; for one training of all, start the program for \
         MPI with the mpirun that it was built for (cargo build --release -p gannet-mpi)"
    ));
}

#[cfg(test)]
mod tests {
    use gannet::gan::ExchangeError;
    use gannet::gan::presets::Preset;

    use super::*;

    struct Nobody;

    impl Exchange for Nobody {
        fn processes(&self) -> usize {
            3
        }

        fn process(&self) -> usize {
            1
        }

        fn send(&mut self, _to: usize, _message: &[u8]) -> std::result::Result<(), ExchangeError> {
            Err("nobody".into())
        }

        fn receive(&mut self, _from: usize, _message: &mut [u8]) -> std::result::Result<(), ExchangeError> {
            Err("nobody".into())
        }
    }

    #[test]
    fn the_table_tells_what_each_process_does() {
        let places = vec![("one".to_string(), 2), ("one".to_string(), 2), ("two".to_string(), 4)];
        let job = Job { exchange: Box::new(Nobody), threads: 2, places };
        assert!(!job.leads());
        let mut config = RunConfig::of(Preset::Circle);
        (config.batch, config.shards, config.threads) = (1_000, 4, 0);
        let rows = |config: &RunConfig| -> Vec<Vec<String>> {
            let table = job.table(config).unwrap();
            table.lines().map(|line| line.split_whitespace().map(str::to_string).collect()).collect()
        };
        let found = rows(&config);
        assert_eq!(found[1], ["0", "one", "2", "0", "250"]);
        assert_eq!(found[2], ["1", "one", "2", "1", "250"]);
        assert_eq!(found[3], ["2", "two", "4", "2", "to", "3", "500"]);
        config.threads = 3;
        assert_eq!(rows(&config)[3][2], "3");
        config.shards = 2;
        let error = job.table(&config).unwrap_err().to_string();
        assert!(error.contains("2 for 3 processes") && error.contains("--shards 4"), "{error}");
    }
}
