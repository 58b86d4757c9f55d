//! Measures of tables at the limits: equal ones and strangers, empty and tiny ones, constants and gaps, wide and long ones.

mod common;

use common::table as read_table;
use gannet::Error;
use gannet_tables::quality::{MAX_PAIRED_COLUMNS, Measure, detection, privacy, quality, utility};
use gannet_tables::{Category, Column, ColumnForm, Domain, Form, Indices, Kind, Mask, Table, Values};
use proptest::prelude::*;

/// A column of a test: its kind, with a value a row, or none.
#[derive(Clone, Debug)]
enum Cells {
    Numbers(Vec<Option<f64>>),
    Integers(Vec<Option<i64>>),
    Dates(Vec<Option<i64>>),
    Codes(Vec<Option<u8>>),
    Booleans(Vec<Option<u8>>),
}

use Cells::{Booleans, Codes, Dates, Integers, Numbers};

/// The texts of a column of categories; values from 4 on are none of them.
const TEXTS: usize = 4;

fn form_of(name: String, cells: &Cells) -> ColumnForm {
    let number = Default::default;
    let texts = |count: usize| (0..count).map(|text| Category::new(format!("text {text}"), 1)).collect();
    let categories = |count| Domain::Categories { categories: texts(count), rest: None };
    // Dates are made by reading, since their format has no default.
    let dates = || read_table("d\n2024-05-01\n2024-05-02\n2024-05-09\n").form().columns[0].domain.clone();
    let (kind, domain) = match cells {
        Numbers(_) => (Kind::Continuous, Domain::Numbers { format: number(), range: [0.0, 1.0] }),
        Integers(_) => (Kind::Integer, Domain::Integers { format: number(), range: [0, 1] }),
        Dates(_) => (Kind::Date, dates()),
        Codes(_) => (Kind::Categorical, categories(TEXTS)),
        Booleans(_) => (Kind::Boolean, categories(2)),
    };
    ColumnForm::new(name, kind, domain)
}

fn column_of(cells: &Cells) -> Column {
    fn split<T: Copy + Default>(cells: &[Option<T>]) -> (Vec<T>, Option<Mask>) {
        let missing: Vec<bool> = cells.iter().map(Option::is_none).collect();
        (cells.iter().map(|cell| cell.unwrap_or_default()).collect(), Mask::of(&missing))
    }
    let (values, missing) = match cells {
        Numbers(cells) => {
            let (values, missing) = split(cells);
            (Values::Numbers(values), missing)
        }
        Integers(cells) => {
            let (values, missing) = split(cells);
            (Values::Integers(values), missing)
        }
        Dates(cells) => {
            let (values, missing) = split(cells);
            (Values::Dates(values), missing)
        }
        Codes(cells) | Booleans(cells) => {
            let (values, missing) = split(cells);
            (Values::Categories(Indices::Bytes(values)), missing)
        }
    };
    Column::new(values, missing)
}

fn rows_of(cells: &Cells) -> usize {
    match cells {
        Numbers(cells) => cells.len(),
        Integers(cells) | Dates(cells) => cells.len(),
        Codes(cells) | Booleans(cells) => cells.len(),
    }
}

fn table(columns: &[Cells]) -> Table {
    let form =
        Form::new(columns.iter().enumerate().map(|(place, cells)| form_of(format!("c{place}"), cells)).collect());
    Table::new(form, rows_of(&columns[0]), columns.iter().map(column_of).collect()).unwrap()
}

fn numbers(values: impl IntoIterator<Item = f64>) -> Cells {
    Numbers(values.into_iter().map(Some).collect())
}

fn codes(values: impl IntoIterator<Item = u8>) -> Cells {
    Codes(values.into_iter().map(Some).collect())
}

/// Rows that look drawn, different for each seed.
fn noise(rows: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let step = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1u64 << 31) as f64
    };
    (0..rows).map(step).collect()
}

#[test]
fn equal_tables_are_perfect() {
    let x = noise(90, 1);
    let kinds = table(&[
        numbers(x.clone()),
        Numbers(x.iter().map(|x| (*x > 0.2).then_some(3.0 * x)).collect()),
        Integers(x.iter().map(|x| Some((x * 50.0) as i64)).collect()),
        Dates(x.iter().map(|x| Some((x * 9_000.0) as i64)).collect()),
        codes(x.iter().map(|x| (x * 3.0) as u8)),
        Booleans(x.iter().map(|x| (*x > 0.1).then_some(u8::from(*x > 0.6))).collect()),
    ]);
    let same = quality(&kinds, &kinds).unwrap();
    assert_eq!((same.columns.len(), same.pairs.len()), (6, 15));
    assert!(same.columns.iter().all(|column| (column.score, column.missing) == (Some(1.0), Some(1.0))));
    assert!(same.pairs.iter().all(|pair| pair.score == Some(1.0) && pair.counts));
    assert_eq!((same.shapes, same.trends, same.score), (Some(1.0), Some(1.0), Some(1.0)));

    let found = detection(&kinds, &kinds).unwrap();
    assert_eq!((found.auc, found.score, found.folds), (Some(0.5), Some(1.0), vec![0.5; 3]));
    for target in ["c1", "c4", "c5"] {
        let found = utility(&kinds, &kinds, &kinds, target).unwrap();
        assert!(found.real == found.synthetic && found.real > Some(0.9), "{found:?}");
    }
    let found = privacy(&kinds, &kinds, &kinds).unwrap();
    assert_eq!((found.nearer_to_training, found.median_to_training), (Some(0.5), Some(0.0)));
}

#[test]
fn strangers_have_nothing_in_common() {
    let real = table(&[codes([0, 1].repeat(200)), numbers(noise(400, 1)), codes([0, 1].repeat(200))]);
    let other = table(&[codes([2, 3].repeat(200)), numbers(noise(400, 2).iter().map(|x| x + 5.0)), codes([2; 400])]);
    let found = quality(&real, &other).unwrap();
    let measures: Vec<Measure> = found.columns.iter().map(|column| column.measure).collect();
    assert_eq!(measures, [Measure::TvComplement, Measure::KsComplement, Measure::TvComplement]);
    assert!(found.columns.iter().all(|column| column.score == Some(0.0)), "{found:?}");
    assert!(found.pairs.iter().all(|pair| pair.score == Some(0.0)), "{found:?}");
    // Only the two equal columns of the real table are associated.
    assert_eq!(found.pairs.iter().map(|pair| pair.counts).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!((found.shapes, found.trends, found.score), (Some(0.0), Some(0.0), Some(0.0)));
    let found = detection(&real, &other).unwrap();
    assert_eq!((found.auc, found.score), (Some(1.0), Some(0.0)));
    // All columns are as different as they can be.
    let found = privacy(&real, &real, &other).unwrap();
    assert_eq!((found.nearer_to_training, found.median_to_training), (Some(0.5), Some(1.0)));
}

#[test]
fn empty_and_tiny_tables_have_the_stated_figures() {
    let rows = |rows: usize| table(&[numbers(noise(rows, 3)), codes((0..rows).map(|row| row as u8 % 3))]);
    let (none, one, many) = (rows(0), rows(1), rows(9));
    for (real, synthetic) in [(&none, &none), (&none, &many), (&many, &none)] {
        let found = quality(real, synthetic).unwrap();
        assert!(found.columns.iter().all(|column| column.score.is_none() && column.missing.is_none()));
        assert!(found.pairs.iter().all(|pair| pair.score.is_none() && !pair.counts));
        assert_eq!((found.shapes, found.trends, found.trends_of_all, found.score), (None, None, None, None));
        assert_eq!(detection(real, synthetic).unwrap().auc, None);
        assert_eq!(privacy(real, real, synthetic).unwrap().nearer_to_training, None);
    }
    let found = quality(&one, &one).unwrap();
    // No column of one row is associated with another, so no pair counts.
    assert_eq!((found.shapes, found.trends, found.score), (Some(1.0), None, Some(1.0)));
    assert_eq!(found.trends_of_all, Some(1.0));
    assert_eq!((detection(&one, &many).unwrap().auc, detection(&many, &one).unwrap().score), (None, None));
    assert!(detection(&rows(3), &rows(3)).unwrap().auc.is_some() && detection(&rows(2), &many).unwrap().auc.is_none());
    let found = privacy(&one, &many, &many).unwrap();
    assert_eq!((found.rows, found.records), (9, 1));

    for target in ["c0", "c1"] {
        let found = |training, held_out, synthetic| {
            let found = utility(training, held_out, synthetic, target).unwrap();
            (found.synthetic, found.real)
        };
        assert_eq!(found(&none, &many, &none), (None, None));
        assert_eq!((found(&many, &none, &many), found(&many, &one, &many)), ((None, None), (None, None)));
        assert!(matches!(found(&many, &many, &none), (None, Some(_))));
        assert!(matches!(found(&many, &many, &one), (Some(_), Some(_))));
    }
    // Trained on one category alone, a model guesses.
    assert_eq!(utility(&many, &many, &one, "c1").unwrap().synthetic, Some(0.5));
}

#[test]
fn a_column_alone_has_no_trends() {
    let real = table(&[numbers([1.0, 2.0, 3.0, 4.0])]);
    let synthetic = table(&[numbers([1.0, 2.0, 9.0, 9.0])]);
    let found = quality(&real, &synthetic).unwrap();
    assert_eq!((found.shapes, found.trends, found.score), (Some(0.5), None, Some(0.5)));
    assert!(found.pairs.is_empty());
    // Without other columns, a model knows no more than the mean of its training rows.
    let found = utility(&real, &real, &synthetic, "c0").unwrap();
    assert!(found.real.is_some_and(|r2| r2.abs() <= 1e-9), "{found:?}");
    assert!(found.synthetic.is_some_and(|r2| (r2 - (1.0 - (5.0 + 4.0 * 2.75f64.powi(2)) / 5.0)).abs() <= 1e-9));

    let nothing = read_table("a;b\nx;1\nx;1\nx;1\n");
    assert_eq!(quality(&nothing, &nothing).unwrap().score, None);
    assert!(matches!(utility(&nothing, &nothing, &nothing, "a"), Err(Error::InvalidSetting { .. })));
    assert_eq!(detection(&nothing, &nothing).unwrap().auc, Some(0.5));
    assert_eq!(privacy(&nothing, &nothing, &nothing).unwrap().nearer_to_training, None);
}

#[test]
fn gaps_and_constants_have_the_stated_figures() {
    let real =
        table(&[numbers(noise(30, 4)), numbers([2.0; 30]), codes((0..30).map(|row| row % 4)), Codes(vec![None; 30])]);
    let gaps = table(&[Numbers(vec![None; 30]), numbers([2.0; 30]), codes([1; 30]), Codes(vec![None; 30])]);
    let found = quality(&real, &gaps).unwrap();
    let scores: Vec<_> = found.columns.iter().map(|column| (column.score, column.missing)).collect();
    let expected = [(None, Some(0.0)), (Some(1.0), Some(1.0)), (Some(8.0 / 30.0), Some(1.0)), (None, Some(1.0))];
    for (found, expected) in scores.iter().zip(expected) {
        assert_eq!((found.0.is_some(), found.1), (expected.0.is_some(), expected.1));
        assert!((found.0.unwrap_or(0.0) - expected.0.unwrap_or(0.0)).abs() <= 1e-12, "{found:?} is not {expected:?}");
    }
    // A correlation with a constant is not defined; a contingency with one is.
    let scores: Vec<_> = found.pairs.iter().map(|pair| pair.score.is_some()).collect();
    assert_eq!(scores, [false, true, true, true, true, true]);
    assert!(detection(&real, &gaps).unwrap().auc.is_some_and(|auc| auc == 1.0));
    // A missing value equals another one and nothing else: one column of four is far, and of the codes, three rows of four are.
    let found = privacy(&real, &real, &gaps).unwrap();
    assert_eq!(found.median_to_training, Some(0.25));
    for target in ["c0", "c1", "c2", "c3"] {
        let found = utility(&real, &real, &gaps, target).unwrap();
        assert_eq!(
            (found.synthetic.is_some(), found.real.is_some()),
            (target == "c2", target == "c0" || target == "c2")
        );
    }
}

#[test]
fn copies_are_nearer_to_training_rows_and_strangers_are_not() {
    let rows =
        |seed| table(&[numbers(noise(200, seed)), numbers(noise(200, seed + 1)), codes((0..200).map(|row| row % 2))]);
    let (training, held_out, other) = (rows(10), rows(20), rows(30));
    let share = |synthetic| privacy(&training, &held_out, synthetic).unwrap().nearer_to_training.unwrap();
    assert_eq!((share(&training), share(&held_out)), (1.0, 0.0));
    assert!((share(&other) - 0.5).abs() <= 0.15, "{}", share(&other));
}

#[test]
fn wide_and_long_tables_are_compared_by_an_even_choice() {
    let columns = |seed: u64| (0..70u64).map(|place| numbers(noise(20, seed + place))).collect::<Vec<_>>();
    let wide = table(&columns(5));
    let found = quality(&wide, &table(&columns(500))).unwrap();
    assert_eq!((found.columns.len(), found.pairs.len()), (70, MAX_PAIRED_COLUMNS * (MAX_PAIRED_COLUMNS - 1) / 2));
    assert_eq!((found.pairs[0].columns[0].as_str(), found.pairs[0].columns[1].as_str()), ("c0", "c1"));
    assert_eq!(found.pairs[2015].columns[1], "c68");

    // An even choice of 100,000 of 200,000 rows for pairs has even rows alone, so that one category is left.
    let column = || codes((0..200_000).map(|row| (row % 2) as u8));
    let long = table(&[column(), column()]);
    let found = quality(&long, &long).unwrap();
    assert_eq!((found.shapes, found.trends_of_all, found.pairs[0].association), (Some(1.0), Some(1.0), None));

    let long = |seed| table(&[numbers(noise(20_000, seed)), codes((0..20_000).map(|row| (row % 3) as u8))]);
    let found = privacy(&long(1), &long(2), &long(3)).unwrap();
    assert_eq!((found.rows, found.records), (2_000, 5_000));
    assert!((found.nearer_to_training.unwrap() - 0.5).abs() <= 0.05, "{found:?}");
    let found = detection(&long(1), &long(2)).unwrap();
    assert!((found.auc.unwrap() - 0.5).abs() <= 0.02, "{found:?}");
}

#[test]
fn tables_of_other_forms_are_refused() {
    let real = table(&[numbers([1.0, 2.0]), codes([0, 1])]);
    let others = [
        table(&[numbers([1.0, 2.0])]),
        table(&[codes([0, 1]), numbers([1.0, 2.0])]),
        table(&[numbers([1.0, 2.0]), Booleans(vec![Some(0), Some(1)])]),
        table(&[Integers(vec![Some(1), Some(2)]), codes([0, 1])]),
    ];
    for other in &others {
        let results = [
            quality(&real, other).err(),
            detection(&real, other).err(),
            utility(&real, &real, other, "c1").err(),
            utility(&real, other, &real, "c1").err(),
            privacy(&real, other, &real).err(),
            privacy(&real, &real, other).err(),
        ];
        for error in results {
            assert!(matches!(error, Some(Error::Shape { .. })), "{error:?}");
        }
    }
    let mut renamed = real.form().clone();
    renamed.columns[1].name = "c9".to_string();
    let renamed = Table::new(renamed, 2, real.columns().to_vec()).unwrap();
    assert!(matches!(quality(&real, &renamed), Err(Error::Shape { .. })));
    // The same names and kinds with other categories, and with dates in other units.
    let categories = |text: &str| read_table(format!("c,n\n{}", format!("{text},0.5\nb,1.5\n").repeat(9)));
    assert!(quality(&categories("a"), &categories("a")).is_ok());
    assert!(matches!(quality(&categories("a"), &categories("z")), Err(Error::Shape { .. })));
    let days = read_table("d\n2024-05-01\n2024-05-02\n2024-05-09\n");
    let minutes = read_table("d\n2024-05-01 10:30\n2024-05-02 11:30\n2024-05-09 12:31\n");
    assert!(matches!(quality(&days, &minutes), Err(Error::Shape { .. })));
    assert!(matches!(utility(&real, &real, &real, "c2"), Err(Error::InvalidSetting { .. })));
}

fn cells(kind: usize, rows: usize) -> BoxedStrategy<Cells> {
    let wild = [f64::NAN, f64::INFINITY, 1.7e308, -1.7e308, 5e-324, 1e15, 0.1 + 0.2, 0.3, -0.0, 0.0, 1.0, 2.0];
    let number = proptest::option::weighted(0.8, prop_oneof![proptest::sample::select(wild.to_vec()), -1.0..1.0f64]);
    let whole = proptest::option::weighted(0.8, prop_oneof![Just(i64::MIN), Just(i64::MAX), -5..5i64]);
    let code = proptest::option::weighted(0.8, 0..8u8);
    match kind {
        0 => proptest::collection::vec(number, rows).prop_map(Numbers).boxed(),
        1 => proptest::collection::vec(whole, rows).prop_map(Integers).boxed(),
        2 => proptest::collection::vec(whole, rows).prop_map(Dates).boxed(),
        3 => proptest::collection::vec(code, rows).prop_map(Codes).boxed(),
        _ => proptest::collection::vec(code, rows).prop_map(Booleans).boxed(),
    }
}

/// Three tables of the same columns.
fn tables() -> impl Strategy<Value = [Table; 3]> {
    let kinds = proptest::collection::vec(0..5usize, 1..5);
    (kinds, [0..14usize, 0..14usize, 0..14usize]).prop_flat_map(|(kinds, rows)| {
        rows.map(|rows| {
            kinds.iter().map(|&kind| cells(kind, rows)).collect::<Vec<_>>().prop_map(|columns| table(&columns))
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_tables_have_figures_within_their_bounds([real, held_out, synthetic] in tables()) {
        let is_share = |figure: Option<f64>| figure.is_none_or(|figure| (0.0..=1.0).contains(&figure));
        let found = quality(&real, &synthetic).unwrap();
        for column in &found.columns {
            prop_assert!(is_share(column.score) && is_share(column.missing), "{:?}", column);
        }
        for pair in &found.pairs {
            prop_assert!(pair.score.is_none_or(|score| (-1e-12..=1.0).contains(&score)), "{:?}", pair);
            let correlations = [pair.real, pair.synthetic];
            prop_assert!(correlations.iter().flatten().all(|one| one.abs() <= 1.0) && is_share(pair.association));
        }
        // The measures do not tell which table is real.
        let swapped = quality(&synthetic, &real).unwrap();
        prop_assert_eq!(found.shapes, swapped.shapes);
        prop_assert_eq!(found.trends_of_all, swapped.trends_of_all);

        let found = detection(&real, &synthetic).unwrap();
        prop_assert!(is_share(found.auc) && is_share(found.score));
        prop_assert_eq!(found.auc.is_some(), real.rows() >= 3 && synthetic.rows() >= 3);
        let found = privacy(&real, &held_out, &synthetic).unwrap();
        let figures = [found.nearer_to_training, found.median_to_training, found.median_to_held_out];
        prop_assert!(figures.into_iter().all(is_share), "{:?}", found);
        prop_assert_eq!(found.nearer_to_training.is_some(), real.rows().min(held_out.rows()).min(synthetic.rows()) > 0);
        for column in &real.form().columns {
            let found = utility(&real, &held_out, &synthetic, &column.name).unwrap();
            for figure in [found.synthetic, found.real].into_iter().flatten() {
                prop_assert!(figure.is_finite() && figure <= 1.0, "{:?}", found);
            }
        }
    }
}
