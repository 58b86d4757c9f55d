//! Beginning a training with the weights of files.

use super::config::RunConfig;
use crate::error::{Error, Result};
use crate::gan::Replicas;
use crate::gan::weights::StateDict;

/// Puts the weights that `config` names into every trainer. A network that no file holds keeps what was drawn for it.
///
/// # Errors
///
/// Files that cannot be read, that do not fit the networks, or of which two hold the same network.
pub(crate) fn begin_with(config: &RunConfig, gans: &mut Replicas) -> Result<()> {
    let mut all = StateDict::default();
    for file in &config.weights {
        let StateDict { generator, discriminator } = StateDict::load(&config.spec, file)?;
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
        let mut model = trainer.model();
        all.put_into(&mut model);
        trainer.set_model(&model)?;
    }
    Ok(())
}
