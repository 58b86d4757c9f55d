//! Labelled samples of which those of rare classes come more often than they are.
//!
//! A draw takes a class with a probability in proportion to `ln(1 + samples of the class)`, and then one of its samples, each as likely as
//! the others: the training-by-sampling of CTGAN (Xu et al. 2019, section 4.3).

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::gan::source::{BatchWriter, BoxError, Extent, Numbers, Shape, Source, write_batch};
use crate::gan::streams::Stream;
use crate::memory::{filled, room};

/// Samples with their classes behind them, such as [`Labelled`](super::Labelled), of which a training sees rare classes more often than
/// they are. Fakes have the classes of the real samples beside them, so the generator is asked for rare classes as often. What it learns
/// is what a sample of a class is like, so that samples under conditions as frequent as the data's have the data's proportions.
///
/// A draw depends on the seed and its number alone. An epoch is as many draws as there are samples.
///
/// ```
/// use std::sync::Arc;
/// use gannet::{data::{ArraySource, Balanced, Labelled}, gan::Source};
///
/// let points = ArraySource::new((0..100).map(|number| number as f32).collect(), 1)?;
/// let labels: Vec<u32> = (0..100).map(|number| u32::from(number < 2)).collect();
/// let labelled = Labelled::new(Arc::new(points), labels.clone(), 2)?;
/// let balanced = Balanced::new(Arc::new(labelled), labels, 2, 7)?;
/// // ln(1 + 98) and ln(1 + 2): a fifth of the draws are of the class with 2 of 100 samples.
/// assert!((balanced.shares()[1] - 0.193).abs() < 0.001);
/// # Ok::<(), gannet::Error>(())
/// ```
#[derive(Clone)]
pub struct Balanced {
    samples: Arc<dyn Source>,
    shape: Shape,
    seed: u64,
    /// The numbers of the samples, class after class.
    rows: Vec<u32>,
    /// Of each class that has samples the end of its rows, and the end of its part of 2^32.
    classes: Vec<Class>,
    /// The probability of each class.
    shares: Vec<f64>,
}

/// A class that has samples.
#[derive(Clone, Copy, Debug)]
struct Class {
    /// The end of its part of 2^32.
    reach: u64,
    /// The end of its rows.
    end: usize,
}

impl fmt::Debug for Balanced {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Balanced").field("shape", &self.shape).field("shares", &self.shares).finish()
    }
}

impl Balanced {
    /// Takes `samples`, the number of the class of each, counted from 0, and the seed of the draws. The labels are not kept.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where there is not one label for each sample; [`Error::Data`] that names the first sample whose class is not one of
    /// `classes`, or where there is no sample; [`Error::OutOfMemory`].
    pub fn new(
        samples: Arc<dyn Source>,
        labels: impl IntoIterator<Item = u32, IntoIter: Clone + ExactSizeIterator>,
        classes: usize,
        seed: u64,
    ) -> Result<Self> {
        let (given, labels) = (samples.shape(), labels.into_iter());
        if given.extent() != Extent::Finite(labels.len() as u64) {
            let expected = format!("one for each of {} samples", given.extent());
            return Err(Error::shape("labels", expected, labels.len().to_string()));
        }
        super::check_count("labels", labels.len())?;
        let mut counts: Vec<usize> = filled(classes, 0)?;
        for (index, label) in labels.clone().enumerate() {
            let Some(count) = counts.get_mut(label as usize) else {
                let problem = format!("sample {index} is of class {label}, and there are {classes}, from 0 on");
                return Err(Error::data("labels", problem));
            };
            *count += 1;
        }
        let total: f64 = counts.iter().map(|&count| weight(count)).sum();
        if labels.len() == 0 {
            return Err(Error::data("labels", "there is no sample to balance"));
        }
        let (mut parts, mut shares) = (room(classes)?, room(classes)?);
        let mut ends: Vec<usize> = room(classes)?;
        let (mut end, mut sum) = (0, 0.0);
        for &count in &counts {
            ends.push(end);
            end += count;
            sum += weight(count);
            shares.push(weight(count) / total);
            if count > 0 {
                parts.push(Class { reach: (sum / total * RANGE as f64).round() as u64, end });
            }
        }
        // Rounding leaves no number without a class.
        parts.iter_mut().last().into_iter().for_each(|last: &mut Class| last.reach = RANGE);
        let mut rows = filled(labels.len(), 0)?;
        for (row, label) in (0u32..).zip(labels) {
            let place = &mut ends[label as usize];
            rows[*place] = row;
            *place += 1;
        }
        let shape = Shape::new(given.features(), Extent::Chosen(rows.len() as u64));
        let shape = if given.is_concurrent() { shape.concurrent() } else { shape };
        Ok(Self { samples, shape, seed, rows, classes: parts, shares })
    }

    /// The probability of each class in a draw.
    pub fn shares(&self) -> &[f64] {
        &self.shares
    }

    /// The sample of a draw.
    fn row(&self, draw: u64) -> u32 {
        let [class, of_class, ..] = Stream::Balance.key(self.seed, draw).state(0);
        let class = self.classes.partition_point(|part| part.reach <= u64::from(class));
        let first = if class > 0 { self.classes[class - 1].end } else { 0 };
        let count = (self.classes[class].end - first) as u64;
        // The upper half of a random number times the count (Lemire 2019): the bias is below count / 2^32.
        self.rows[first + ((u64::from(of_class) * count) >> 32) as usize]
    }
}

/// The numbers that a class is drawn by.
const RANGE: u64 = 1 << 32;

/// What the probability of a class with so many samples is in proportion to.
fn weight(count: usize) -> f64 {
    (count as f64).ln_1p()
}

impl Source for Balanced {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn fill(&self, batch: &mut BatchWriter<'_>) -> Result<(), BoxError> {
        while let Some((draw, values)) = batch.next_row() {
            let row = [self.row(draw)];
            write_batch(Numbers::Listed(&row), self.shape.features(), values, |batch| self.samples.fill(batch))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{ArraySource, Labelled};
    use crate::gan::source;

    /// Samples 0, 1, 2 ... of classes with so many samples each, one class after the other from the end of the list.
    fn labelled(counts: &[usize]) -> (Arc<Labelled>, Vec<u32>) {
        let mut labels: Vec<u32> =
            (0u32..).zip(counts).flat_map(|(class, count)| std::iter::repeat_n(class, *count)).collect();
        labels.reverse();
        let numbers = ArraySource::new((0..labels.len()).map(|number| number as f32).collect(), 1).unwrap();
        (Arc::new(Labelled::new(Arc::new(numbers), labels.clone(), counts.len()).unwrap()), labels)
    }

    /// The first feature, the number of a sample, of so many draws from one on.
    fn draws(source: &Balanced, first: u64, count: usize) -> Vec<f32> {
        let features = source.shape().features();
        let mut values = vec![0.0; count * features];
        write_batch(Numbers::From(first), features, &mut values, |batch| source.fill(batch)).unwrap();
        values.chunks(features).for_each(|row| assert_eq!(row[1..].iter().sum::<f32>(), 1.0));
        values.into_iter().step_by(features).collect()
    }

    #[test]
    fn classes_come_by_the_logarithms_of_their_sizes() {
        let counts = [1_000, 0, 5, 200];
        let (samples, labels) = labelled(&counts);
        let source = Balanced::new(samples, labels.clone(), 4, 3).unwrap();
        let weights = counts.map(|count| f64::from(count as u32).ln_1p());
        let total: f64 = weights.iter().sum();
        let mut found = [0u32; 4];
        let mut of_five = [0u32; 1_205];
        for number in draws(&source, 0, 40_000) {
            found[labels[number as usize] as usize] += 1;
            of_five[number as usize] += 1;
        }
        for ((found, weight), share) in found.iter().zip(weights).zip(source.shares()) {
            // Five standard deviations of a count are below 500.
            assert!((f64::from(*found) - 40_000.0 * weight / total).abs() < 500.0, "{found} of {weight}");
            assert_eq!(*share, weight / total);
        }
        assert_eq!(found[1], 0);
        // Of three classes: 18.4 is exceeded once in 10,000 times.
        let squares = found.iter().zip(weights).filter(|(_, weight)| *weight > 0.0).map(|(found, weight)| {
            let expected = 40_000.0 * weight / total;
            (f64::from(*found) - expected).powi(2) / expected
        });
        let square: f64 = squares.sum();
        assert!(square < 18.4, "chi-square {square}");
        // The samples of a class are equally likely: a fifth of some 5,100 each, with a standard deviation of 64.
        let places: Vec<u32> = (0..1_205).filter(|row| labels[*row] == 2).map(|row| of_five[row]).collect();
        assert!(places.len() == 5 && places.iter().all(|count| count.abs_diff(found[2] / 5) < 320), "{places:?}");
    }

    #[test]
    fn a_draw_depends_on_seed_and_number_alone() {
        let (samples, labels) = labelled(&[30, 3]);
        let of_seed = |seed| Balanced::new(Arc::clone(&samples) as _, labels.clone(), 2, seed).unwrap();
        let all = draws(&of_seed(5), 0, 100);
        assert_eq!(draws(&of_seed(5), 60, 40), all[60..]);
        assert_ne!(draws(&of_seed(6), 0, 100), all);
        assert_eq!(of_seed(5).shape().extent(), Extent::Chosen(33));
        assert!(of_seed(5).shape().is_concurrent() && of_seed(5).in_memory().is_none());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let (samples, labels) = labelled(&[3, 2]);
        let made = |labels: &[u32], classes| Balanced::new(Arc::clone(&samples) as _, labels.to_vec(), classes, 0);
        assert!(matches!(made(&labels[1..], 2), Err(Error::Shape { .. })));
        assert!(made(&labels, 1).unwrap_err().to_string().contains("sample 0 is of class 1"));
        let none = source::from_fn(1, 0, |_, row| row.fill(0.0));
        assert!(Balanced::new(Arc::new(none), Vec::new(), 2, 0).unwrap_err().to_string().contains("no sample"));
        // An error of the samples is one of the draw.
        let failing = source::try_from_fn(1, 2, |_, _: &mut [f32]| Err("gone"));
        let failing = Balanced::new(Arc::new(failing), vec![0, 1], 2, 0).unwrap();
        let error = write_batch(Numbers::From(0), 1, &mut [0.0], |batch| failing.fill(batch)).unwrap_err();
        assert!(error.to_string().contains("gone"), "{error}");
    }
}
