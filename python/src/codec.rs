//! Tables of columns of any kind: their rows as samples and back.
//!
//! What a frame's types become is decided in Python (`package/gannet/_column.py`): here a column is one of numbers, of whole numbers or of
//! codes, with or without missing values.

use gannet::Error;
use gannet::internals::memory::filled;
use gannet_tables::{
    Calibration as Inner, Category, Codec as Tables, Column, ColumnForm, Domain, Form, Indices, Kind, Mark, Mask,
    NumberFormat, Scaling, Table, Values,
};
use numpy::{Element, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::arrays::{self, Matrix};
use crate::calls::detached;
use crate::problem::Problem;

/// Where the columns come from, in messages.
const ORIGIN: &str = "X";

/// Most decimals of numbers that are looked for; numbers of more lie on no grid.
const MOST_DECIMALS: u16 = 9;
/// What stands for numbers on no grid: more decimals than the codec counts.
const NO_GRID: u16 = 12;

/// How the rows of a table become samples, numbers and behind them groups of indicators, and samples become rows again.
#[pyclass(frozen, module = "gannet._gannet")]
pub(crate) struct Codec(Tables);

/// What puts samples of one generator right: each column by itself is distributed as in the data.
#[pyclass(frozen, module = "gannet._gannet")]
pub(crate) struct Calibration(Inner);

/// A column as Python hands it in.
#[derive(FromPyObject)]
struct Given<'py> {
    name: String,
    what: String,
    values: Bound<'py, PyAny>,
    missing: Option<Bound<'py, PyAny>>,
    texts: Vec<String>,
}

/// The values of a column and its name.
struct Read {
    name: String,
    cells: Cells,
    /// Which rows have no value; empty where all have one.
    missing: Vec<bool>,
}

/// The values of a column, a value a row.
enum Cells {
    Numbers(Vec<f64>),
    /// Numbers that were ones of 32 bits.
    Singles(Vec<f32>),
    Integers(Vec<i64>),
    /// So many values that are not learned.
    Nothing(usize),
    /// Places in the list of texts, and whether these are those of a boolean.
    Codes {
        codes: Vec<i32>,
        texts: Vec<String>,
        is_boolean: bool,
    },
}

/// A column of decoded samples.
type Decoded<'py> = (Bound<'py, PyAny>, Option<Bound<'py, PyArray1<bool>>>);

/// The values of a vector.
fn vector<T: Element + Copy>(value: &Bound<'_, PyAny>) -> PyResult<Vec<T>> {
    let array = value.extract::<PyReadonlyArray1<'_, T>>()?;
    Ok(array.as_array().iter().copied().collect())
}

impl Given<'_> {
    fn read(self) -> PyResult<Read> {
        let Self { name, what, values, missing, texts } = self;
        let cells = match what.as_str() {
            "number" if values.cast::<PyArray1<f32>>().is_ok() => Cells::Singles(vector(&values)?),
            "number" => Cells::Numbers(vector(&values)?),
            "integer" => Cells::Integers(vector(&values)?),
            "constant" => Cells::Nothing(vector::<i32>(&values)?.len()),
            "category" | "boolean" => Cells::Codes { codes: vector(&values)?, texts, is_boolean: what == "boolean" },
            _ => {
                let problem = format!("`{what}` is unknown; use number, integer, category, boolean or constant");
                return Err(Problem::from(Error::setting("what", problem)).into());
            }
        };
        let missing = missing.map_or(Ok(Vec::new()), |missing| vector(&missing))?;
        Ok(Read { name, cells, missing })
    }
}

/// All columns that Python hands in.
fn read(columns: Vec<Given<'_>>) -> PyResult<Vec<Read>> {
    columns.into_iter().map(Given::read).collect()
}

impl Cells {
    fn len(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Singles(values) => values.len(),
            Self::Integers(values) => values.len(),
            Self::Nothing(rows) => *rows,
            Self::Codes { codes, .. } => codes.len(),
        }
    }
}

/// The rows of columns, which all have as many.
fn rows(columns: &[Read]) -> Result<usize, Error> {
    let rows = columns.first().map_or(0, |column| column.cells.len());
    for column in columns {
        let (found, masked) = (column.cells.len(), column.missing.len());
        if found != rows || !(masked == 0 || masked == rows) {
            let what = format!("column `{}`", column.name);
            return Err(Error::shape(what, format!("{rows} values"), format!("{found}, and {masked} in the mask")));
        }
    }
    Ok(rows)
}

impl Read {
    fn refused(&self, problem: &str) -> Error {
        Error::data(ORIGIN, format!("column `{}` {problem}", self.name))
    }

    /// The rows that have a value, of values a row.
    fn present<'a, T: Copy>(&'a self, values: &'a [T]) -> impl Iterator<Item = T> + Clone + 'a {
        let is_there = |(row, _): &(usize, &T)| !self.missing.get(*row).copied().unwrap_or(false);
        values.iter().enumerate().filter(is_there).map(|(_, value)| *value)
    }

    /// The column with its form, as fitting finds it.
    fn fitted(&self) -> Result<(ColumnForm, Column), Error> {
        let (kind, domain) = match &self.cells {
            Cells::Numbers(values) => self.numbers(self.present(values), decimals(self.present(values)))?,
            Cells::Singles(values) => {
                let decimals = decimals_of_singles(self.present(values));
                self.numbers(self.present(values).map(|value| widened(value, decimals)), decimals)?
            }
            Cells::Integers(values) => {
                let least = self.present(values).min().ok_or_else(|| self.refused("has no value"))?;
                let greatest = self.present(values).max().unwrap_or(least);
                (Kind::Integer, Domain::Integers { format: NumberFormat::default(), range: [least, greatest] })
            }
            Cells::Nothing(_) => (Kind::Constant, Domain::Nothing),
            Cells::Codes { codes, texts, is_boolean } => {
                let mut counts = vec![0u64; texts.len()];
                for code in self.present(codes) {
                    let count = usize::try_from(code).ok().and_then(|code| counts.get_mut(code));
                    *count.ok_or_else(|| self.refused("has a code without a text"))? += 1;
                }
                let categories = texts.iter().zip(counts).map(|(text, count)| Category::new(text.as_str(), count));
                let kind = if *is_boolean { Kind::Boolean } else { Kind::Categorical };
                (kind, Domain::Categories { categories: categories.collect(), rest: None })
            }
        };
        let mut form = ColumnForm::new(self.name.as_str(), kind, domain);
        form.missing_cells = self.missing.iter().filter(|missing| **missing).count() as u64;
        form.missing = (form.missing_cells > 0).then(Mark::default);
        let column = self.column(&form)?;
        Ok((form, column))
    }

    /// What a column of these numbers is.
    fn numbers(
        &self,
        numbers: impl Iterator<Item = f64> + Clone,
        decimals: Option<u16>,
    ) -> Result<(Kind, Domain), Error> {
        let (least, greatest) =
            numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |ends, value| (ends.0.min(value), ends.1.max(value)));
        if !(greatest - least).is_finite() {
            return Err(self.refused("has no finite value, or its numbers are too far apart for 64 bits"));
        }
        let mut format = NumberFormat::default();
        format.max_decimals = decimals.unwrap_or(NO_GRID);
        Ok((Kind::Continuous, Domain::Numbers { format, range: [least, greatest] }))
    }

    /// The column where its form is known.
    fn column(&self, form: &ColumnForm) -> Result<Column, Error> {
        let missing = Mask::of(&self.missing);
        if missing.is_some() && form.missing_cells == 0 {
            return Err(self.refused("has missing values, and had none when it was fitted"));
        }
        let is_there = |row: usize| !self.missing.get(row).copied().unwrap_or(false);
        let values = match &self.cells {
            Cells::Numbers(values) => self.finite(values.iter().copied(), is_there)?,
            Cells::Singles(values) => {
                let decimals = match &form.domain {
                    Domain::Numbers { format, .. } if format.max_decimals <= MOST_DECIMALS => Some(format.max_decimals),
                    _ => None,
                };
                self.finite(values.iter().map(|value| widened(*value, decimals)), is_there)?
            }
            Cells::Integers(values) => {
                let mut copied = filled(values.len(), 0)?;
                copied.copy_from_slice(values);
                Values::Integers(copied)
            }
            Cells::Nothing(_) => Values::None,
            Cells::Codes { codes, .. } => {
                let known = form.categories();
                let place = |(row, code): (usize, &i32)| match usize::try_from(*code) {
                    Ok(code) if code < known => Ok(code as u16),
                    _ if !is_there(row) => Ok(0),
                    _ => Err(self.refused("has a code that is not known")),
                };
                let places = codes.iter().enumerate().map(place);
                Values::Categories(if known <= 256 {
                    Indices::Bytes(places.map(|place| place.map(|place| place as u8)).collect::<Result<_, _>>()?)
                } else {
                    Indices::Words(places.collect::<Result<_, _>>()?)
                })
            }
        };
        Ok(Column::new(values, missing))
    }

    /// Numbers that are finite, but for those that are missing.
    fn finite(
        &self,
        numbers: impl ExactSizeIterator<Item = f64>,
        is_there: impl Fn(usize) -> bool,
    ) -> Result<Values, Error> {
        let mut copied = filled(numbers.len(), 0.0)?;
        for (row, (place, number)) in copied.iter_mut().zip(numbers).enumerate() {
            if !is_there(row) {
                continue;
            }
            if !number.is_finite() {
                return Err(self.refused(&format!("has {number} in row {row}, which is no number")));
            }
            *place = number;
        }
        Ok(Values::Numbers(copied))
    }
}

/// A number with so many decimals.
fn rounded(number: f64, decimals: u16) -> f64 {
    let unit = 10f64.powi(i32::from(decimals));
    (number * unit).round() / unit
}

/// The decimals that all numbers have, where they are few.
fn decimals(numbers: impl Iterator<Item = f64> + Clone) -> Option<u16> {
    (0..=MOST_DECIMALS).find(|decimals| numbers.clone().all(|number| rounded(number, *decimals) == number))
}

/// The same of numbers of 32 bits, which are the nearest to such ones.
fn decimals_of_singles(numbers: impl Iterator<Item = f32> + Clone) -> Option<u16> {
    let is_nearest = |number: f32, decimals| rounded(f64::from(number), decimals) as f32 == number;
    (0..=MOST_DECIMALS).find(|decimals| numbers.clone().all(|number| is_nearest(number, *decimals)))
}

/// A number of 32 bits as the one with so many decimals that it stands for.
fn widened(number: f32, decimals: Option<u16>) -> f64 {
    decimals.map_or(f64::from(number), |decimals| rounded(f64::from(number), decimals))
}

/// The matrix of samples with so many features.
fn samples<'py>(value: &Bound<'py, PyAny>, features: usize) -> Result<Matrix<'py>, Problem> {
    let samples = arrays::matrix(value, "samples")?;
    match samples.shape() {
        [_, columns] if *columns == features => Ok(samples),
        other => Err(Error::shape("samples", format!("[rows, {features}]"), format!("{other:?}")).into()),
    }
}

#[pymethods]
impl Codec {
    /// One of these columns. Each has a `name`, says `what` it is ("number", "integer", "category", "boolean", or "constant" where it is not
    /// learned), and has an array of `values` (float64 or float32, int64, int32 codes; of a constant int32 that are not looked at), an array
    /// of bool that says which are `missing`, or None, and the `texts` of codes.
    #[staticmethod]
    fn fit(py: Python<'_>, columns: Vec<Given<'_>>) -> PyResult<Self> {
        let columns = read(columns)?;
        let codec = detached(py, || {
            let rows = rows(&columns)?;
            let (forms, columns) = columns.iter().map(Read::fitted).collect::<Result<(Vec<_>, Vec<_>), _>>()?;
            let table = Table::new(Form::new(forms), rows, columns)?;
            Ok(Tables::fit(&table, None, Scaling::Quantile)?)
        });
        Ok(Self(codec?))
    }

    /// The rows of columns like those of the fit as samples: float32, [rows, features]. At most `memory_limit` bytes are taken.
    #[pyo3(signature = (columns, memory_limit = None))]
    fn encode<'py>(
        &self,
        py: Python<'py>,
        columns: Vec<Given<'py>>,
        memory_limit: Option<u64>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let columns = read(columns)?;
        let (features, limit) = (self.0.features(), memory_limit.unwrap_or(u64::MAX));
        let (rows, samples) = detached(py, || {
            let rows = rows(&columns)?;
            let forms = &self.0.form().columns;
            if columns.len() != forms.len() {
                let (expected, found) = (forms.len().to_string(), columns.len().to_string());
                return Err(Error::shape("columns", expected, found).into());
            }
            let columns = columns.iter().zip(forms).map(|(column, form)| column.column(form));
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            let table = Table::new(self.0.form().clone(), rows, columns)?;
            let count = rows.saturating_mul(features);
            let bytes = (count as u64).saturating_mul(size_of::<f32>() as u64);
            if bytes > limit {
                return Err(Error::MemoryLimit { needed: bytes, limit }.into());
            }
            let encoded = self.0.encode(&table, limit - bytes)?;
            let mut samples = filled(count, 0.0f32)?;
            samples.chunks_exact_mut(features).enumerate().for_each(|(row, sample)| encoded.copy(row, sample));
            Ok((rows, samples))
        })?;
        PyArray1::from_vec(py, samples).reshape([rows, features])
    }

    /// What puts samples of the generator that made these right: of all features, under its conditions as often as the data have them.
    fn calibrate(&self, samples: &Bound<'_, PyAny>) -> PyResult<Calibration> {
        let py = samples.py();
        let matrix = self::samples(samples, self.0.features())?;
        let borrowed = arrays::readable(&matrix, "samples")?;
        let values = borrowed.as_slice().map_err(arrays::not_dense)?;
        Ok(Calibration(detached(py, || Ok(self.0.calibration(values)))?))
    }

    /// The columns of samples, put right by a calibration: of each the values (float64, int64 or int32 codes; 0 of a constant), and which
    /// are missing, or None where none is.
    fn decode<'py>(&self, samples: &Bound<'py, PyAny>, calibration: &Calibration) -> PyResult<Vec<Decoded<'py>>> {
        let py = samples.py();
        let matrix = self::samples(samples, self.0.features())?;
        let borrowed = arrays::readable(&matrix, "samples")?;
        let values = borrowed.as_slice().map_err(arrays::not_dense)?;
        let table = detached(py, || {
            let mut hardened = filled(values.len(), 0.0)?;
            hardened.copy_from_slice(values);
            calibration.0.apply(&mut hardened);
            Ok(self.0.table(&hardened, |_| None)?)
        })?;
        let columns = table.columns().iter().zip(&self.0.form().columns);
        columns.map(|(column, form)| Ok(decoded(py, column, form, table.rows())?)).collect()
    }

    /// What `of_json` reads.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        let wrong = |error: serde_json::Error| Problem::from(Error::data("the codec", error.to_string()));
        Ok(detached(py, || serde_json::to_string(&self.0).map_err(wrong))?)
    }

    /// The codec that `to_json` told.
    #[staticmethod]
    fn of_json(py: Python<'_>, text: &str) -> PyResult<Self> {
        let wrong = |error: serde_json::Error| Problem::from(Error::data("the codec in the file", error.to_string()));
        Ok(Self(detached(py, || serde_json::from_str(text).map_err(wrong))?))
    }

    /// Samples by which a generator is calibrated.
    #[getter]
    fn calibration_samples(&self) -> usize {
        self.0.calibration_samples()
    }

    /// Sizes of the groups of indicators behind the numbers.
    #[getter]
    fn groups(&self) -> Vec<usize> {
        self.0.groups().to_vec()
    }

    /// Columns of the table.
    #[getter]
    fn columns(&self) -> usize {
        self.0.form().columns.len()
    }

    /// Values of a sample.
    #[getter]
    fn features(&self) -> usize {
        self.0.features()
    }
}

/// The values of a column, within the bounds of the data, and which of them are missing.
fn decoded<'py>(py: Python<'py>, column: &Column, form: &ColumnForm, rows: usize) -> Result<Decoded<'py>, Problem> {
    let values = match (column.values(), &form.domain) {
        (Values::Numbers(values), Domain::Numbers { range: [least, greatest], .. }) => {
            arrays::vector(py, rows, values.iter().map(|value| value.max(*least).min(*greatest)))?.into_any()
        }
        (Values::Integers(values), Domain::Integers { range: [least, greatest], .. }) => {
            arrays::vector(py, rows, values.iter().map(|value| *value.max(least).min(greatest)))?.into_any()
        }
        _ => {
            let code = |row| match column.value(row) {
                gannet_tables::Value::Category(code) => code as i32,
                _ => 0,
            };
            arrays::vector(py, rows, (0..rows).map(code))?.into_any()
        }
    };
    let missing = column.missing().map(|mask| arrays::vector(py, rows, (0..rows).map(|row| mask.is_missing(row))));
    Ok((values, missing.transpose()?))
}
