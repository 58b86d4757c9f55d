//! The samples of a preset, in memory.

use std::borrow::Cow;
use std::sync::Arc;

use gannet::data::{ArraySource, Balanced, ByteSource, Labelled};
use gannet::gan::Source;
use gannet::internals::memory::filled;
use gannet::{Error, Result};
use gannet_tables::EncodedTable;

/// The samples of a preset, in memory.
#[derive(Clone, Debug)]
pub(crate) enum Samples {
    /// Points or numbers, and the class of each; empty where none is known.
    Values(Arc<ArraySource>, Arc<[u8]>),
    /// Rows of a table, each with its class where there are some.
    Table(Arc<EncodedTable>),
    /// Images.
    Images(Arc<ImageSet>),
}

/// Images with their classes.
#[derive(Clone, Debug)]
pub(crate) struct ImageSet {
    /// What is trained on.
    pub(crate) train: Arc<ByteSource>,
    /// The class of each training image; empty where none is known.
    pub(crate) labels: Cow<'static, [u8]>,
    /// What is kept for testing, if anything.
    pub(crate) test: Option<TestImages>,
}

/// Images that are not trained on.
#[derive(Clone, Debug)]
pub(crate) struct TestImages {
    pub(crate) images: ByteSource,
    /// The class of each.
    pub(crate) labels: Vec<u8>,
}

/// The byte of a pixel of own images, whose bytes 0 to 255 are -1 to 1 to the networks.
pub(crate) fn byte(pixel: f32) -> u8 {
    ((pixel.clamp(-1.0, 1.0) + 1.0) * 127.5).round() as u8
}

impl Samples {
    /// As many images as MNIST has, all of them black: enough for a plan.
    ///
    /// # Errors
    ///
    /// None but of memory.
    pub(crate) fn stand_in() -> Result<Self> {
        /// Images of MNIST's training set, and the side of one.
        const IMAGES: usize = 60_000;
        const SIDE: usize = 28;
        let train = ByteSource::new(vec![0; IMAGES * SIDE * SIDE], SIDE, SIDE, u8::MAX)?;
        Ok(Self::Images(Arc::new(ImageSet { train: Arc::new(train), labels: vec![0; IMAGES].into(), test: None })))
    }

    /// How many there are to train on.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Values(source, _) => source.len(),
            Self::Table(table) => table.len(),
            Self::Images(set) => set.train.len(),
        }
    }

    /// Where the trainer draws from.
    pub(crate) fn source(&self) -> Arc<dyn Source> {
        match self {
            Self::Values(source, _) => Arc::clone(source) as Arc<dyn Source>,
            Self::Table(table) => Arc::clone(table) as Arc<dyn Source>,
            Self::Images(set) => Arc::clone(&set.train) as Arc<dyn Source>,
        }
    }

    /// The same with the class of each sample, one of `classes`, behind it.
    ///
    /// # Errors
    ///
    /// Samples without labels, or with others.
    pub(crate) fn labelled(&self, classes: usize) -> Result<Arc<dyn Source>> {
        let (labels, source): (&[u8], Arc<dyn Source>) = match self {
            Self::Values(source, labels) => (labels, Arc::clone(source) as _),
            Self::Table(table) => return Ok(Arc::clone(table) as _),
            Self::Images(set) => (&set.labels, Arc::clone(&set.train) as _),
        };
        if labels.is_empty() {
            return Err(Error::data("labels", "these samples have none"));
        }
        let labels = labels.iter().map(|label| u32::from(*label)).collect();
        Ok(Arc::new(Labelled::new(source, labels, classes)?))
    }

    /// The same with rare classes drawn more often than they are, by the seed of the run.
    ///
    /// # Errors
    ///
    /// As [`labelled`](Self::labelled).
    pub(crate) fn balanced(&self, classes: usize, seed: u64) -> Result<Arc<dyn Source>> {
        let source = self.labelled(classes)?;
        let balanced = match self {
            Self::Table(table) => {
                let label = |row| table.class(row).and_then(|class| u32::try_from(class).ok()).unwrap_or(u32::MAX);
                Balanced::new(source, (0..table.len()).map(label), classes, seed)?
            }
            Self::Values(_, labels) => Balanced::new(source, labels.iter().copied().map(u32::from), classes, seed)?,
            Self::Images(set) => Balanced::new(source, set.labels.iter().copied().map(u32::from), classes, seed)?,
        };
        Ok(Arc::new(balanced))
    }

    /// What the samples are known again by: how many there are, and a checksum of them, and of their classes where they are `labelled`.
    pub(crate) fn fingerprint(&self, labelled: bool) -> String {
        let (count, sum, labels): (_, _, &[u8]) = match self {
            Self::Table(table) => {
                let mut sum = 0;
                table.for_each_piece(|piece| sum = crc32c::crc32c_append(sum, piece));
                (table.len(), sum, &[])
            }
            Self::Values(source, labels) => {
                let add = |sum, value: &f32| crc32c::crc32c_append(sum, &value.to_le_bytes());
                (source.len(), source.values().iter().fold(0, add), labels)
            }
            Self::Images(set) => (set.train.len(), crc32c::crc32c(set.train.bytes()), &set.labels),
        };
        let sum = if labelled { crc32c::crc32c_append(sum, labels) } else { sum };
        format!("{count} samples, crc32c:{sum:08x}")
    }

    /// Bytes that they take in memory.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            // The trainer's numbers of the classes stand beside the labels.
            Self::Values(source, labels) => {
                (size_of_val(source.values()) + (1 + size_of::<u32>()) * labels.len()) as u64
            }
            Self::Table(table) => table.bytes(),
            Self::Images(set) => {
                let test = set.test.as_ref().map_or(0, |test| test.images.bytes().len() + test.labels.len());
                (set.train.bytes().len() + set.labels.len() + test) as u64
            }
        }
    }

    /// The real points or numbers of a preset, to be drawn; none of anything else.
    pub(crate) fn values(&self) -> &[f32] {
        match self {
            Self::Values(source, _) => source.values(),
            Self::Table(_) | Self::Images(_) => &[],
        }
    }

    /// At most `count` rows of a table with all features, evenly chosen, one after another; none of anything else.
    ///
    /// # Errors
    ///
    /// Memory that the system refuses.
    pub(crate) fn rows(&self, count: usize) -> Result<Vec<f32>> {
        let Self::Table(table) = self else { return Ok(Vec::new()) };
        let (all, count, features) = (table.len(), count.min(table.len()), table.features());
        let mut rows = filled(count.saturating_mul(features), 0.0)?;
        for (index, row) in rows.chunks_exact_mut(features).enumerate() {
            table.copy(index * all / count, row);
        }
        Ok(rows)
    }

    /// The class of each of the [`rows`](Self::rows), of at most so many; none where there are no classes.
    pub(crate) fn classes(&self, count: usize) -> Vec<usize> {
        let Self::Table(table) = self else { return Vec::new() };
        let (all, count) = (table.len(), count.min(table.len()));
        (0..count).filter_map(|index| table.class(index * all / count)).collect()
    }

    /// At most `count` images, evenly chosen, one after another; none of points or numbers.
    ///
    /// # Errors
    ///
    /// Memory that the system refuses.
    pub(crate) fn images(&self, count: usize) -> Result<Vec<f32>> {
        let Self::Images(set) = self else { return Ok(Vec::new()) };
        let (all, count) = (set.train.len(), count.min(set.train.len()));
        let mut images = Vec::new();
        for row in (0..count).map(|index| index * all / count) {
            images.extend(set.train.rows(row..row + 1)?);
        }
        Ok(images)
    }
}
