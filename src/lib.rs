//! Gannet trains generative adversarial networks (GANs) made of dense layers, on CPUs, as fast as the processor allows.
//!
//! ```
//! use std::{ops::ControlFlow, sync::Arc};
//! use gannet::{data::synthetic, gan::{Trainer, TrainerOptions, presets::Preset}};
//!
//! let points = Arc::new(synthetic::circle(1_024, 1)?);
//! let mut trainer = Trainer::new(Preset::Circle.spec(), points, TrainerOptions::default())?;
//! trainer.run(200, 0, |_| ControlFlow::Continue(()))?;
//! let mut samples = vec![0.0; 100 * 2];
//! trainer.sampler()?.sample(7, 0, &mut samples)?;
//! # Ok::<(), gannet::Error>(())
//! ```
//!
//! A program that embeds gannet owns the threads, the data and the loop. Gannet does the steps: it allocates nothing while it does, returns
//! errors instead of panicking, and gives the same bits at any number of threads. Matrices are row-major `f32`; a row is a sample.
//!
//! | what you want | where it is |
//! |---|---|
//! | to describe a GAN | [`gan::GanSpec`], [`net::NetworkSpec`]; ready-made ones in [`gan::presets`] |
//! | to train on data of your own | [`gan::Source`]; [`data`] has arrays, images and readers of files |
//! | to train in slices, between other work, on your own pool | [`gan::Trainer::run`], [`gan::TrainerOptions`] |
//! | to step D or G alone | [`gan::Trainer::step_discriminator`], [`gan::Trainer::step_generator`] |
//! | your own loss or critic against gannet's G | [`gan::Trainer::step_generator_with`] |
//! | your own generator against gannet's D | [`gan::ModularLoss`] |
//! | to look at gradients before the update, and to change them | [`gan::Trainer::run_with`] |
//! | to look at parameters and gradients without a copy | [`gan::Trainer::parameters`], [`gan::Trainer::parameter_gradients`] |
//! | to change the learning rate | [`gan::Trainer::set_learning_rate`]; by a schedule: [`gan::RateSchedule`] |
//! | to bound D's slope | [`gan::Penalties`] (R1, R2, WGAN-GP), [`gan::GanSpec::with_weight_clip`] |
//! | to clip gradients | [`gan::GanSpec::with_generator_clip_norm`], [`gan::GanSpec::with_discriminator_clip_norm`] |
//! | samples from an average of G | [`gan::GanSpec::with_ema_decay`]; G in training: [`gan::Trainer::raw_model`] |
//! | samples of a class, or under other conditions | [`gan::GanSpec::with_conditions`], [`data::Labelled`], [`gan::Sampler::sample_with`] |
//! | the settings of R3GAN at once | [`gan::GanSpec::with_r3gan`] |
//! | to sample, from several threads | [`gan::Sampler`] |
//! | G or D as a function of rows | [`gan::NetworkFunction`] |
//! | a network with gradients, as a layer of your own model | [`gan::DenseNetwork`] |
//! | to save and to go on | [`gan::Checkpoint`], [`gan::Model`]; weights from and to PyTorch: [`gan::weights`] |
//! | networks for ONNX runtimes | `gan::onnx`, with the feature `onnx` |
//! | several seeds side by side | [`gan::Replicas`] |
//! | to know whether it learns | [`gan::health`], [`metrics`] |
//! | to choose instructions, engine and threads | [`cpu`] |
//!
//! # Layers
//!
//! Each uses only what stands below it. Those below `net` are private.
//!
//! ```text
//! data  metrics   sources of samples; measures of what the generator learned
//! gan             objectives, the step as a program, the trainer, presets, checkpoints
//! net             operations of a network, parameters, the tape, forward and backward passes
//! gemm            the two products that a dense layer is made of, and the engines that compute them
//! kernel          pure loops over slices: activations, losses, optimizers, noise, reductions
//! simd            the vector trait and its instruction sets; detection
//! parallel        the worker team
//! atomic_file     files that are written whole or not at all
//! file            opening and reading regular files
//! memory          aligned buffers and workspaces; vectors whose memory may be refused
//! tensor_name     the names of tensors, and how names are read
//! error           the error type
//! network         which of the two networks
//! ```
//!
//! The command-line program is a package of its own, `gannet-cli`. What it, the benches and some tests share with the library beyond
//! the interface stands in `internals`, above all layers.
//!
//! # What will grow
//!
//! Later versions add objectives, optimizers, layers, options and figures. So the types that they are added to are `#[non_exhaustive]`:
//! a constructor takes what is needed, a method `with_FIELD` sets each other field, and the fields can be read and assigned. A match needs
//! an arm `_`, and a pattern of a struct ends in `..`.
//!
//! ```
//! use gannet::data::table::Table;
//! use gannet::gan::{Adam, GanSpec, GivenStep, Model, Network, Objective, Order, Role, Sgd, TensorName, TrainerOptions};
//! use gannet::net::{Activation, Initialization, LayerSpec, LayerTensors, NetworkSpec};
//!
//! let layers = vec![
//!     LayerSpec::new(2, 64, Activation::LeakyRelu { slope: 0.2 }).with_dropout(0.3),
//!     LayerSpec::new(64, 1, Activation::Linear),
//! ];
//! let discriminator = NetworkSpec::new(layers).with_initialization(Initialization::He);
//! let generator = NetworkSpec::dense(&[8, 64, 2], Activation::Relu, 0.0, Activation::Linear);
//! let mut spec = GanSpec::new(generator, discriminator)
//!     .with_objective(Objective::NonSaturatingHalf)
//!     .with_order(Order::DiscriminatorFirst)
//!     .with_generator_optimizer(Adam::new(0.0002).with_beta1(0.5))
//!     .with_discriminator_optimizer(Sgd::new(0.01).with_momentum(0.9));
//! spec.discriminator_steps = 2;
//! spec.validate()?;
//!
//! let options = TrainerOptions::default().with_batch(128).with_seed(7).with_threads(2);
//! let name = TensorName::new(Network::Discriminator, 1, Role::Bias);
//! let step = GivenStep::new(&[0.5, -0.5], &[0.0; 8]).with_generator_latents(&[0.0; 8]);
//! let table = Table::new(2, vec![1.0, 10.0, 3.0, 30.0])?.with_names(vec!["width".into(), "height".into()]);
//! let model = Model::new(vec![LayerTensors::new(vec![1.0], vec![0.0])], vec![LayerTensors::new(vec![1.0], vec![0.0])]);
//! # let _ = (options, name, step, table, model);
//! # Ok::<(), gannet::Error>(())
//! ```
//!
//! A literal is refused, as a new field would break it:
//!
//! ```compile_fail,E0639
//! let options = gannet::gan::TrainerOptions { batch: 128, ..Default::default() };
//! ```
//!
//! # Features
//!
//! None is on by default. `gzip`: the readers of data files take compressed ones, too. `onnx`: `gan::onnx` writes networks as ONNX files.
//! `serde`: settings and measures implement its traits.

// What integration tests and unit tests share names the crate as the former do.
#[cfg(test)]
extern crate self as gannet;

#[cfg_attr(
    not(feature = "internals"),
    allow(dead_code, unreachable_pub, reason = "the library replaces files and ends no process")
)]
mod atomic_file;
pub mod cpu;
pub mod data;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub, reason = "the program uses more of it"))]
mod error;
#[cfg_attr(not(feature = "internals"), allow(dead_code, unreachable_pub, reason = "the program uses more of it"))]
mod file;
pub mod gan;
#[cfg_attr(not(feature = "internals"), allow(unreachable_pub, reason = "the benches see it"))]
mod gemm;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
#[cfg_attr(
    not(feature = "internals"),
    allow(dead_code, unreachable_pub, unused_imports, reason = "the benches see it")
)]
mod kernel;
#[cfg_attr(
    not(feature = "internals"),
    allow(dead_code, unreachable_pub, unused_imports, reason = "the benches see it")
)]
mod memory;
pub mod metrics;
pub mod net;
mod network;
#[cfg_attr(
    not(feature = "internals"),
    allow(dead_code, unreachable_pub, unused_imports, reason = "the benches see it")
)]
mod parallel;
#[cfg(test)]
#[path = "../tests/reference/mod.rs"]
mod reference;
mod rows;
#[cfg_attr(
    not(feature = "internals"),
    allow(dead_code, unreachable_pub, unused_imports, reason = "the benches see it")
)]
mod simd;
mod tensor_name;

pub use error::{Error, Result};
