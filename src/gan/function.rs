//! Networks as functions: rows in, rows out, from as many threads as are there.

use std::fmt;
use std::sync::Arc;

use super::model::Model;
use super::names::ACTIVATION;
use super::spec::GanSpec;
use super::tensors;
use crate::error::{Error, Result};
use crate::gemm::EngineKind;
use crate::kernel::panel::{gather_rows, scatter_rows};
use crate::memory::AlignedBuffer;
use crate::net::folded::Folded;
use crate::net::panels::{Panels, Part, PassContext, PassPlan};
use crate::net::parameters::ParameterLayout;
use crate::net::pass::{self, Alone, NetworkView};
use crate::network::Network;
use crate::parallel::Team;
use crate::rows;
use crate::simd::{Isa, LANE_GROUP};

/// Samples that are in work at once.
pub(super) const SAMPLE_PANEL: usize = 16 * LANE_GROUP;

/// The numbers from 0 on: the rows of a matrix.
pub(super) const ROWS: [u32; SAMPLE_PANEL] = {
    let mut rows = [0; SAMPLE_PANEL];
    let mut row = 0;
    while row < SAMPLE_PANEL {
        rows[row] = row as u32;
        row += 1;
    }
    rows
};

/// A network's parameters, which several threads read.
struct Parameters {
    network: Network,
    folded: Folded,
    isa: Isa,
}

/// G or D as a function of rows, as it is after training: without dropout, and with running statistics where batch normalization keeps
/// them. The parameters are a copy; every handle that [`share`](Self::share) makes reads the same one, and has a small scratch of its own.
/// A network that you train yourself is a [`DenseNetwork`](super::DenseNetwork), which has gradients.
///
/// ```
/// use gannet::{gan::{Network, Trainer, TrainerOptions, presets::Preset}};
/// use gannet::data::synthetic;
///
/// let points = std::sync::Arc::new(synthetic::circle(1_024, 1)?);
/// let trainer = Trainer::new(Preset::Circle.spec(), points, TrainerOptions::default())?;
/// let mut fakes = vec![0.0; 2 * 100];
/// trainer.sampler()?.sample(7, 0, &mut fakes)?;
/// let mut logits = vec![0.0; 100];
/// trainer.function(Network::Discriminator)?.apply(&fakes, &mut logits)?;
/// assert!(logits.iter().all(|logit| logit.is_finite()));
/// # Ok::<(), gannet::Error>(())
/// ```
pub struct NetworkFunction {
    parameters: Arc<Parameters>,
    scratch: Alone,
}

impl fmt::Debug for NetworkFunction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parameters { network, folded, .. } = &*self.parameters;
        formatter
            .debug_struct("NetworkFunction")
            .field("network", network)
            .field("spec", &folded.spec)
            .finish_non_exhaustive()
    }
}

impl NetworkFunction {
    /// A network of a model.
    ///
    /// # Errors
    ///
    /// A network that does not fit `spec`; [`Error::ModelNotFinite`] for a weight or bias that is not finite; memory that the system
    /// refuses.
    pub fn new(model: &Model, spec: &GanSpec, network: Network, isa: Isa) -> Result<Self> {
        let (spec, tensors) = (spec.network(network), model.network(network));
        spec.validate(network.name())?;
        let layout = ParameterLayout::new(spec);
        let mut values = AlignedBuffer::zeroed(layout.len())?;
        layout.fill(&mut values, tensors, network.name())?;
        tensors::check_finite(network, tensors)?;
        let folded = Folded::new(spec, &layout, &values, isa)?;
        Self::of_parameters(Parameters { network, folded, isa })
    }

    /// A network in training, as it is now.
    pub(super) fn of_view(network: Network, view: NetworkView<'_>, isa: Isa) -> Result<Self> {
        let folded = Folded::new(view.spec, view.layout, view.parameters, isa)?;
        Self::of_parameters(Parameters { network, folded, isa })
    }

    fn of_parameters(parameters: Parameters) -> Result<Self> {
        let scratch = Alone::new(&parameters.folded.spec, SAMPLE_PANEL)?;
        Ok(Self { parameters: Arc::new(parameters), scratch })
    }

    /// Another handle of the same parameters, for another thread.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub fn share(&self) -> Result<Self> {
        let scratch = Alone::new(&self.parameters.folded.spec, SAMPLE_PANEL)?;
        Ok(Self { parameters: Arc::clone(&self.parameters), scratch })
    }

    /// The instruction set.
    pub(super) fn isa(&self) -> Isa {
        self.parameters.isa
    }

    /// Which network it is.
    pub fn network(&self) -> Network {
        self.parameters.network
    }

    /// Features of a row of the input: of a latent for G, of a sample for D.
    pub fn inputs(&self) -> usize {
        self.parameters.folded.spec.inputs()
    }

    /// Features of a row of the output: of a sample for G, logits for D.
    pub fn outputs(&self) -> usize {
        self.parameters.folded.spec.outputs()
    }

    /// Writes the network's answer to each row of `rows`, `[rows, inputs]`, to `outputs`, `[rows, outputs]`; both are row-major. A
    /// row's answer does not depend on the others. Nothing is allocated.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where the slices are not as many whole rows. [`Error::Data`] for a row that is not finite, and
    /// [`Error::ModelNotFinite`] where a layer's output for finite rows is not.
    pub fn apply(&mut self, rows: &[f32], outputs: &mut [f32]) -> Result<()> {
        let (of_row, of_output) = (self.inputs(), self.outputs());
        let count = rows::whole("rows", rows.len(), of_row)?;
        if outputs.len() != count * of_output {
            let expected = format!("{count} x {of_output} values");
            return Err(Error::shape("outputs", expected, format!("{} values", outputs.len())));
        }
        rows::finite("rows", rows, of_row)?;
        let isa = self.isa();
        let chunks = rows.chunks(SAMPLE_PANEL * of_row).zip(outputs.chunks_mut(SAMPLE_PANEL * of_output));
        for (rows, outputs) in chunks {
            let indices = &ROWS[..rows.len() / of_row];
            self.pass(outputs, None, |panel| gather_rows(isa, rows, of_row, indices, panel, SAMPLE_PANEL))?;
        }
        Ok(())
    }

    /// One pass over at most [`SAMPLE_PANEL`] rows, whose panel `fill` fills. What is drawn of the outputs is drawn by `part`; without, they
    /// are probabilities.
    pub(super) fn pass(
        &mut self,
        outputs: &mut [f32],
        part: Option<Part<'_>>,
        fill: impl FnOnce(&mut [f32]),
    ) -> Result<()> {
        let Self { parameters, scratch: Alone { trace, tape } } = self;
        let Parameters { network, folded: Folded { spec, layout, parameters }, isa } = &**parameters;
        let plan = PassPlan { isa: *isa, engine: EngineKind::default().engine(), tasks: 1 };
        let view = NetworkView { spec, layout, parameters };
        fill(tape.get_mut(trace.input(), SAMPLE_PANEL));
        let pass = PassContext { team: &Team::serial(), plan: &plan, panels: Panels::one(SAMPLE_PANEL) };
        pass::forward(&pass, view, part.as_slice(), trace, tape);
        let count = outputs.len() / spec.outputs();
        scatter_rows(*isa, tape.get(trace.output(), SAMPLE_PANEL), SAMPLE_PANEL, count, outputs);
        if !outputs.iter().all(|value| value.is_finite()) {
            // Value 0 is the input.
            let first = trace.first_not_finite(tape, SAMPLE_PANEL);
            let layer = first.unwrap_or(spec.layers.len()).saturating_sub(1);
            return Err(Error::ModelNotFinite { network: *network, layer, quantity: ACTIVATION });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::presets::Preset;

    fn circle() -> (GanSpec, Model) {
        let spec = Preset::Circle.spec();
        let points = Arc::new(crate::data::synthetic::circle(64, 1).unwrap());
        let options = crate::gan::TrainerOptions { seed: 3, ..Default::default() };
        let model = crate::gan::Trainer::new(spec.clone(), points, options).unwrap().model().unwrap();
        (spec, model)
    }

    #[test]
    fn handles_can_be_sent_to_threads() {
        fn check<T: Send>() {}
        check::<NetworkFunction>();
    }

    #[test]
    fn a_row_is_answered_alone() {
        let (spec, model) = circle();
        let rows: Vec<f32> = (0..2 * 300).map(|value| (value as f32).sin()).collect();
        for isa in Isa::available() {
            let mut function = NetworkFunction::new(&model, &spec, Network::Discriminator, isa).unwrap();
            let mut logits = vec![0.0; 300];
            function.apply(&rows, &mut logits).unwrap();
            for (row, logit) in rows.chunks(2).zip(&logits) {
                let mut alone = [0.0];
                function.share().unwrap().apply(row, &mut alone).unwrap();
                assert_eq!(alone, [*logit]);
            }
        }
    }

    #[test]
    fn wrong_sizes_and_numbers_are_errors() {
        let (spec, mut model) = circle();
        let isa = Isa::best();
        let mut rows = [0.0; 6];
        let mut function = NetworkFunction::new(&model, &spec, Network::Discriminator, isa).unwrap();
        assert!(matches!(function.apply(&rows[..3], &mut [0.0]), Err(Error::Shape { .. })));
        assert!(matches!(function.apply(&rows, &mut [0.0; 2]), Err(Error::Shape { .. })));
        rows[3] = f32::NAN;
        let error = function.apply(&rows, &mut [0.0; 3]).unwrap_err().to_string();
        assert!(error.contains("row 1, column 1"), "{error}");
        model.discriminator[1].weight[0] = f32::INFINITY;
        let error = NetworkFunction::new(&model, &spec, Network::Discriminator, isa).unwrap_err();
        assert!(matches!(error, Error::ModelNotFinite { network: Network::Discriminator, layer: 1, .. }), "{error}");
        model.discriminator.pop();
        let refused = NetworkFunction::new(&model, &spec, Network::Discriminator, isa);
        assert!(matches!(refused, Err(Error::Shape { .. })));
    }
}
