//! A trained run on disk.

use std::fs;
use std::path::Path;

use super::checkpoints;
use super::config::RunConfig;
use super::output::note;
use super::plot::thousands;
use super::run_folder::{CONFIG, MODEL, no_run, refused};
use crate::error::Error;
use crate::gan::model::Model;

/// A trained run on disk: its settings and its model.
#[derive(Debug)]
pub(crate) struct SavedRun {
    /// The settings.
    pub(crate) config: RunConfig,
    /// Both networks.
    pub(crate) model: Model,
}

impl SavedRun {
    /// Opens a run: its folder, or a model file or checkpoint in it or in a folder in it. Of a run that has not ended it is the
    /// last checkpoint.
    ///
    /// # Errors
    ///
    /// A path that does not exist or is no run; a configuration or model that cannot be read.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        if !fs::metadata(path).map_err(refused("read", path))?.is_dir() {
            let absolute = std::path::absolute(path).map_err(refused("read", path))?;
            let folders = absolute.ancestors().skip(1).take(2).map(|folder| folder.join(CONFIG));
            let config = folders.into_iter().find(|config| config.is_file()).ok_or_else(|| no_run(path))?;
            return Self::read(&config, path);
        }
        let config = path.join(CONFIG);
        if !config.is_file() {
            return Err(no_run(path).into());
        }
        let model = path.join(MODEL);
        if model.is_file() {
            return Self::read(&config, &model);
        }
        let config = RunConfig::read(&config)?;
        let Some(checkpoint) = checkpoints::last(path, &config.spec)? else {
            let problem = format!(
                "has no {MODEL} and no checkpoint; put them back, or begin a new run with: gannet train {}",
                path.join(CONFIG).display()
            );
            return Err(Error::data(path.display().to_string(), problem).into());
        };
        let step = thousands(checkpoint.step());
        note(&format!("{} has not ended; this is its checkpoint of step {step}", path.display()));
        Ok(Self { config, model: checkpoint.into_model() })
    }

    fn read(config: &Path, model: &Path) -> anyhow::Result<Self> {
        let config = RunConfig::read(config)?;
        let model = Model::load(&config.spec, model)?;
        Ok(Self { config, model })
    }
}
