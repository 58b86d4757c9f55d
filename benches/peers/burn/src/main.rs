//! The presets in burn: `peer-burn PRESET BATCH THREADS`, with RAYON_NUM_THREADS set to THREADS.
//!
//! The backend is `flex`, burn's own for the CPU; `ndarray` is deprecated in favor of it.

#![forbid(unsafe_code)]

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::activation::{leaky_relu, log_sigmoid, log_softmax, relu, tanh};
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use presets::{Arguments, Data, Objective, Optimizer, Order, Preset};

/// Dense layers, initialized as burn does it: U(-1/sqrt(inputs), 1/sqrt(inputs)).
#[derive(Module, Debug)]
struct Network {
    layers: Vec<Linear>,
    dropout: Dropout,
    slope: f64,
}

impl Network {
    fn new(sizes: &[usize], slope: f64, dropout: f64, device: &Device) -> Self {
        let layers: Vec<Linear> =
            sizes.windows(2).map(|pair| LinearConfig::new(pair[0], pair[1]).init(device)).collect();
        // Parameters are drawn when they are first read: if a copy without gradients did that, they would never have any.
        for layer in &layers {
            layer.weight.val();
            layer.bias.as_ref().map(|bias| bias.val());
        }
        Self { layers, dropout: DropoutConfig::new(dropout).init(), slope }
    }

    /// All layers, the output linear.
    fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        let mut x = input;
        for (index, layer) in self.layers.iter().enumerate() {
            x = layer.forward(x);
            if index + 1 < self.layers.len() {
                x = if self.slope == 0.0 { relu(x) } else { leaky_relu(x, self.slope) };
                x = self.dropout.forward(x);
            }
        }
        x
    }
}

/// A network with its optimizer.
struct Player {
    /// Absent only while it is updated: an update takes the network, so that it may reuse its memory.
    network: Option<Network>,
    optimizer: ModuleOptimizer,
    rate: f64,
}

impl Player {
    fn new(preset: &Preset, network: Network) -> Self {
        let optimizer = match preset.optimizer {
            Optimizer::Adam => AdamConfig::new().with_epsilon(1e-8).init(),
            Optimizer::Sgd => SgdConfig::new().init(),
        };
        Self { network: Some(network), optimizer, rate: preset.learning_rate }
    }

    /// With `trained`, gradients reach the parameters.
    fn forward(&self, input: Tensor<2>, trained: bool) -> Tensor<2> {
        let network = self.network.as_ref().expect("present between updates");
        if trained { network.forward(input) } else { network.clone().no_grad().forward(input) }
    }

    fn step(&mut self, loss: &Tensor<1>) {
        let network = self.network.take().expect("present between updates");
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        self.network = Some(self.optimizer.step(self.rate, network, gradients));
    }
}

/// One preset in training.
struct Gan {
    preset: Preset,
    batch: usize,
    device: Device,
    samples: Tensor<2>,
    order: Tensor<1, Int>,
    position: usize,
    generator: Player,
    discriminator: Player,
}

impl Gan {
    fn new(preset: Preset, batch: usize, device: Device) -> Self {
        let data = Data::new(&preset, batch);
        let count = data.order.len();
        let order: Vec<i32> = data.order.into_iter().map(|index| index as i32).collect();
        let network = |sizes, dropout| Network::new(sizes, preset.slope, dropout, &device);
        Self {
            preset,
            batch,
            samples: Tensor::from_data(TensorData::new(data.samples, [count, preset.features()]), &device),
            order: Tensor::from_data(TensorData::new(order, [count]), &device),
            position: 0,
            generator: Player::new(&preset, network(preset.generator, 0.0)),
            discriminator: Player::new(&preset, network(preset.discriminator, preset.dropout)),
            device,
        }
    }

    /// The next mini-batch: gathered through the order, or a slice where the preset does not shuffle.
    fn real(&mut self) -> Tensor<2> {
        if self.position + self.batch > self.order.dims()[0] {
            self.position = 0;
        }
        let rows = self.position..self.position + self.batch;
        self.position = rows.end;
        if self.preset.shuffled {
            self.samples.clone().select(0, self.order.clone().slice([rows]))
        } else {
            self.samples.clone().slice([rows])
        }
    }

    fn fakes(&self, trained: bool) -> Tensor<2> {
        let shape = [self.batch, self.preset.latents()];
        let latents = Tensor::random(shape, Distribution::Normal(0.0, 1.0), &self.device);
        let x = self.generator.forward(latents, trained);
        if self.preset.tanh_output { tanh(x) } else { x }
    }

    /// The mean cross-entropy of logits against one class.
    fn entropy(&self, logits: Tensor<2>, real: bool) -> Tensor<1> {
        let class = usize::from(real);
        let logarithm = match (self.preset.objective, real) {
            (Objective::Softmax, _) => log_softmax(logits, 1).slice([0..self.batch, class..class + 1]),
            (_, true) => log_sigmoid(logits),
            (_, false) => log_sigmoid(logits.neg()),
        };
        logarithm.mean().neg()
    }

    /// Real samples and fakes pass D together.
    fn train_discriminator(&mut self, real: Tensor<2>, fakes: Tensor<2>) -> Tensor<1> {
        let logits = self.discriminator.forward(Tensor::cat(vec![real, fakes], 0), true);
        let width = logits.dims()[1];
        let part = |start: usize| logits.clone().slice([start..start + self.batch, 0..width]);
        let loss = self.entropy(part(0), true) + self.entropy(part(self.batch), false);
        let loss = loss * self.preset.discriminator_factor;
        self.discriminator.step(&loss);
        loss
    }

    fn train_generator(&mut self, fakes: Tensor<2>) -> Tensor<1> {
        let logits = self.discriminator.forward(fakes, false);
        let loss = match self.preset.objective {
            Objective::Minimax => self.entropy(logits, false).neg(),
            _ => self.entropy(logits, true),
        };
        self.generator.step(&loss);
        loss
    }

    /// One update of D and one of G, in the preset's order. Returns their losses.
    fn step(&mut self) -> [Tensor<1>; 2] {
        let real = self.real();
        let fakes = self.fakes(self.preset.order != Order::DiscriminatorFirst);
        match self.preset.order {
            Order::DiscriminatorFirst => {
                let loss = self.train_discriminator(real, fakes);
                let fakes = self.fakes(true);
                [loss, self.train_generator(fakes)]
            }
            Order::DiscriminatorFirstShared => {
                let loss = self.train_discriminator(real, fakes.clone().detach());
                [loss, self.train_generator(fakes)]
            }
            Order::GeneratorFirstShared => {
                let loss = self.train_generator(fakes.clone());
                [self.train_discriminator(real, fakes.detach()), loss]
            }
        }
    }
}

fn run() -> Result<(), String> {
    let arguments = Arguments::parse()?;
    let mut gan = Gan::new(arguments.preset, arguments.batch, Device::flex().autodiff());
    presets::measure(&arguments, "flex", "0.22.1", |steps| -> Result<[f32; 2], String> {
        let mut losses = gan.step();
        for _ in 1..steps {
            losses = gan.step();
        }
        Ok(losses.map(|loss| loss.into_scalar()))
    })
}

fn main() {
    if let Err(error) = run() {
        eprintln!("{error}");
        std::process::exit(1);
    }
}
