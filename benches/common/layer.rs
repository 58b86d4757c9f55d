//! One dense layer on a panel of samples: the operands of its three products. The one place where benches call engines.

use gannet::cpu::Isa;
use gannet::internals::gemm::{Derivative, Engine, Epilogue, Lanes, OuterProduct, PanelProduct};
use gannet::internals::kernel::dropout::{Dropout, DropoutPart, Keeps};
use gannet::internals::kernel::noise::StreamKey;
use gannet::internals::memory::AlignedBuffer;
use gannet::internals::net::row_stride;
use gannet::net::{Activation, LayerSpec};

use super::values;

/// The products of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Product {
    Forward,
    InputGradient,
    WeightGradient,
}

impl Product {
    pub(crate) const ALL: [Self; 3] = [Self::Forward, Self::InputGradient, Self::WeightGradient];
}

/// A layer's operands.
pub(crate) struct Layer {
    pub(crate) spec: LayerSpec,
    pub(crate) width: usize,
    /// Whether weight gradients are added to what is there.
    pub(crate) accumulate: bool,
    /// Activation and dropout of the layer below, if the input gradient goes through it.
    below: Option<(Activation, f32)>,
    /// Parts of the panel that draw their dropout.
    parts: Vec<DropoutPart<'static>>,
    pub(crate) weights: AlignedBuffer,
    pub(crate) bias: AlignedBuffer,
    pub(crate) input: AlignedBuffer,
    /// What the forward product writes.
    pub(crate) output: AlignedBuffer,
    /// The gradient with respect to the pre-activations.
    pub(crate) delta: AlignedBuffer,
    /// What the input gradient writes.
    pub(crate) input_gradient: AlignedBuffer,
    /// What the weight gradient writes.
    pub(crate) gradient: AlignedBuffer,
    bias_gradient: AlignedBuffer,
}

impl Layer {
    /// A layer on `width` samples in `parts` parts of equal width.
    pub(crate) fn new(
        spec: &LayerSpec,
        below: Option<(Activation, f32)>,
        width: usize,
        parts: usize,
    ) -> gannet::Result<Self> {
        let part = |number: usize| DropoutPart {
            lanes: number * width / parts..(number + 1) * width / parts,
            first_sample: 0,
            keeps: Keeps::Drawn(StreamKey::new(1, 2, number as u64)),
        };
        let (inputs, outputs) = (spec.inputs, spec.outputs);
        Ok(Self {
            spec: spec.clone(),
            width,
            accumulate: false,
            below,
            parts: (0..parts).map(part).collect(),
            weights: buffer(outputs * row_stride(inputs))?,
            bias: buffer(outputs)?,
            input: buffer(inputs * width)?,
            output: buffer(outputs * width)?,
            delta: buffer(outputs * width)?,
            input_gradient: buffer(inputs * width)?,
            gradient: buffer(outputs * row_stride(inputs))?,
            bias_gradient: buffer(outputs)?,
        })
    }

    /// What a product wrote.
    pub(crate) fn result(&self, product: Product) -> &[f32] {
        match product {
            Product::Forward => &self.output,
            Product::InputGradient => &self.input_gradient,
            Product::WeightGradient => &self.gradient,
        }
    }

    /// Floating-point operations of any of the products.
    pub(crate) fn flop(&self) -> f64 {
        (2 * self.spec.outputs * self.spec.inputs * self.width) as f64
    }

    /// Computes a product, with dropout where the layer has it.
    pub(crate) fn run(&mut self, product: Product, engine: &dyn Engine, isa: Isa) {
        self.run_with(product, engine, isa, true);
    }

    /// Computes a product, with or without the layer's dropout.
    pub(crate) fn run_with(&mut self, product: Product, engine: &dyn Engine, isa: Isa, dropout: bool) {
        let LayerSpec { inputs, outputs, activation, dropout: probability, .. } = self.spec;
        let width = self.width;
        match product {
            Product::Forward => engine.panel_product(
                isa,
                PanelProduct {
                    weights: &self.weights,
                    stride: row_stride(inputs),
                    transposed: false,
                    rows: 0..outputs,
                    terms: inputs,
                    input: &self.input,
                    output: &mut self.output,
                    width,
                    epilogue: Epilogue::Activation {
                        bias: &self.bias,
                        activation,
                        dropout: (dropout && probability > 0.0).then_some(Dropout {
                            probability,
                            first_feature: 0,
                            parts: &self.parts,
                        }),
                    },
                },
            ),
            Product::InputGradient => engine.panel_product(
                isa,
                PanelProduct {
                    weights: &self.weights,
                    stride: row_stride(inputs),
                    transposed: true,
                    rows: 0..inputs,
                    terms: outputs,
                    input: &self.delta,
                    output: &mut self.input_gradient,
                    width,
                    epilogue: self
                        .below
                        .map(|(activation, dropout)| Derivative { activation, dropout, values: &self.input })
                        .map_or(Epilogue::None, Epilogue::Derivative),
                },
            ),
            Product::WeightGradient => {
                engine.outer_product(
                    isa,
                    OuterProduct {
                        delta: &self.delta,
                        input: &self.input,
                        rows: 0..outputs,
                        gradient: &mut self.gradient,
                        stride: row_stride(inputs),
                        bias_gradient: Some(&mut self.bias_gradient),
                        outputs,
                        inputs,
                        lanes: Lanes::full(width),
                        accumulate: self.accumulate,
                        update: None,
                    },
                );
            }
        }
    }
}

/// A buffer of [`values`].
pub(crate) fn buffer(len: usize) -> gannet::Result<AlignedBuffer> {
    let mut buffer = AlignedBuffer::zeroed(len)?;
    buffer.copy_from_slice(&values(len));
    Ok(buffer)
}
