//! Where real samples come from: rows in memory of the caller, or a callback.

use std::ffi::c_void;
use std::ptr;
use std::slice;
use std::sync::Arc;

use gannet::gan::Source;
use gannet::gan::source::{BatchWriter, BoxError, Extent, InMemory, Shape, from_rows};

use crate::arguments;
use crate::status::Failure;
use crate::versioned::Versioned;

/// Fills a part of a batch: writes the samples of the numbers `numbers[0]` to `numbers[count - 1]` to `rows`, `[count, features]`,
/// row-major. A number means the same sample each time that it is asked for. Returns 0; anything else ends the step before it begins, with
/// `GANNET_SOURCE`.
///
/// It is called on the thread that runs the trainer, with at most `GANNET_FILL_ROWS` numbers at a time.
pub type GannetFill =
    Option<unsafe extern "C" fn(context: *mut c_void, numbers: *const u64, count: usize, rows: *mut f32) -> i32>;

/// The most samples that a `GannetFill` is asked for at once.
pub const GANNET_FILL_ROWS: usize = 1024;

/// The real samples of a trainer. Set `size` to `sizeof(GannetData)`, `features`, and either `values` or `fill`.
///
/// Memory and context are borrowed until the trainer is freed. Between two calls of the trainer the values may be changed; then a resumed
/// run has other bits than one that never stopped.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct GannetData {
    /// `sizeof(GannetData)`.
    pub size: usize,
    /// Number of samples. 0, with `fill` only: there is always another one, and nothing is shuffled.
    pub samples: u64,
    /// Values of a sample; with conditions, those are the last.
    pub features: usize,
    /// The first value of the first sample. NULL with `fill`.
    pub values: *const f32,
    /// From a sample to the next, in values. 0: `features`, or what `column_stride` makes of it. May be negative.
    pub row_stride: isize,
    /// From a value of a sample to the next, in values. 0: 1. May be negative. A matrix in Fortran order has its number of rows here, and
    /// `row_stride` 1.
    pub column_stride: isize,
    /// Fills batches. NULL with `values`.
    pub fill: GannetFill,
    /// Handed to `fill`.
    pub context: *mut c_void,
}

// SAFETY: repr(C), begins with its size, and consists of numbers, raw pointers and an optional function.
unsafe impl Versioned for GannetData {
    const NAME: &'static str = "GannetData";
    const ZERO: Self = Self {
        size: 0,
        samples: 0,
        features: 0,
        values: ptr::null(),
        row_stride: 0,
        column_stride: 0,
        fill: None,
        context: ptr::null_mut(),
    };
}

impl GannetData {
    /// The source of these samples.
    ///
    /// # Safety
    ///
    /// What the fields say holds until the source is dropped.
    pub(crate) unsafe fn source(&self) -> Result<Arc<dyn Source>, Failure> {
        if self.features == 0 {
            return Err(Failure::argument("the field features of GannetData is 0; set it to the values of a sample"));
        }
        match (self.fill, self.values.is_null()) {
            (Some(_), false) => Err(Failure::argument("GannetData has values and fill; give one of them")),
            (None, true) => Err(arguments::null("of GannetData, values and fill are NULL; values")),
            (Some(fill), true) => {
                let (samples, features, context) = (self.samples, self.features, self.context);
                Ok(Arc::new(Filled { fill, context, samples, features }))
            }
            (None, false) => self.of_memory(),
        }
    }

    /// The source of rows in memory.
    fn of_memory(&self) -> Result<Arc<dyn Source>, Failure> {
        let problem = "GannetData needs its number of samples, of which no more than memory can hold";
        let too_many = || Failure::argument(problem);
        let samples = usize::try_from(self.samples).ok().filter(|samples| *samples > 0).ok_or_else(too_many)?;
        arguments::check_place(self.values.cast_mut(), "values of GannetData")?;
        let column = if self.column_stride == 0 { 1 } else { self.column_stride };
        let features = isize::try_from(self.features).map_err(|_| too_many())?;
        let row = match self.row_stride {
            0 => features.checked_mul(column).ok_or_else(too_many)?,
            row => row,
        };
        let far = |count: usize, stride: isize| {
            let last = isize::try_from(count - 1).ok()?;
            last.checked_mul(stride)?.checked_abs()
        };
        let reach =
            far(samples, row).zip(far(self.features, column)).and_then(|(rows, columns)| rows.checked_add(columns));
        reach.and_then(|reach| reach.checked_mul(size_of::<f32>() as isize)).ok_or_else(too_many)?;
        let rows = Rows { values: self.values, samples, features: self.features, row, column };
        if column == 1 && row == features {
            return Ok(Arc::new(Dense(rows)));
        }
        Ok(Arc::new(Strided(rows)))
    }
}

/// Rows in memory of the caller.
#[derive(Clone, Copy)]
struct Rows {
    values: *const f32,
    samples: usize,
    features: usize,
    row: isize,
    column: isize,
}

// SAFETY: the memory is only read, and stays until the source is dropped; whoever lends it has promised that.
unsafe impl Send for Rows {}
// SAFETY: as above.
unsafe impl Sync for Rows {}

/// Rows one behind the other, which are read where they stand.
struct Dense(Rows);

impl Source for Dense {
    fn shape(&self) -> Shape {
        Shape::new(self.0.features, self.0.samples)
    }

    fn in_memory(&self) -> Option<InMemory<'_>> {
        let Rows { values, samples, features, .. } = self.0;
        // SAFETY: the caller lends as many values; `of_memory` has checked the length.
        let values = unsafe { slice::from_raw_parts(values, samples * features) };
        from_rows(values, features).ok()
    }
}

/// Rows that stand apart, which are copied to each batch.
struct Strided(Rows);

impl Source for Strided {
    fn shape(&self) -> Shape {
        Shape::new(self.0.features, self.0.samples).concurrent()
    }

    fn fill(&self, batch: &mut BatchWriter<'_>) -> Result<(), BoxError> {
        let Rows { values, row: of_row, column: of_column, .. } = self.0;
        while let Some((number, row)) = batch.next_row() {
            for (column, value) in row.iter_mut().enumerate() {
                // SAFETY: sample and column are below those that the caller lends, and `of_memory` has checked how far those reach.
                *value = unsafe { *values.offset(number as isize * of_row + column as isize * of_column) };
            }
        }
        Ok(())
    }
}

/// Samples of a callback.
struct Filled {
    fill: unsafe extern "C" fn(*mut c_void, *const u64, usize, *mut f32) -> i32,
    context: *mut c_void,
    samples: u64,
    features: usize,
}

// SAFETY: the callback is called by one thread at a time, whichever runs the trainer; whoever lends the context has promised that it
// may be used there.
unsafe impl Send for Filled {}
// SAFETY: as above; the shape does not allow several threads at once.
unsafe impl Sync for Filled {}

impl Source for Filled {
    fn shape(&self) -> Shape {
        let extent = if self.samples == 0 { Extent::Endless } else { Extent::Finite(self.samples) };
        Shape::new(self.features, extent)
    }

    fn fill(&self, batch: &mut BatchWriter<'_>) -> Result<(), BoxError> {
        let mut left = batch.numbers();
        let mut numbers = [0; GANNET_FILL_ROWS];
        loop {
            let mut count = 0;
            for (place, number) in numbers.iter_mut().zip(left.by_ref()) {
                *place = number;
                count += 1;
            }
            if count == 0 {
                return Ok(());
            }
            let rows = batch.next_rows(count);
            // SAFETY: both have as many as they should; the callback is the caller's.
            let answer = unsafe { (self.fill)(self.context, numbers.as_ptr(), count, rows.as_mut_ptr()) };
            if answer != 0 {
                return Err(format!("the callback that fills batches returned {answer}").into());
            }
        }
    }
}
