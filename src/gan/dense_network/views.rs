//! A dense network as its passes see it: in training with what its normalizations make of the rows, in an evaluation as it is after
//! training.

use crate::error::Result;
use crate::gan::streams::Stream;
use crate::memory::AlignedBuffer;
use crate::net::folded::Folded;
use crate::net::parameters::ParameterLayout;
use crate::net::pass::{NetworkView, Recorded};
use crate::net::spectral::SpectralWeights;
use crate::net::tape::{TapeLayout, TapePlan};
use crate::net::{LayerTensors, NetworkSpec, Normalization, statistics};
use crate::parallel::Team;
use crate::simd::Isa;

/// What a pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Training: outputs are drawn where layers draw, and batch normalization takes the statistics of the rows.
    Training,
    /// Anything else: nothing is drawn, and running statistics stand in for those of the rows.
    Evaluation,
}

/// A network's parameters, what follows from them, and where passes over it have their values.
pub(super) struct Views {
    pub(super) spec: NetworkSpec,
    /// The same without dropout.
    without_dropout: NetworkSpec,
    pub(super) layout: ParameterLayout,
    pub(super) parameters: AlignedBuffer,
    recorded: Recorded,
    /// What passes see in the place of the parameters, where a layer has spectral normalization.
    spectral: Option<SpectralWeights>,
    /// What evaluations see, where a layer has batch normalization.
    folded: Option<(Folded, Recorded)>,
    /// Whether parameters have changed since the two followed them.
    stale: bool,
}

/// Where the passes of both purposes have their values, on one tape for at most `lanes` lanes; evaluations have their own where a layer
/// has batch normalization.
fn plan(spec: &NetworkSpec, lanes: usize) -> (Recorded, Option<Recorded>, TapeLayout) {
    let mut tape = TapePlan::default();
    let recorded = Recorded::plan(&mut tape, spec, lanes);
    let folded = spec.has(Normalization::Batch).then(|| Recorded::plan(&mut tape, &Folded::spec(spec), lanes));
    (recorded, folded, tape.place())
}

impl Views {
    /// Bytes of parameters and of what follows from them; and of a tape for at most `lanes` lanes.
    pub(super) fn bytes(spec: &NetworkSpec, layout: &ParameterLayout, lanes: usize) -> [u64; 2] {
        let arena = |len: usize| (len as u64).saturating_mul(size_of::<f32>() as u64);
        let folded = if spec.has(Normalization::Batch) { arena(layout.trained()) } else { 0 };
        let views = arena(layout.len()).saturating_add(folded).saturating_add(SpectralWeights::bytes(spec, layout));
        [views, plan(spec, lanes).2.bytes()]
    }

    /// A valid network, whose parameters are drawn from `seed`; and its tape for at most `lanes` lanes.
    ///
    /// # Errors
    ///
    /// [`crate::Error::OutOfMemory`].
    pub(super) fn new(spec: NetworkSpec, isa: Isa, seed: u64, lanes: usize) -> Result<(Self, TapeLayout)> {
        let layout = ParameterLayout::new(&spec);
        let mut parameters = AlignedBuffer::zeroed(layout.len())?;
        layout.initialize(&spec, isa, Stream::DenseParameters.key(seed, 0), &mut parameters)?;
        let mut without_dropout = spec.clone();
        without_dropout.layers.iter_mut().for_each(|layer| layer.dropout = 0.0);
        let spectral = SpectralWeights::new(&Team::serial(), isa, &spec, &layout, &parameters)?;
        let (recorded, of_folded, tape) = plan(&spec, lanes);
        let mut views =
            Self { spec, without_dropout, layout, parameters, recorded, spectral, folded: None, stale: false };
        if let Some(recorded) = of_folded {
            let folded = Folded::of_seen(views.view(Purpose::Training).0)?;
            views.folded = Some((folded, recorded));
        }
        Ok((views, tape))
    }

    /// The network as passes see it, and where they have their values.
    pub(super) fn view(&self, purpose: Purpose) -> (NetworkView<'_>, &Recorded) {
        let parameters = self.spectral.as_ref().map_or(&*self.parameters, SpectralWeights::arena);
        let view = NetworkView { spec: &self.spec, layout: &self.layout, parameters };
        match (purpose, &self.folded) {
            (Purpose::Training, _) => (view, &self.recorded),
            (Purpose::Evaluation, None) => (NetworkView { spec: &self.without_dropout, ..view }, &self.recorded),
            (Purpose::Evaluation, Some((Folded { spec, layout, parameters }, recorded))) => {
                (NetworkView { spec, layout, parameters }, recorded)
            }
        }
    }

    /// Brings what passes see up to the parameters, before a forward pass.
    pub(super) fn follow(&mut self, team: &Team<'_>, isa: Isa) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        let Self { spec, layout, parameters, spectral, folded, .. } = self;
        if let Some(spectral) = spectral {
            spectral.follow(team, isa, layout, parameters);
        }
        if let Some((folded, _)) = folded {
            let parameters = spectral.as_ref().map_or(&**parameters, SpectralWeights::arena);
            folded.follow(NetworkView { spec, layout, parameters });
        }
    }

    /// After a forward pass in training: lets singular vectors and running statistics follow it, whose sums over `rows` rows stand where the
    /// buffers do in the arena `sums`. The pass itself goes on to be seen as it was.
    pub(super) fn follow_pass(&mut self, sums: &[f32], rows: usize) {
        let Self { spec, layout, parameters, spectral, .. } = self;
        statistics::follow(spec, layout, parameters, (sums, rows));
        if let Some(spectral) = spectral {
            spectral.keep(layout, parameters);
        }
        self.stale = true;
    }

    /// Makes of gradients that passes have found, summed over the rows, those of the parameters.
    pub(super) fn settle(&mut self, team: &Team<'_>, isa: Isa, purpose: Purpose, gradients: &mut [f32]) {
        let Self { spec, layout, parameters, spectral, folded, .. } = self;
        if purpose == Purpose::Evaluation && folded.is_some() {
            Folded::take_through(NetworkView { spec, layout, parameters }, gradients);
        }
        if let Some(spectral) = spectral {
            spectral.take_through(team, isa, layout, gradients);
        }
    }

    /// Replaces the parameters.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Shape`] where they do not fit; then nothing is changed.
    pub(super) fn set_parameters(&mut self, tensors: &[LayerTensors]) -> Result<()> {
        self.layout.check(tensors, "network")?;
        self.layout.check_buffers(tensors, "network")?;
        self.layout.fill(&mut self.parameters, tensors, "network")?;
        self.stale = true;
        Ok(())
    }

    /// Replaces weights and biases of a layer, which have the right lengths.
    pub(super) fn set_layer(&mut self, layer: usize, tensors: (&[f32], &[f32])) {
        self.layout.fill_layer(&mut self.parameters, layer, tensors);
        self.stale = true;
    }
}
