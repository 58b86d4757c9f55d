//! Tests of whole pictures.

use super::style::{GENERATED, NOT_A_NUMBER, REAL, Rgb, WHITE};
use super::*;

const HEADING: Heading<'_> =
    Heading { title: "circle", subtitle: "sliced Wasserstein 0.036 · mean radius 1.00 · seed 7" };

/// A deterministic sequence of values in [0, 1).
fn uniform(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    (0..count).map(|_| next()).collect()
}

/// Roughly normal values: sums of twelve uniform ones.
fn normal(count: usize, seed: u64) -> Vec<f32> {
    uniform(12 * count, seed).chunks_exact(12).map(|u| u.iter().sum::<f32>() - 6.0).collect()
}

/// Points on a circle with normal noise.
fn circle(count: usize, radius: f32, noise: f32, seed: u64) -> Vec<[f32; 2]> {
    let noises = normal(2 * count, seed + 1);
    let angles = uniform(count, seed);
    let point = |(u, n): (&f32, &[f32])| {
        let (sin, cos) = (u * std::f32::consts::TAU).sin_cos();
        [radius * cos + noise * n[0], radius * sin + noise * n[1]]
    };
    angles.iter().zip(noises.chunks_exact(2)).map(point).collect()
}

/// Encodes a picture, decodes it again and compares; writes it to the folder that `GANNET_PICTURES` names, if any.
fn check(name: &str, picture: &Picture) {
    let bytes = picture.to_png().expect("encoded");
    if let Some(folder) = std::env::var_os("GANNET_PICTURES") {
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.png")), &bytes).expect("written");
    }
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().expect("a PNG file");
    let mut pixels = vec![0; reader.output_buffer_size().expect("size")];
    let info = reader.next_frame(&mut pixels).expect("pixels");
    assert_eq!((info.width, info.height, info.color_type), (picture.width, picture.height, png::ColorType::Rgb));
    assert!(pixels == picture.pixels, "{name}: the pixels changed on their way");
    check_form(name, picture);
}

/// Checks size and border.
fn check_form(name: &str, picture: &Picture) {
    assert_eq!(picture.pixels.len(), 3 * picture.width as usize * picture.height as usize);
    assert!((300..2600).contains(&picture.width) && (150..2600).contains(&picture.height), "{name}");
    let border = picture.pixels.chunks_exact(3 * picture.width as usize).all(|row| row[..12] == [255; 12]);
    assert!(border, "{name}: something touches the left border");
}

/// The share of pixels close to a color.
fn share(picture: &Picture, color: Rgb) -> f64 {
    let near = |p: &[u8]| [(p[0], color.0), (p[1], color.1), (p[2], color.2)].iter().all(|&(a, b)| a.abs_diff(b) < 40);
    picture.pixels.chunks_exact(3).filter(|p| near(p)).count() as f64 / (picture.pixels.len() / 3) as f64
}

fn scatter_sample() -> Picture {
    let real = circle(1024, 1.0, 0.05, 1);
    let before: Vec<[f32; 2]> =
        circle(1024, 0.12, 0.1, 5).iter().map(|p| [p[0] * 1.5 + 0.1, p[1] * 0.6 - 0.1]).collect();
    let mut after = circle(1024, 1.0, 0.09, 9);
    after[..17].fill([4.0, -3.0]);
    scatter(
        HEADING,
        &[
            ScatterPanel { title: "before training", real: &real, generated: &before },
            ScatterPanel { title: "after 3,200 steps", real: &real, generated: &after },
        ],
    )
    .expect("drawn")
}

fn histogram_sample() -> Picture {
    let mixture: Vec<f32> = normal(10_000, 3)
        .iter()
        .enumerate()
        .map(|(i, n)| if i % 2 == 0 { 3.0 + 1.5 * n } else { 6.0 + 2.0 * n })
        .collect();
    let before: Vec<f32> = normal(10_000, 4).iter().map(|n| 0.1 + 0.3 * n.max(0.0)).collect();
    let after: Vec<f32> = normal(10_000, 5).iter().map(|n| 4.6 + 1.7 * n).collect();
    let bell = |x: f64, m: f64, s: f64| (-0.5 * ((x - m) / s).powi(2)).exp() / (s * std::f64::consts::TAU.sqrt());
    histogram(
        Heading { title: "mixture1d", subtitle: "mean 4.60 (true 4.5) · s.d. 1.70 (2.32) · Wasserstein 0.52" },
        &[
            HistogramPanel { title: "before training", real: &mixture, generated: &before },
            HistogramPanel { title: "after 15,650 steps", real: &mixture, generated: &after },
        ],
        Some(&|x| 0.5 * bell(x, 3.0, 1.5) + 0.5 * bell(x, 6.0, 2.0)),
    )
    .expect("drawn")
}

fn losses_sample(count: usize) -> Picture {
    let steps: Vec<u64> = (1..=count as u64).collect();
    let noise = normal(4 * count, 8);
    let course = |k: usize, from: f64, to: f64, spread: f64| -> Vec<f64> {
        let value = |i: usize| {
            let progress = 1.0 - (-5.0 * i as f64 / count as f64).exp();
            from + (to - from) * progress + spread * f64::from(noise[k * count + i])
        };
        (0..count).map(value).collect()
    };
    losses(
        Heading { title: "Losses", subtitle: "circle · minimax · batch 32 · Adam 0.001" },
        &Losses {
            steps: &steps,
            discriminator: &course(0, 1.15, 1.38, 0.05),
            generator: &course(1, 0.9, 0.7, 0.04),
            real: &course(2, 0.8, 0.51, 0.04),
            fake: &course(3, 0.2, 0.49, 0.04),
            loss_references: &[
                Reference { value: 2.0 * 2f64.ln(), label: "2 ln 2" },
                Reference { value: 2f64.ln(), label: "ln 2" },
            ],
            probability_references: &[Reference { value: 0.5, label: "undecided" }],
        },
    )
    .expect("drawn")
}

/// Rings of different sizes on black.
fn rings(count: usize, side: usize) -> Vec<f32> {
    let mut images = Vec::with_capacity(count * side * side);
    for i in 0..count {
        let radius = side as f32 * (0.15 + 0.25 * i as f32 / count as f32);
        for y in 0..side {
            for x in 0..side {
                let middle = (side as f32 - 1.0) / 2.0;
                let away = ((x as f32 - middle).hypot(y as f32 - middle) - radius).abs();
                images.push(1.0 - 2.0 * (away / (0.07 * side as f32)).min(1.0));
            }
        }
    }
    images
}

#[test]
fn scatter_shows_both_kinds_of_points() {
    let picture = scatter_sample();
    check("scatter", &picture);
    assert!(share(&picture, REAL) > 2e-3, "{}", share(&picture, REAL));
    assert!(share(&picture, GENERATED) > 2e-3, "{}", share(&picture, GENERATED));
    assert!(share(&picture, WHITE) > 0.5);
    let one = scatter(HEADING, &[ScatterPanel { title: "", real: &[], generated: &[[1.0, 1.0]; 1] }]).expect("drawn");
    check("scatter-one-point", &one);
    assert!(share(&one, GENERATED) > 0.0);
}

#[test]
fn a_generator_that_fell_into_one_point_is_seen() {
    let normals = normal(4_000, 3);
    let real: Vec<[f32; 2]> = normals.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect();
    let draw =
        |generated: &[[f32; 2]]| scatter(HEADING, &[ScatterPanel { title: "", real: &real, generated }]).unwrap();
    let one = draw(&[[0.3, 0.2]; 2_000]);
    check("scatter-collapsed", &one);
    // A dot of 16 pixels' radius, and not only among the signs of the legend.
    let pixels = f64::from(one.width) * f64::from(one.height);
    let legend = share(&draw(&[]), GENERATED);
    assert!((share(&one, GENERATED) - legend) * pixels > 600.0);
    // Where the real ones are as dense, nothing stands out.
    let same =
        scatter(HEADING, &[ScatterPanel { title: "", real: &[[0.3, 0.2]; 50], generated: &[[0.3, 0.2]; 50] }]).unwrap();
    assert!((share(&same, GENERATED) - legend) * pixels < 600.0);
}

#[test]
fn histogram_shows_both_kinds_of_values() {
    let picture = histogram_sample();
    check("histogram", &picture);
    assert!(share(&picture, REAL) > 1e-3);
    assert!(share(&picture, GENERATED) > 1e-3);
    assert!(share(&picture, super::style::INK) > 1e-3);
}

#[test]
fn losses_show_both_networks() {
    for count in [50, 3200, 100_000] {
        let picture = losses_sample(count);
        check(&format!("losses-{count}"), &picture);
        assert!(share(&picture, REAL) > 1e-3);
        assert!(share(&picture, GENERATED) > 1e-3);
    }
}

#[test]
fn grids_enlarge_each_pixel() {
    for (count, side, columns, name) in [
        (16, 28, 4, "grid-28"),
        (64, 8, 8, "grid-8"),
        (16, 28, 16, "row-28"),
        (16, 8, 16, "row-8"),
        (10, 8, 0, "grid-10"),
    ] {
        let heading = if count == 16 { HEADING } else { Heading::default() };
        let picture = image_grid(heading, &rings(count, side), side, side, columns).expect("drawn");
        check(name, &picture);
        assert!(share(&picture, (0, 0, 0)) > 0.2, "{name}");
    }
    let picture = image_grid(Heading::default(), &[-1.0, 1.0, f32::NAN, 9.0], 2, 2, 1).expect("drawn");
    check("grid-nan", &picture);
    let quarter = share(&picture, NOT_A_NUMBER);
    assert!(quarter > 0.15 && (quarter - share(&picture, (0, 0, 0))).abs() < 1e-12, "{quarter}");
}

#[test]
fn wrong_shapes_are_errors() {
    assert!(image_grid(HEADING, &[0.0; 5], 2, 2, 1).is_err());
    assert!(image_grid(HEADING, &[0.0; 5], 0, 2, 1).is_err());
    assert!(image_grid(HEADING, &[], usize::MAX, 2, 1).is_err());
    for (height, width) in [(usize::MAX, 1), (1, usize::MAX), (1 << 31, 1 << 31), (1 << 20, 1)] {
        assert!(image_grid(HEADING, &[], height, width, 1).is_err());
    }
    assert!(image_grid(HEADING, &[0.0; 20_000], 1, 1, 20_000).is_err());
    assert!(scatter(HEADING, &[]).is_err());
    assert!(histogram(HEADING, &[], None).is_err());
    assert!(losses(HEADING, &Losses { steps: &[1], ..Losses::default() }).is_err());
    assert!(Picture { width: 2, height: 2, pixels: vec![0; 11] }.to_png().is_err());
    assert!(Picture { width: 0, height: 0, pixels: vec![] }.to_png().is_err());
}

#[test]
fn odd_values_are_drawn() {
    let odd = [0.0, -0.0, 1.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, 1e-45, 1e-30, -3e20];
    let mut sets: Vec<Vec<f32>> = vec![vec![], vec![0.0; 5], vec![3e38; 5], vec![1e-40; 3], odd.to_vec()];
    sets.extend(odd.iter().map(|&v| vec![v]));
    sets.extend(odd.iter().map(|&v| vec![v, 1.0]));
    let long = "a very long title that does not fit ".repeat(20);
    let headings = [Heading::default(), Heading { title: &long, subtitle: &long }];
    for (i, real) in sets.iter().enumerate() {
        for generated in [&sets[0], &sets[4], &sets[i]] {
            let pairs =
                |values: &[f32]| values.iter().zip(values.iter().rev()).map(|(&x, &y)| [x, y]).collect::<Vec<_>>();
            let heading = headings[i % 2];
            let panel = ScatterPanel { title: &long, real: &pairs(real), generated: &pairs(generated) };
            check_form("odd-scatter", &scatter(heading, &[panel]).expect("drawn"));
            let panel = HistogramPanel { title: &long, real, generated };
            let density = |x: f64| if x > 0.0 { 1.0 / x } else { f64::NAN };
            check_form("odd-histogram", &histogram(heading, &[panel], Some(&density)).expect("drawn"));
            let values: Vec<f64> = real.iter().map(|&v| f64::from(v)).collect();
            let steps: Vec<u64> = (0..values.len() as u64).map(|i| i.wrapping_mul(u64::MAX / 10)).collect();
            let course = Losses {
                steps: &steps,
                discriminator: &values,
                generator: &values,
                real: &values,
                fake: &values,
                ..Losses::default()
            };
            check_form("odd-losses", &losses(heading, &course).expect("drawn"));
            if !real.is_empty() {
                check_form("odd-grid", &image_grid(heading, real, 1, 1, 0).expect("drawn"));
            }
        }
    }
    check("no-images", &image_grid(HEADING, &[], 28, 28, 4).expect("drawn"));
    check(
        "no-panels-of-points",
        &scatter(HEADING, &[ScatterPanel { title: "t", real: &[], generated: &[] }]).expect("drawn"),
    );
}

#[test]
fn many_panels_and_many_points_are_drawn() {
    let many = circle(200_000, 1.0, 0.05, 3);
    let panel = ScatterPanel { title: "step 1,000", real: &many, generated: &many };
    for count in [1, 2, 3, 5, 16] {
        check(&format!("scatter-{count}"), &scatter(HEADING, &vec![panel; count]).expect("drawn"));
    }
    let endless: Vec<[f32; 2]> = (0..10_000_000u32).map(|i| [(i % 1000) as f32, (i % 997) as f32]).collect();
    let panel = ScatterPanel { generated: &endless, ..panel };
    check("scatter-endless", &scatter(HEADING, &[panel]).expect("drawn"));
    assert!(scatter(HEADING, &[panel; 17]).is_err());
    let flat = many.as_flattened();
    let panel = HistogramPanel { title: "step 1,000", real: flat, generated: flat };
    for count in [1, 3, 5] {
        check(&format!("histogram-{count}"), &histogram(HEADING, &vec![panel; count], None).expect("drawn"));
    }
}

#[test]
fn the_same_data_give_the_same_bytes() {
    for draw in [scatter_sample, histogram_sample, || losses_sample(2000)] {
        assert!(draw().to_png().expect("encoded") == draw().to_png().expect("encoded"));
    }
}

/// Where all points are far away, the picture shows in which direction, and says so.
#[test]
fn points_outside_are_rings_at_the_edge() {
    let real = circle(400, 1.0, 0.05, 1);
    let draw =
        |generated: &[[f32; 2]]| scatter(HEADING, &[ScatterPanel { title: "end", real: &real, generated }]).unwrap();
    let near = circle(400, 1.0, 0.05, 2);
    let far: Vec<[f32; 2]> = near.iter().map(|[x, y]| [5e4 + x, 2e4 * y]).collect();
    let (none, found) = (draw(&[]), draw(&far));
    check("outside", &found);
    assert!(share(&found, GENERATED) > share(&none, GENERATED) + 1e-4, "no rings");
    // They are all at the right: in the left half of the plot nothing differs but the heading's note, which is above it.
    let differs = |columns: std::ops::Range<f64>| {
        let width = found.width as usize;
        let columns = (columns.start * width as f64) as usize..(columns.end * width as f64) as usize;
        let rows = found.pixels.chunks_exact(3 * width).zip(none.pixels.chunks_exact(3 * width)).skip(width / 4);
        rows.into_iter().any(|(a, b)| a[3 * columns.start..3 * columns.end] != b[3 * columns.start..3 * columns.end])
    };
    assert!(!differs(0.0..0.8) && differs(0.8..1.0));
    check("outside-extreme", &draw(&[[3e38, -3e38], [f32::NAN, 0.0], [0.0, f32::INFINITY], [0.5, 0.5]]));
}

#[test]
fn what_a_title_says_changes_no_size() {
    let (pairs, values) = ([[0.5, 0.5], [1.0, 0.0]], [0.5, 1.0]);
    for panels in 1..=4 {
        let sizes = |length: usize| {
            let title = "W".repeat(length);
            let heading = Heading { title: &title, subtitle: "batch 32, seed 7\nmeasure 1" };
            let points = vec![ScatterPanel { title: "end", real: &pairs, generated: &pairs }; panels];
            let bars = vec![HistogramPanel { title: "end", real: &values, generated: &values }; panels];
            let pictures =
                [scatter(heading, &points), histogram(heading, &bars, None), histogram(heading, &bars, Some(&|_| 0.5))];
            pictures.map(|picture| picture.map(|picture| (picture.width, picture.height)).unwrap())
        };
        for length in [2, 10, 20, 40, 80, 400] {
            assert_eq!(sizes(length), sizes(1), "{panels} panels, {length} letters");
        }
    }
}
