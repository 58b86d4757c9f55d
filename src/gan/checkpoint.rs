//! Checkpoints: one safetensors file with everything that a run needs to go on as if it had never stopped.
//!
//! It holds both networks under the names of a model file, for each parameter the states of its optimizer under the suffixes of
//! PyTorch (`generator.0.weight.exp_avg`, `.exp_avg_sq`, `.square_avg` or `.momentum_buffer`), the averages of G's parameters where the
//! run keeps them (`generator.0.weight.ema`), and one entry of metadata, `gannet.checkpoint`: a JSON object with the version of the
//! format, the counters, the settings by name, the caller's notes and a CRC-32C of all of it. A note that is too long for metadata is a
//! tensor of bytes (`note.NAME`), of which a reader makes a text and nothing else. Random numbers depend on seed and counters alone, so
//! that the counters are the whole random state; the order of an epoch's samples is made anew from them.
//!
//! Every setting that decides the result is there; one that this program does not know is as good as one that was
//! changed. Other entries that are not known are passed over.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::model::Model;
use super::names::{AVERAGE, DISCRIMINATOR, GENERATOR, NOTE, WEIGHT};
use super::optimizer_spec::OptimizerSpec;
use super::optimizer_state::{OptimizerState, suffix};
use super::seal::{Checksum, ENTRY, verified_state};
use super::settings::{self, Settings};
use super::spec::GanSpec;
use super::tensors::{self, MOST_TEXTS};
use super::version_1::settings_of_version_1;
use crate::error::{Error, Result};
use crate::file;
use crate::kernel::optimizer;
use crate::memory;
use crate::net::parameters::ParameterLayout;
use crate::net::{LayerTensors, NetworkSpec};

/// Version of the format. Files of version 1 are read, too; those of others are refused.
const VERSION: u64 = 2;

/// A note of more bytes is a tensor: the header has little room, and takes many times its length of memory when it is read.
const LONG_NOTE: usize = 1 << 20;

/// The entry of [`Checkpoint::discriminator_turns`].
const DISCRIMINATOR_TURNS: &str = "discriminator_turns";

/// The state of a run between two steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The networks that samples are made by.
    model: Model,
    /// G's parameters in training, where the model has their averages.
    raw_generator: Option<Vec<LayerTensors>>,
    /// G's optimizer, then D's.
    pub(super) optimizers: [OptimizerState; 2],
    /// Steps done.
    pub(super) step: u64,
    /// Real samples drawn.
    pub(super) drawn: u64,
    /// Turns of D done, where they are not those of whole steps.
    pub(super) discriminator_turns: Option<u64>,
    /// What decided the result so far.
    pub(super) settings: Settings,
    /// Whatever the caller wants to find beside it, by name; the program keeps the text of its configuration here.
    pub notes: BTreeMap<String, String>,
}

/// Both networks of a specification with their names and optimizers.
fn networks(spec: &GanSpec) -> [(&'static str, &NetworkSpec, &OptimizerSpec); 2] {
    [
        (GENERATOR, &spec.generator, &spec.generator_optimizer),
        (DISCRIMINATOR, &spec.discriminator, &spec.discriminator_optimizer),
    ]
}

impl Checkpoint {
    pub(super) fn new(
        model: Model,
        optimizers: [OptimizerState; 2],
        [step, drawn]: [u64; 2],
        settings: Settings,
    ) -> Self {
        let (raw_generator, discriminator_turns, notes) = (None, None, BTreeMap::new());
        Self { model, raw_generator, optimizers, step, drawn, discriminator_turns, settings, notes }
    }

    /// The same with the averages of G's parameters.
    pub(super) fn with_averages(mut self, averages: Vec<LayerTensors>) -> Self {
        self.raw_generator = Some(std::mem::replace(&mut self.model.generator, averages));
        self
    }

    /// The averages of G's parameters, where they are kept.
    pub(super) fn averages(&self) -> Option<&[LayerTensors]> {
        self.raw_generator.as_ref().map(|_| self.model.generator.as_slice())
    }

    /// The parameters in training, G's and D's.
    pub(super) fn raw_networks(&self) -> [&[LayerTensors]; 2] {
        let generator = self.raw_generator.as_ref().unwrap_or(&self.model.generator);
        [generator, &self.model.discriminator]
    }

    /// Checks that the tensors are those of `spec`.
    pub(super) fn check_networks(&self, spec: &GanSpec) -> Result<()> {
        self.model.check(spec)?;
        let layout = ParameterLayout::new(&spec.generator);
        self.raw_generator.as_ref().map_or(Ok(()), |raw| layout.check(raw, GENERATOR))
    }

    /// Both networks, as samples are made by them: G has the averages of its parameters where the run keeps them
    /// ([`GanSpec::ema_decay`]).
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Both networks in training. Where no averages are kept it is [`model`](Self::model), and nothing is copied.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub fn raw_model(&self) -> Result<Cow<'_, Model>> {
        if self.raw_generator.is_none() {
            return Ok(Cow::Borrowed(&self.model));
        }
        let [generator, discriminator] = self.raw_networks().map(copy);
        Ok(Cow::Owned(Model { generator: generator?, discriminator: discriminator? }))
    }

    /// Steps done.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Real samples drawn.
    pub fn samples_drawn(&self) -> u64 {
        self.drawn
    }

    /// Real samples that the run learns from; 0 where the checkpoint does not say.
    pub fn samples(&self) -> usize {
        settings::samples(&self.settings)
    }

    /// [`model`](Self::model) alone.
    pub fn into_model(self) -> Model {
        self.model
    }

    /// The checkpoint as the bytes of a safetensors file: the same state, the same bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where the checkpoint is not one of a run of `spec`; [`Error::Data`] where its notes are so long that a
    /// reader would refuse the file; [`Error::OutOfMemory`].
    pub fn to_safetensors(&self, spec: &GanSpec) -> Result<Vec<u8>> {
        let [long, notes] = self.split_notes()?;
        let long: Vec<(String, &str)> = long.into_iter().map(|(name, text)| (format!("{NOTE}{name}"), text)).collect();
        self.check_networks(spec)?;
        let mut named = Vec::new();
        for ((name, network, optimizer), (model, state)) in
            networks(spec).into_iter().zip(self.raw_networks().into_iter().zip(&self.optimizers))
        {
            named.extend(tensors::named(name, network, model, ""));
            if !state.is_of(optimizer) {
                let found: Vec<&str> = state.states.iter().map(|(name, _)| *name).collect();
                return Err(Error::shape(
                    format!("{name}'s optimizer"),
                    format!("states {:?}", optimizer.state_names()),
                    format!("{found:?}"),
                ));
            }
            for (state, tensors) in &state.states {
                named.extend(tensors::named(name, network, tensors, &suffix(state)));
            }
        }
        if let Some(averages) = self.averages() {
            named.extend(tensors::named(GENERATOR, &spec.generator, averages, &suffix(AVERAGE)));
        }
        let mut state = json!({
            "version": VERSION,
            "step": self.step,
            "drawn": self.drawn,
            "updates": { GENERATOR: self.optimizers[0].updates, DISCRIMINATOR: self.optimizers[1].updates },
            "settings": self.settings,
            "notes": notes,
        });
        if let Some(turns) = self.discriminator_turns {
            state[DISCRIMINATOR_TURNS] = turns.into();
        }
        let mut in_order: Vec<&tensors::NamedTensor<'_>> = named.iter().collect();
        in_order.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        let mut sum = Checksum::of(&state);
        for (name, shape, values) in in_order {
            sum.name(name, shape);
            sum.values(values);
        }
        // Behind the others in the order of the names.
        for (name, text) in &long {
            sum.name(name, &[text.len()]);
            sum.bytes(text.as_bytes());
        }
        let checksum = sum.text();
        let entry = json!({ "checksum": checksum, "state": state }).to_string();
        tensors::serialize_with_texts(&named, &long, BTreeMap::from([(ENTRY.to_string(), entry)]))
    }

    /// The notes that are tensors, and those that are metadata.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] where a reader would refuse them.
    fn split_notes(&self) -> Result<[BTreeMap<&str, &str>; 2]> {
        let texts = self.notes.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        let (long, short): (BTreeMap<_, _>, BTreeMap<_, _>) = texts.partition(|(_, text)| text.len() > LONG_NOTE);
        tensors::check_texts(short.iter().map(|(name, text)| name.len() + text.len()).sum())?;
        let length: u64 = long.values().map(|text| text.len() as u64).sum();
        if length > MOST_TEXTS {
            let problem = format!("its notes take {length} bytes, of which a file may have {MOST_TEXTS}; shorten them");
            return Err(Error::data("this file", problem));
        }
        Ok([long, short])
    }

    /// The checkpoint in the bytes of a safetensors file, of a run of `spec`. `origin` (a path) opens error messages.
    ///
    /// The optimizers may be others than those of `spec`: [`Trainer::restore`](super::Trainer::restore) tells.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] that says what is damaged or does not fit.
    pub fn from_safetensors(bytes: &[u8], spec: &GanSpec, origin: &str) -> Result<Self> {
        let problem = |problem: &str| Error::data(origin, problem);
        let file = tensors::deserialize(bytes, origin)?;
        let state = verified_state(bytes, &file, origin)?
            .ok_or_else(|| problem("is no checkpoint: it holds networks alone, without the state of a run"))?;
        let unreadable = |name: &str| problem(&format!("its state is damaged: `{name}`"));
        let number = |value: &Value, name: &str| value.as_u64().ok_or_else(|| unreadable(name));
        let texts = |name: &str| -> Result<BTreeMap<String, String>> {
            let entries = state[name].as_object().ok_or_else(|| unreadable(name))?;
            let text = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_string()));
            entries.iter().map(|entry| text(entry).ok_or_else(|| unreadable(name))).collect()
        };
        let settings = match state["version"].as_u64() {
            Some(1) => settings_of_version_1(&texts("settings")?),
            Some(VERSION) => settings::read(&state["settings"]).ok_or_else(|| unreadable("settings"))?,
            _ => {
                let version = &state["version"];
                let known = format!("this program reads versions 1 and {VERSION}");
                return Err(problem(&format!("has version {version} of the format; {known}")));
            }
        };
        let mut optimizers = [OptimizerState::default(), OptimizerState::default()];
        for ((name, network, _), optimizer) in networks(spec).into_iter().zip(&mut optimizers) {
            optimizer.updates = number(&state["updates"][name], "updates")?;
            for state in optimizer::state_names() {
                let suffix = suffix(state);
                if file.tensor(&format!("{name}.0.{WEIGHT}{suffix}")).is_ok() {
                    optimizer.states.push((state, tensors::trained_layers(&file, name, network, &suffix, origin)?));
                }
            }
        }
        let model = Model::from_tensors(&file, spec, origin)?;
        let raw = || tensors::layers(&file, GENERATOR, &spec.generator, "", origin);
        Ok(Self {
            raw_generator: Model::has_averages(&file).then(raw).transpose()?,
            model,
            optimizers,
            step: number(&state["step"], "step")?,
            drawn: number(&state["drawn"], "drawn")?,
            discriminator_turns: match &state[DISCRIMINATOR_TURNS] {
                Value::Null => None,
                turns => Some(number(turns, DISCRIMINATOR_TURNS)?),
            },
            settings,
            notes: {
                let mut notes = texts("notes")?;
                notes.extend(tensors::texts(&file, NOTE, origin)?);
                notes
            },
        })
    }

    /// Writes a checkpoint atomically: to a temporary file in the same folder, which is synced, takes the name `path`, and is then
    /// read back. The folder is synced too.
    ///
    /// # Errors
    ///
    /// As [`Self::to_safetensors`], and what the system reports; what stood at `path` before is then still there.
    /// [`Error::Data`] where the file reads back otherwise than it was written.
    pub fn save(&self, spec: &GanSpec, path: &Path) -> Result<()> {
        let bytes = self.to_safetensors(spec)?;
        tensors::write_file(path, &bytes)?;
        if !file::holds(path, &bytes)? {
            let problem = "reads back otherwise than it was written: the disk is failing";
            return Err(Error::data(path.display().to_string(), problem));
        }
        Ok(())
    }

    /// Reads a checkpoint of a run of `spec`.
    ///
    /// # Errors
    ///
    /// As [`Self::from_safetensors`], and what the system reports. A file much larger than such a checkpoint is not read.
    pub fn load(spec: &GanSpec, path: &Path) -> Result<Self> {
        let bytes = file::read(path, Model::largest_file(spec))?;
        Self::from_safetensors(&bytes, spec, &path.display().to_string())
    }
}

/// A copy of tensors.
fn copy(tensors: &[LayerTensors]) -> Result<Vec<LayerTensors>> {
    let copied = |values: &Vec<f32>| memory::copied(values);
    let layer = |layer: &LayerTensors| {
        let buffers = layer.buffers.iter().map(copied).collect::<Result<_>>()?;
        Ok(LayerTensors::new(copied(&layer.weight)?, copied(&layer.bias)?).with_buffers(buffers))
    };
    tensors.iter().map(layer).collect()
}

/// The notes of a checkpoint file, of which no specification is known yet.
///
/// # Errors
///
/// [`Error::Data`] where `bytes` are no whole checkpoint.
pub fn notes(bytes: &[u8], origin: &str) -> Result<BTreeMap<String, String>> {
    let file = tensors::deserialize(bytes, origin)?;
    let state = verified_state(bytes, &file, origin)?.unwrap_or_default();
    let entries = state["notes"].as_object().into_iter().flatten();
    let mut notes: BTreeMap<String, String> =
        entries.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_string()))).collect();
    notes.extend(tensors::texts(&file, NOTE, origin)?);
    Ok(notes)
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::ops::ControlFlow;
    use std::sync::Arc;

    use super::*;
    use crate::atomic_file::{self, Placing};
    use crate::data::synthetic;
    use crate::gan::presets::Preset;
    use crate::gan::{Trainer, TrainerOptions};

    /// A small GAN after `steps` steps.
    fn trained(steps: u64) -> Trainer<'static> {
        let points = Arc::new(synthetic::circle(100, 1).unwrap());
        let mut trainer = Trainer::new(Preset::Circle.spec(), points, TrainerOptions::default()).unwrap();
        trainer.run(steps, 0, |_| ControlFlow::Continue(())).unwrap();
        trainer
    }

    fn saved(steps: u64) -> (GanSpec, Checkpoint, Vec<u8>) {
        let trainer = trained(steps);
        let mut checkpoint = trainer.checkpoint().unwrap();
        checkpoint.notes.insert("config.toml".into(), "[run]\npreset = \"circle\"  # \u{e9}\n".into());
        let bytes = checkpoint.to_safetensors(trainer.spec()).unwrap();
        (trainer.spec().clone(), checkpoint, bytes)
    }

    #[test]
    fn a_checkpoint_survives_writing_and_reading() {
        let (spec, checkpoint, bytes) = saved(7);
        assert_eq!(Checkpoint::from_safetensors(&bytes, &spec, "it").unwrap(), checkpoint);
        assert_eq!(checkpoint.to_safetensors(&spec).unwrap(), bytes, "the same state, the same bytes");
        assert_eq!(notes(&bytes, "it").unwrap(), checkpoint.notes);
        assert_eq!(Model::from_safetensors(&bytes, &spec, "it").unwrap(), *checkpoint.model());
        assert_eq!(checkpoint.step(), 7);
    }

    #[test]
    fn damage_is_always_noticed() {
        let (spec, checkpoint, bytes) = saved(3);
        // The header byte by byte, bit by bit; of the tensors each 61st byte.
        let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        for index in (0..header).chain((header..bytes.len()).step_by(61)) {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[index] ^= 1 << bit;
                match Checkpoint::from_safetensors(&damaged, &spec, "it") {
                    Err(Error::Data { .. }) => {}
                    Ok(read) => panic!("bit {bit} of byte {index}: {}", read == checkpoint),
                    Err(other) => panic!("bit {bit} of byte {index}: {other}"),
                }
            }
        }
        for len in (0..header).chain((header..bytes.len()).step_by(509)) {
            assert!(Checkpoint::from_safetensors(&bytes[..len], &spec, "it").is_err(), "{len} bytes");
        }
    }

    #[test]
    fn long_notes_are_tensors_that_the_checksum_knows() {
        let (spec, mut checkpoint, before) = saved(1);
        checkpoint.notes.insert("b".into(), "\u{e9}\"".repeat(LONG_NOTE));
        checkpoint.notes.insert("a".into(), "x".repeat(LONG_NOTE + 1));
        let bytes = checkpoint.to_safetensors(&spec).unwrap();
        assert_eq!(Checkpoint::from_safetensors(&bytes, &spec, "it").unwrap(), checkpoint);
        assert_eq!(notes(&bytes, "it").unwrap(), checkpoint.notes);
        assert_eq!(Model::from_safetensors(&bytes, &spec, "it").unwrap(), *checkpoint.model());
        assert!(bytes.len() < before.len() + 4 * LONG_NOTE + 1_000);
        let mut damaged = bytes.clone();
        *damaged.last_mut().unwrap() ^= 1;
        assert!(Checkpoint::from_safetensors(&damaged, &spec, "it").is_err() && notes(&damaged, "it").is_err());
        // A tensor of other bytes under such a name.
        for (name, values) in [("note.x", [1.0].as_slice()), ("note.", &[])] {
            let odd = tensors::serialize(&[(name.into(), vec![values.len()], values)], BTreeMap::new()).unwrap();
            assert!(notes(&odd, "it").unwrap_err().to_string().contains("is no text"), "{name}");
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let (spec, checkpoint, bytes) = saved(1);
        let problem =
            |bytes: &[u8], spec: &GanSpec| Checkpoint::from_safetensors(bytes, spec, "it").unwrap_err().to_string();
        let model = checkpoint.model().to_safetensors(&spec).unwrap();
        assert!(problem(&model, &spec).contains("no checkpoint"));
        assert!(problem(&bytes, &Preset::Gaussian2d.spec()).contains("generator.0.weight"));
        let mut other = trained(0);
        let gaussian = Arc::new(synthetic::gaussian2d(100, 1).unwrap());
        let gaussian = Trainer::new(Preset::Gaussian2d.spec(), gaussian, TrainerOptions::default()).unwrap();
        let before = other.checkpoint().unwrap();
        for changes in [crate::gan::Changes::Refused, crate::gan::Changes::Allowed] {
            assert!(other.restore(&gaussian.checkpoint().unwrap(), changes).is_err());
            assert_eq!(other.checkpoint().unwrap(), before, "nothing is changed");
        }
        // Metadata that are no object.
        for entry in ["[]", "0", "null", "{}", r#"{"state":3}"#] {
            let strange = tensors::serialize(&[], BTreeMap::from([(ENTRY.to_string(), entry.to_string())])).unwrap();
            assert!(problem(&strange, &spec).contains("its checksum"), "{entry}");
        }
        // A format that came later, and settings that are none: with checksums that are right.
        let entry = |bytes: &[u8]| -> Value {
            let (_, metadata) = safetensors::SafeTensors::read_metadata(bytes).unwrap();
            serde_json::from_str(&metadata.metadata().as_ref().unwrap()[ENTRY]).unwrap()
        };
        let sealed = |state: Value| {
            let entry = json!({ "checksum": Checksum::of(&state).text(), "state": state }).to_string();
            tensors::serialize(&[], BTreeMap::from([(ENTRY.to_string(), entry)])).unwrap()
        };
        let mut state = entry(&bytes)["state"].take();
        for version in [json!(0), json!(VERSION + 1), json!("2"), Value::Null] {
            state["version"] = version;
            let told = problem(&sealed(state.clone()), &spec);
            assert!(told.contains("of the format; this program reads versions 1 and 2"), "{told}");
        }
        for (version, settings) in [(1, json!({"run.batch": 32})), (2, json!({"run.batch": [32]})), (2, json!(3))] {
            (state["version"], state["settings"]) = (version.into(), settings);
            let told = problem(&sealed(state.clone()), &spec);
            assert!(told.contains("its state is damaged: `settings`"), "{told}");
        }
        // A number that a checksum cannot tell from a right one.
        for (step, drawn) in [(u64::MAX, 0), (0, u64::MAX), (1 << 44, 0)] {
            let impossible = Checkpoint { step, drawn, ..checkpoint.clone() };
            assert!(other.restore(&impossible, crate::gan::Changes::Allowed).is_err(), "{step} {drawn}");
        }
        let mut spoiled = checkpoint;
        spoiled.optimizers[0].states.pop();
        assert!(spoiled.to_safetensors(&spec).is_err());
    }

    /// A file on a disk with room for `left` bytes more.
    struct Full<'a, W> {
        file: &'a mut W,
        left: usize,
    }

    impl<W: Write> Write for Full<'_, W> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.left == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let written = self.file.write(&bytes[..bytes.len().min(self.left)])?;
            self.left -= written;
            Ok(written)
        }

        fn flush(&mut self) -> io::Result<()> {
            self.file.flush()
        }
    }

    #[test]
    fn a_write_that_fails_anywhere_leaves_the_checkpoint_before() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("last.safetensors");
        let (spec, before, _) = saved(2);
        before.save(&spec, &path).unwrap();
        let (_, after, bytes) = saved(3);
        for left in (0..bytes.len()).step_by(997).chain([1, 7, 8, 9, bytes.len() - 1]) {
            let failed = atomic_file::write(&path, Placing::Replace, |file| Full { file, left }.write_all(&bytes));
            assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull, "{left}");
            assert_eq!(Checkpoint::load(&spec, &path).unwrap(), before, "{left} bytes");
            assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1, "the temporary file is gone");
        }
        after.save(&spec, &path).unwrap();
        assert_eq!(Checkpoint::load(&spec, &path).unwrap(), after);
    }

    /// Notes of any length are written and read, or refused before anything is written.
    #[test]
    fn a_checkpoint_that_is_saved_can_be_loaded() {
        let trainer = trained(1);
        let (spec, mut checkpoint) = (trainer.spec(), trainer.checkpoint().unwrap());
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.safetensors");
        let mut saved = Vec::new();
        for mib in [1, 7, 8, 64, 65] {
            // Quotes are escaped twice: in the state, and in the header that holds it as a text.
            for note in ["x", "\""] {
                checkpoint.notes = BTreeMap::from([("columns".to_string(), note.repeat(mib << 20))]);
                match checkpoint.save(spec, &path) {
                    Ok(()) => {
                        assert_eq!(Checkpoint::load(spec, &path).unwrap(), checkpoint);
                        saved.push((mib, note));
                    }
                    Err(Error::Data { problem, .. }) => {
                        assert!(problem.contains(&format!("notes take {} bytes", mib << 20)), "{problem}");
                    }
                    Err(other) => panic!("{other}"),
                }
            }
        }
        assert_eq!(saved, [1, 7, 8, 64].map(|mib| [(mib, "x"), (mib, "\"")]).concat());
        // Short ones are metadata, as they always were, and all together may be too many for these.
        let many = |count: usize| (0..count).map(|place| (place.to_string(), "\"".repeat(1 << 20))).collect();
        for (count, is_saved) in [(1, true), (7, false)] {
            checkpoint.notes = many(count);
            assert_eq!(checkpoint.to_safetensors(spec).is_ok(), is_saved, "{count}");
        }
        assert!(Checkpoint::load(spec, &path).is_ok(), "the last good one is still there");
    }
}
