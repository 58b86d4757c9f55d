//! What a sweep leaves beside its trials: the table, the pictures and the page. All are the same for the same ends of the trials.

use gannet::Result;

use crate::folder::run_folder::{REPORT, json};
use crate::numbers::counted;
use crate::report::{Trials, page_about_trials};
use crate::sweep::file::Sweep;
use crate::sweep::folder::{SETTINGS_PICTURE, SweepFolder, TABLE, TABLE_JSON, TRIALS_PICTURE};
use crate::sweep::picture;
use crate::sweep::table::Table;

/// Writes all of it. `go_on` is the command that does what is missing.
///
/// # Errors
///
/// What the system refuses.
pub(crate) fn write(folder: &SweepFolder, sweep: &Sweep, table: &Table<'_>, go_on: &str) -> Result<()> {
    let name = folder.path().file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let name = format!("Sweep {name}");
    let lead = lead(sweep, table);
    let trials = picture::trials(table, &name)?;
    let settings = picture::settings(table, &name)?;
    let first_seed = sweep.trials.first().map_or(0, |trial| trial.config.seed);
    folder.write(TABLE, &table.csv(first_seed)?)?;
    folder.write(TABLE_JSON, &json(table))?;
    folder.write(TRIALS_PICTURE, &trials)?;
    folder.write(SETTINGS_PICTURE, &settings)?;
    let (header, cells) = table.cells();
    let link = |name: &str| format!("./trials/{name}/{REPORT}");
    let rows: Vec<(Vec<String>, Option<String>)> = cells
        .into_iter()
        .zip(&table.trials)
        .map(|(cells, row)| (cells, row.rank.map(|_| link(&row.trial.name))))
        .collect();
    let page = page_about_trials(&Trials {
        title: &name,
        lead: &lead,
        header: &header,
        rows: &rows,
        pictures: &[("The trials", &trials), ("What each setting does", &settings)],
        command: ("Trains what is missing, and makes this page again:", go_on),
    });
    folder.write(REPORT, page.as_bytes())
}

/// What the table is, in a sentence.
pub(crate) fn lead(sweep: &Sweep, table: &Table<'_>) -> String {
    let ended = table.trials.iter().filter(|row| row.rank.is_some()).count();
    let all = table.trials.len();
    let all_told = counted(all as u64, "trial");
    let count = if ended == all { all_told } else { format!("{ended} of {all_told}") };
    let bound = sweep.bound.map(|bound| format!(", which succeeds up to {bound}")).unwrap_or_default();
    format!("{count} of {}, ranked by the median of {}{bound}", counted(sweep.seeds as u64, "seed"), sweep.measure)
}
