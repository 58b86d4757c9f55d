//! How good generated tables are.
//!
//! Each measure takes [`Table`](crate::Table)s of the same form: a table that [`read`](crate::read) gave, and others that
//! [`read_as`](crate::read_as) or [`Table::new`](crate::Table::new) made with its form. Columns that are not learned do not count. Numbers
//! that are not finite are missing values. The same tables always give the same figures: where rows or columns are too many, an even
//! choice of them counts, and nothing is drawn at random. A figure that has no meaning is `None`, as the mean of nothing is.
//!
//! | function | what it tells |
//! |---|---|
//! | [`quality()`] | whether columns and pairs of columns are distributed alike |
//! | [`detection()`] | whether a linear model tells real rows from synthetic ones |
//! | [`utility()`] | whether a model learns from synthetic rows what it learns from real ones |
//! | [`privacy()`] | whether synthetic rows are copies of those that a generator was trained on |
//!
//! Two halves of a real table show how good a figure can be: the same functions compare them.
//!
//! # Layers
//!
//! Each file uses only what stands below it.
//!
//! ```text
//! report  detection  utility  privacy         the measures
//! trend  logistic  ridge  gower               pairs of columns, models, distances
//! features  conjugate  auc                    columns as features, systems of equations
//! shape  correlation  contingency  bins       one column, or two
//! cells  scale  even  same_form  measure      values of a table's rows
//! vectors                                     sums
//! ```

mod auc;
mod bins;
mod cells;
mod conjugate;
mod contingency;
mod correlation;
mod detection;
mod even;
mod features;
mod gower;
mod logistic;
mod measure;
mod privacy;
mod report;
mod ridge;
mod same_form;
mod scale;
mod shape;
mod trend;
mod utility;
mod vectors;

pub use detection::{Detection, detection};
pub use features::{MAX_MODEL_COLUMNS, MAX_MODEL_ROWS};
pub use measure::Measure;
pub use privacy::{MAX_JUDGED_ROWS, MAX_RECORDS, Privacy, privacy};
pub use report::{
    ASSOCIATION_THRESHOLD, CORRELATION_THRESHOLD, ColumnQuality, MAX_PAIRED_COLUMNS, MAX_PAIRED_ROWS, PairQuality,
    Quality, quality,
};
pub use utility::{MAX_CLASSES, Utility, UtilityMeasure, utility};
