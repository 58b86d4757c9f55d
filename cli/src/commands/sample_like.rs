//! `gannet sample --like`: rows of a file of which some cells are given, with the others filled.
//!
//! A pool of generated rows is made once, of each class where the column of the classes is given. What is left open of a row comes from one
//! of the pool that agrees with it in what is given; [`gannet_tables::Pool`] says how that is found.

use std::io::Write;
use std::path::Path;

use gannet::gan::Model;
use gannet::internals::memory::filled;
use gannet::internals::numbers::thousands;
use gannet::{Error, Result};
use gannet_tables::{Codec, Finder, Found, GivenRow, GivenRows, Pool, ReadOptions, SettingNames, Value, Writer};

use crate::data::classes::Classes;
use crate::data::data_file::DataFile;
use crate::data::filter::Filter;
use crate::run::draw::Draw;
use crate::run::in_parts;
use crate::settings::config::RunConfig;
use crate::terminal::output::printable;

/// Rows of a pool at most and at least, and values of all pools.
const MOST_ROWS: usize = 1 << 16;
const LEAST_ROWS: usize = 1 << 10;
const VALUES: usize = 1 << 25;
/// Rows that are filled at a time.
const ROWS: usize = 1 << 13;

/// What rows are filled by.
pub(crate) struct Filling<'a> {
    pub(crate) config: &'a RunConfig,
    pub(crate) codec: &'a Codec,
    pub(crate) model: &'a Model,
    pub(crate) seed: u64,
    /// Threads at most; what rows are filled by does not depend on them.
    pub(crate) threads: usize,
}

/// What was written.
#[derive(Debug, Default)]
pub(crate) struct Filled {
    pub(crate) rows: u64,
    /// What a user should know.
    pub(crate) notes: Vec<String>,
}

/// Rows that agree with no row of a pool in all that is given: how many, and the first.
#[derive(Default)]
struct Relaxed {
    rows: u64,
    first: Option<(u64, String)>,
}

impl Filling<'_> {
    /// Writes the rows of the file `like` to `out`, in the form of the run's table.
    ///
    /// # Errors
    ///
    /// A file that has other columns than the run, or cells that no row of it has; what the generator reports; memory or threads that the
    /// system refuses.
    pub(crate) fn write(&self, like: &Path, out: Box<dyn Write + '_>) -> Result<Filled> {
        let file = DataFile::named(like, None)?;
        let missing = self.config.own.as_ref().and_then(|own| own.reading.missing.clone());
        let (input, form) = (file.input()?, self.codec.form());
        let options = ReadOptions::default().with_missing(missing).with_setting_names(SettingNames::None);
        let mut rows = GivenRows::open(&input, form, &options)?;
        let mut pools = Pools::new(self, rows.columns());
        let mut writer = Writer::new(out, form)?;
        let (mut block, mut relaxed) = (vec![GivenRow::default(); ROWS], Relaxed::default());
        let mut sample = filled(self.codec.features(), 0.0)?;
        let mut values = vec![Value::Missing; form.columns.len()];
        loop {
            let mut count = 0;
            while count < ROWS && rows.next(&mut block[count])? {
                count += 1;
            }
            let given = &block[..count];
            let found = self.find(given, writer.rows(), &mut pools)?;
            for (row, (pool, found)) in given.iter().zip(found) {
                pools.row(pool, found.row, &mut sample);
                self.codec.decode(&sample, pools.class(pool, found.row), &mut values);
                let texts: Vec<Option<&str>> =
                    row.cells.iter().map(|cell| cell.as_ref().map(|cell| cell.text.as_str())).collect();
                relaxed.add(row, found, self.codec);
                writer.write_given(&values, &texts)?;
            }
            if count < ROWS {
                break;
            }
        }
        let filled = writer.rows();
        if filled == 0 {
            let problem = "has the names of columns, but no rows; give a row for each that is to be filled";
            return Err(Error::data(file.origin().display().to_string(), problem));
        }
        writer.finish()?;
        let name = printable(file.origin());
        let told = rows.notes().into_iter().map(|told| format!("{name}: {told}"));
        Ok(Filled { rows: filled, notes: told.chain(relaxed.note()).collect() })
    }

    /// The pool and the row in it of each of the rows that are given, whose numbers begin with `first`.
    fn find(&self, given: &[GivenRow], first: u64, pools: &mut Pools<'_>) -> Result<Vec<(usize, Found)>> {
        let mut of_pools = Vec::with_capacity(given.len());
        for row in given {
            of_pools.push(pools.of(row)?);
        }
        let part = given.len().div_ceil(self.threads.max(1)).max(1);
        let pools = &*pools;
        let find = |number: usize, rows: &[GivenRow], of_pools: &[usize]| -> Result<Vec<(usize, Found)>> {
            let first = first + (number * part) as u64;
            let mut finders: Vec<Option<Finder<'_>>> =
                pools.pools.iter().map(|pool| Some(pool.as_ref()?.finder())).collect();
            let each = rows.iter().zip(of_pools).zip(first..);
            each.map(|((row, &pool), number)| {
                let given: Vec<Option<Value>> =
                    row.cells.iter().map(|cell| cell.as_ref().map(|cell| cell.value)).collect();
                let wanted = self.codec.wanted(&given, number, self.seed)?;
                let finder = finders.get_mut(pool).and_then(Option::as_mut);
                let found = finder.and_then(|finder| finder.find(&wanted, number, self.seed));
                found.map(|found| (pool, found)).ok_or_else(|| Error::data("pool", "no row could be generated"))
            })
            .collect()
        };
        let parts = given.chunks(part).zip(of_pools.chunks(part)).enumerate();
        let found = in_parts::each(parts, |(number, (rows, of_pools))| find(number, rows, of_pools))?;
        Ok(found.into_iter().flatten().collect())
    }
}

/// The pools that rows are taken from, each made when it is first needed: one of each class, and behind them one of all classes as often as
/// in the data.
struct Pools<'a> {
    filling: &'a Filling<'a>,
    classes: Option<Classes>,
    /// The column of the classes, where it is given.
    column: Option<usize>,
    pools: Vec<Option<Pool>>,
    rows: usize,
}

impl<'a> Pools<'a> {
    /// Those for a file that has these `columns`.
    fn new(filling: &'a Filling<'a>, columns: &[usize]) -> Self {
        let codec = filling.codec;
        let column = codec.condition().and_then(|name| codec.form().position(name));
        let column = column.filter(|column| columns.contains(column));
        let classes = filling.config.classes();
        let count = 1 + column.and(classes.as_ref()).map_or(0, Classes::len);
        let rows = (VALUES / codec.features().max(1) / count).clamp(LEAST_ROWS, MOST_ROWS);
        Self { filling, classes, column, pools: vec![None; count], rows }
    }

    /// The number of the pool for a row, which is made if it has not been.
    fn of(&mut self, row: &GivenRow) -> Result<usize> {
        let all = self.pools.len() - 1;
        let given = self.column.and_then(|column| row.cells.get(column)?.as_ref());
        let codec = self.filling.codec;
        let number = given.map_or(Some(all), |cell| (0..all).find(|class| codec.class_value(*class) == cell.value));
        let Some(number) = number else {
            let problem = format!("line {}: `{}` is none of the classes of the run", row.line, cell_text(given));
            return Err(Error::setting("like", problem));
        };
        if self.pools[number].is_none() {
            self.pools[number] = Some(self.made((number < all).then_some(number))?);
        }
        Ok(number)
    }

    /// A pool of a class, or of all.
    fn made(&self, class: Option<usize>) -> Result<Pool> {
        let Filling { config, codec, model, seed, threads } = *self.filling;
        let class = |index| class.or_else(|| self.classes.as_ref().map(|classes| classes.of_sample(index)));
        let mut pool = codec.pool(self.rows)?;
        let draw = Draw { config, model, seed, class: &class, filter: &Filter::default(), threads };
        draw.each(self.rows, |drawn| pool.push(drawn.sample))?;
        Ok(pool)
    }

    fn pool(&self, number: usize) -> Option<&Pool> {
        self.pools.get(number)?.as_ref()
    }

    /// Writes a row of a pool into `sample`.
    fn row(&self, number: usize, row: usize, sample: &mut [f32]) {
        if let Some(pool) = self.pool(number) {
            pool.copy(row, sample);
        }
    }

    /// The class of a row of a pool.
    fn class(&self, number: usize, row: usize) -> Option<usize> {
        if number + 1 < self.pools.len() {
            return Some(number);
        }
        self.classes.as_ref().map(|classes| classes.of_sample(row as u64))
    }
}

fn cell_text(cell: Option<&gannet_tables::GivenCell>) -> &str {
    cell.map_or("", |cell| cell.text.as_str())
}

impl Relaxed {
    /// Looks at a row that was filled.
    fn add(&mut self, row: &GivenRow, found: Found, codec: &Codec) {
        if found.differing == 0 {
            return;
        }
        self.rows += 1;
        self.first.get_or_insert_with(|| {
            let columns = codec.form().columns.iter().zip(&row.cells);
            let given = columns.filter_map(|(column, cell)| Some((&column.name, cell.as_ref()?)));
            let discrete = given.filter(|(_, cell)| matches!(cell.value, Value::Category(_) | Value::Missing));
            let texts: Vec<String> = discrete.map(|(name, cell)| format!("{name}={}", cell.text)).collect();
            (row.line, texts.join(", "))
        });
    }

    /// What a user should know of them.
    fn note(self) -> Option<String> {
        let (line, combination) = self.first?;
        let rows = if self.rows == 1 { "1 row has".to_string() } else { format!("{} rows have", thousands(self.rows)) };
        Some(format!(
            "{rows} a combination of categories that no generated row has, the first in line {line} ({}); they are filled from rows that \
             agree in most of it",
            printable(Path::new(&combination))
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::own::OwnData;
    use crate::run::draw::tests::untrained;

    #[test]
    fn rows_are_filled_alike_at_any_number_of_threads() {
        for labels in [None, Some("city")] {
            let folder = tempfile::tempdir().unwrap();
            let (config, model) = untrained(folder.path(), labels);
            let codec = config.own.as_ref().and_then(OwnData::codec).unwrap();
            let like = folder.path().join("given.csv");
            // More than are filled at a time.
            let row = |row: usize| {
                format!("{},{}\n", ["Rome", "", "Oslo"][row % 3], if row.is_multiple_of(4) { "" } else { "3" })
            };
            std::fs::write(&like, "city,size\n".to_string() + &(0..ROWS + 500).map(row).collect::<String>()).unwrap();
            let of = |threads: usize, seed: u64| {
                let mut bytes = Vec::new();
                let filling = Filling { config: &config, codec, model: &model, seed, threads };
                let filled = filling.write(&like, Box::new(&mut bytes)).unwrap();
                assert_eq!(filled.rows, (ROWS + 500) as u64);
                bytes
            };
            let expected = of(1, 6);
            assert!((2..=3).all(|threads| of(threads, 6) == expected), "{labels:?}");
            assert!(of(1, 7) != expected, "{labels:?}: another seed fills in another way");
        }
    }
}
