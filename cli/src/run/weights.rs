//! Beginning a training with the weights of files.

use gannet::gan::Replicas;
use gannet::gan::weights::StateDict;
use gannet::{Error, Result};

use crate::folder::contents::Contents;
use crate::folder::run_folder::MODEL;
use crate::settings::config::RunConfig;

/// Puts the weights that `config` names into every trainer. A network that no file holds keeps what was drawn for it.
///
/// # Errors
///
/// Files that cannot be read, that do not fit the networks, or of which two hold the same network.
pub(crate) fn begin_with(config: &RunConfig, gans: &mut Replicas) -> Result<()> {
    let mut all = StateDict::default();
    for file in &config.weights {
        if file.join(MODEL).is_file() {
            let problem = format!("is a folder; its weights are in {}", file.join(MODEL).display());
            return Err(Error::data(file.display().to_string(), problem));
        }
        let found = Contents::of(file)?;
        if found != Contents::Weights {
            return Err(found.instead(file, "a safetensors file of weights"));
        }
        let StateDict { generator, discriminator, .. } = StateDict::load(&config.spec, file)?;
        let networks =
            [("generator", &mut all.generator, generator), ("discriminator", &mut all.discriminator, discriminator)];
        for (name, place, tensors) in networks {
            if place.is_some() && tensors.is_some() {
                let problem = format!("{} holds the {name}, as another file does", file.display());
                return Err(Error::setting("run.weights", problem));
            }
            *place = place.take().or(tensors);
        }
    }
    if all == StateDict::default() {
        return Ok(());
    }
    for trainer in gans.trainers_mut() {
        let mut model = trainer.model()?;
        all.put_into(&mut model);
        trainer.set_model(&model)?;
    }
    Ok(())
}
