//! The presets in candle: `peer-candle PRESET BATCH THREADS`, with RAYON_NUM_THREADS set to THREADS.

#![forbid(unsafe_code)]

use candle_core::{D, Device, Result, Tensor, Var};
use candle_nn::ops::{dropout, leaky_relu, log_softmax, sigmoid};
use candle_nn::{AdamW, Optimizer as _, ParamsAdamW, SGD};
use presets::{Arguments, Data, Objective, Optimizer, Order, Preset, Random};

const DEVICE: &Device = &Device::Cpu;

/// Weights [outputs, inputs] and biases, layer by layer.
struct Network(Vec<(Var, Var)>);

impl Network {
    fn new(sizes: &[usize], random: &mut Random) -> Result<Self> {
        let layer = |pair: &[usize]| {
            let (inputs, outputs) = (pair[0], pair[1]);
            let (weight, bias) = Data::layer(random, inputs, outputs);
            Ok((Var::from_vec(weight, (outputs, inputs), DEVICE)?, Var::from_vec(bias, outputs, DEVICE)?))
        };
        Ok(Self(sizes.windows(2).map(layer).collect::<Result<_>>()?))
    }

    fn variables(&self) -> Vec<Var> {
        self.0.iter().flat_map(|(weight, bias)| [weight.clone(), bias.clone()]).collect()
    }

    /// All layers, the output linear. Gradients reach the parameters only if the network is `trained`.
    fn forward(&self, input: Tensor, trained: bool, slope: f64, drop: f64) -> Result<Tensor> {
        let mut x = input;
        for (index, (weight, bias)) in self.0.iter().enumerate() {
            let [weight, bias] = [weight, bias]
                .map(|variable| if trained { variable.as_tensor().clone() } else { variable.as_detached_tensor() });
            x = x.matmul(&weight.t()?)?.broadcast_add(&bias)?;
            if index + 1 < self.0.len() {
                x = if slope == 0.0 { x.relu()? } else { leaky_relu(&x, slope)? };
                if drop > 0.0 {
                    x = dropout(&x, drop as f32)?;
                }
            }
        }
        Ok(x)
    }
}

/// The framework's own optimizers; without decay of the weights AdamW is Adam.
enum Update {
    Adam(AdamW),
    Sgd(SGD),
}

impl Update {
    fn new(preset: &Preset, network: &Network) -> Result<Self> {
        Ok(match preset.optimizer {
            Optimizer::Adam => {
                let parameters = ParamsAdamW { lr: preset.learning_rate, weight_decay: 0.0, ..Default::default() };
                Self::Adam(AdamW::new(network.variables(), parameters)?)
            }
            Optimizer::Sgd => Self::Sgd(SGD::new(network.variables(), preset.learning_rate)?),
        })
    }

    fn step(&mut self, loss: &Tensor) -> Result<()> {
        match self {
            Self::Adam(adam) => adam.backward_step(loss),
            Self::Sgd(sgd) => sgd.backward_step(loss),
        }
    }
}

/// One preset in training.
struct Gan {
    preset: Preset,
    batch: usize,
    samples: Tensor,
    order: Tensor,
    position: usize,
    generator: Network,
    discriminator: Network,
    update_generator: Update,
    update_discriminator: Update,
}

impl Gan {
    fn new(preset: Preset, batch: usize) -> Result<Self> {
        let data = Data::new(&preset, batch);
        let count = data.order.len();
        let mut random = Random(2);
        let generator = Network::new(preset.generator, &mut random)?;
        let discriminator = Network::new(preset.discriminator, &mut random)?;
        Ok(Self {
            preset,
            batch,
            samples: Tensor::from_vec(data.samples, (count, preset.features()), DEVICE)?,
            order: Tensor::from_vec(data.order, count, DEVICE)?,
            position: 0,
            update_generator: Update::new(&preset, &generator)?,
            update_discriminator: Update::new(&preset, &discriminator)?,
            generator,
            discriminator,
        })
    }

    /// The next mini-batch: gathered through the order, or a slice where the preset does not shuffle.
    fn real(&mut self) -> Result<Tensor> {
        if self.position + self.batch > self.order.dim(0)? {
            self.position = 0;
        }
        let start = self.position;
        self.position += self.batch;
        if self.preset.shuffled {
            self.samples.index_select(&self.order.narrow(0, start, self.batch)?, 0)
        } else {
            self.samples.narrow(0, start, self.batch)
        }
    }

    fn fakes(&self, trained: bool) -> Result<Tensor> {
        let latents = Tensor::randn(0_f32, 1.0, (self.batch, self.preset.latents()), DEVICE)?;
        let x = self.generator.forward(latents, trained, self.preset.slope, 0.0)?;
        if self.preset.tanh_output { x.tanh() } else { Ok(x) }
    }

    fn logits(&self, x: Tensor, trained: bool) -> Result<Tensor> {
        self.discriminator.forward(x, trained, self.preset.slope, self.preset.dropout)
    }

    /// The mean cross-entropy of logits against one class.
    fn entropy(&self, logits: &Tensor, real: bool) -> Result<Tensor> {
        let probability = if self.preset.objective == Objective::Softmax {
            return log_softmax(logits, D::Minus1)?.narrow(1, usize::from(real), 1)?.mean_all()?.neg();
        } else if real {
            sigmoid(logits)?
        } else {
            sigmoid(&logits.neg()?)?
        };
        probability.log()?.mean_all()?.neg()
    }

    /// Real samples and fakes pass D together.
    fn train_discriminator(&mut self, real: &Tensor, fakes: &Tensor) -> Result<Tensor> {
        let logits = self.logits(Tensor::cat(&[real, &fakes.detach()], 0)?, true)?;
        let of_real = self.entropy(&logits.narrow(0, 0, self.batch)?, true)?;
        let of_fakes = self.entropy(&logits.narrow(0, self.batch, self.batch)?, false)?;
        let loss = ((of_real + of_fakes)? * self.preset.discriminator_factor)?;
        self.update_discriminator.step(&loss)?;
        Ok(loss)
    }

    fn train_generator(&mut self, fakes: &Tensor) -> Result<Tensor> {
        let logits = self.logits(fakes.clone(), false)?;
        let loss = match self.preset.objective {
            Objective::Minimax => self.entropy(&logits, false)?.neg()?,
            _ => self.entropy(&logits, true)?,
        };
        self.update_generator.step(&loss)?;
        Ok(loss)
    }

    /// One update of D and one of G, in the preset's order. Returns their losses.
    fn step(&mut self) -> Result<[Tensor; 2]> {
        let real = self.real()?;
        let fakes = self.fakes(self.preset.order != Order::DiscriminatorFirst)?;
        match self.preset.order {
            Order::DiscriminatorFirst => {
                let loss = self.train_discriminator(&real, &fakes)?;
                let fakes = self.fakes(true)?;
                Ok([loss, self.train_generator(&fakes)?])
            }
            Order::DiscriminatorFirstShared => {
                let loss = self.train_discriminator(&real, &fakes)?;
                Ok([loss, self.train_generator(&fakes)?])
            }
            Order::GeneratorFirstShared => {
                let loss = self.train_generator(&fakes)?;
                Ok([self.train_discriminator(&real, &fakes)?, loss])
            }
        }
    }
}

fn run() -> std::result::Result<(), String> {
    let arguments = Arguments::parse()?;
    let mut gan = Gan::new(arguments.preset, arguments.batch).map_err(|error| error.to_string())?;
    presets::measure(&arguments, "gemm", "0.11.1", |steps| -> Result<[f32; 2]> {
        let mut losses = gan.step()?;
        for _ in 1..steps {
            losses = gan.step()?;
        }
        Ok([losses[0].to_scalar()?, losses[1].to_scalar()?])
    })
}

fn main() {
    if let Err(error) = run() {
        eprintln!("{error}");
        std::process::exit(1);
    }
}
