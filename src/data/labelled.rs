//! Samples of known classes.

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::gan::source::{BatchWriter, BoxError, Extent, Shape, Source};

/// Samples in memory, each with its class behind it as one-hot code: the data of a GAN with as many
/// [conditions](crate::gan::GanSpec::conditions) as there are classes.
///
/// One-hot codes lose nothing against learned embeddings here: the first layer's weights of a class's input are a vector that is learned
/// for the class, as long as that layer is wide.
///
/// ```
/// use std::sync::Arc;
/// use gannet::{data::{ArraySource, Labelled}, gan::Source};
///
/// let points = ArraySource::new(vec![0.5, -0.5, 1.5, 2.5], 2)?;
/// let labelled = Labelled::new(Arc::new(points), vec![2, 0], 3)?;
/// assert_eq!(labelled.shape().features(), 2 + 3);
/// assert!(Labelled::new(Arc::new(ArraySource::new(vec![0.5], 1)?), vec![3], 3).is_err());
/// # Ok::<(), gannet::Error>(())
/// ```
#[derive(Clone)]
pub struct Labelled {
    samples: Arc<dyn Source>,
    labels: Vec<u32>,
    classes: usize,
    shape: Shape,
}

impl fmt::Debug for Labelled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Labelled").field("classes", &self.classes).field("shape", &self.shape).finish()
    }
}

impl Labelled {
    /// Takes `samples`, and for each of them the number of its class, counted from 0.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where there is not one label for each sample, or the samples are not in memory; [`Error::Data`] that names the
    /// first sample whose class is not one of `classes`.
    pub fn new(samples: Arc<dyn Source>, labels: Vec<u32>, classes: usize) -> Result<Self> {
        let given = samples.shape();
        if given.extent() != Extent::Finite(labels.len() as u64) {
            let expected = format!("one for each of {} samples", given.extent());
            return Err(Error::shape("labels", expected, labels.len().to_string()));
        }
        if samples.in_memory().is_none() {
            return Err(Error::shape("labelled samples", "samples in memory", "another source"));
        }
        if let Some(index) = labels.iter().position(|label| *label as usize >= classes) {
            let problem = format!("sample {index} is of class {}, and there are {classes}, from 0 on", labels[index]);
            return Err(Error::data("labels", problem));
        }
        let shape = Shape::new(given.features().saturating_add(classes), labels.len()).concurrent();
        Ok(Self { samples, labels, classes, shape })
    }

    /// The number of each sample's class.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Writes a sample and its class.
    fn write(&self, number: u64, row: &mut [f32]) -> Result<(), BoxError> {
        let features = self.shape.features() - self.classes;
        let samples = self.samples.in_memory().filter(|samples| samples.features() == features);
        let samples = samples.ok_or("the samples were in memory, and no longer are")?;
        let (sample, condition) = row.split_at_mut(features);
        let label = usize::try_from(number).ok().and_then(|number| self.labels.get(number));
        let (Some(label), Some(())) = (label, samples.copy(number, sample)) else {
            return Err(format!("there is no sample {number}").into());
        };
        condition.fill(0.0);
        one_hot(*label as usize, condition);
        Ok(())
    }
}

impl Source for Labelled {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn fill(&self, batch: &mut BatchWriter<'_>) -> Result<(), BoxError> {
        while let Some((number, row)) = batch.next_row() {
            self.write(number, row)?;
        }
        Ok(())
    }
}

/// Writes the condition of class `label`, counted from 0, into one that is 0: 1 in its place. A class beyond the last leaves it as it is.
pub fn one_hot(label: usize, condition: &mut [f32]) {
    if let Some(value) = condition.get_mut(label) {
        *value = 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{ArraySource, ByteSource};
    use crate::gan::source;

    fn row(source: &Labelled, number: u64) -> Vec<f32> {
        let mut row = vec![f32::NAN; source.shape().features()];
        source.write(number, &mut row).unwrap();
        row
    }

    #[test]
    fn a_row_is_a_sample_and_its_class() {
        let floats =
            Labelled::new(Arc::new(ArraySource::new(vec![0.5, 1.5, 2.5], 1).unwrap()), vec![1, 0, 1], 2).unwrap();
        assert_eq!([0, 1, 2].map(|number| row(&floats, number)), [[0.5, 0.0, 1.0], [1.5, 1.0, 0.0], [2.5, 0.0, 1.0]]);
        assert!(floats.write(3, &mut [0.0; 3]).is_err());
        let bytes = ByteSource::new(vec![0, 255, 51, 204], 1, 2, 255).unwrap();
        let images = Labelled::new(Arc::new(bytes), vec![0, 2], 3).unwrap();
        assert_eq!(row(&images, 0)[2..], [1.0, 0.0, 0.0]);
        assert!((row(&images, 0)[1] - 1.0).abs() < 1e-6);
        assert_eq!(row(&images, 1)[2..], [0.0, 0.0, 1.0]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let points = || Arc::new(ArraySource::new(vec![0.5, 1.5], 1).unwrap());
        assert!(matches!(Labelled::new(points(), vec![0], 2), Err(Error::Shape { .. })));
        let error = Labelled::new(points(), vec![0, 7], 2).unwrap_err().to_string();
        assert!(error.contains("sample 1 is of class 7"), "{error}");
        let made = source::from_fn(1, 2, |_, row| row.fill(0.0));
        assert!(matches!(Labelled::new(Arc::new(made), vec![0, 1], 2), Err(Error::Shape { .. })));
    }
}
