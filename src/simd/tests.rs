//! Detection, forcing, and every vector operation against its scalar meaning on every instruction set.

use super::*;

#[test]
fn the_portable_set_is_always_there_and_last() {
    let available = Isa::available();
    assert_eq!(available.last().map(|isa| isa.kind()), Some(IsaKind::Portable));
    assert_eq!(available[0], Isa::best());
    for isa in available {
        assert_eq!(Isa::require(isa.kind()).ok(), Some(isa));
        assert_eq!(isa.kind().to_string().parse::<IsaKind>().ok(), Some(isa.kind()));
        assert_eq!(isa.lanes(), isa.run(Constants).0);
        assert_eq!(isa.fused(), isa.run(Constants).1);
        assert_eq!(isa.kind(), isa.run(Constants).2);
    }
}

struct Constants;

impl Kernel for Constants {
    type Output = (usize, bool, IsaKind);

    fn run<S: Simd>(self, _simd: S) -> Self::Output {
        assert!(LANE_GROUP.is_multiple_of(S::LANES));
        (S::LANES, S::FUSED, S::KIND)
    }
}

#[test]
fn the_choice_wins_over_the_variable() {
    let portable = Isa::require(IsaKind::Portable).ok();
    let resolve = |forced, variable| Isa::resolve_by(Isa::detect, forced, variable);
    assert_eq!(resolve(None, None).ok(), Some(Isa::best()));
    assert_eq!(resolve(None, Some("portable")).ok(), portable);
    assert_eq!(resolve(Some(IsaKind::Portable), Some("nonsense")).ok(), portable);
    for unknown in ["nonsense", "", "AVX2", "sse"] {
        let found = resolve(None, Some(unknown));
        assert!(matches!(&found, Err(Error::InvalidSetting { name, .. }) if name == ISA_VARIABLE), "{found:?}");
    }
}

#[test]
fn nothing_falls_back_on_a_processor_that_lacks_it() {
    fn old_processor(kind: IsaKind) -> Option<Isa> {
        Isa::detect(kind).filter(|isa| isa.kind() == IsaKind::Portable)
    }
    for kind in [IsaKind::Avx512, IsaKind::Avx2] {
        for found in [
            Isa::require_by(old_processor, kind),
            Isa::resolve_by(old_processor, Some(kind), None),
            Isa::resolve_by(old_processor, None, Some(&kind.to_string())),
        ] {
            assert!(
                matches!(&found, Err(Error::IsaUnavailable { requested, available })
                    if *requested == kind.to_string() && available == "portable"),
                "{found:?}"
            );
        }
    }
    let resolved = Isa::resolve_by(old_processor, None, None).map(Isa::kind);
    assert!(matches!(resolved, Ok(IsaKind::Portable)), "{resolved:?}");
}

/// Values among which all comparisons and roundings happen.
const FLOATS: [f32; 16] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    1.5,
    2.5,
    -2.5,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
    f32::MAX,
    f32::MIN_POSITIVE,
    1e-40,
    -1e-40,
    3.1,
    -1_000_000.5,
];

const INTEGERS: [u32; 16] = [
    0,
    1,
    2,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0xdead_beef,
    123_456_789,
    0x0000_ffff,
    0xffff_0000,
    3,
    77,
    0x8000_0001,
    0x5555_5555,
    0xaaaa_aaaa,
    65_536,
];

/// Applies a vector operation to two lists of values, one pair for each lane, and compares with the scalar meaning.
macro_rules! compare {
    ($simd:ident, $failures:ident, $name:literal, $load:ident, $values:expr, $vector:expr, $store:ident, $scalar:expr, $same:ident) => {
        for shift in 0..LANE_GROUP {
            let a = $values;
            let mut b = a;
            b.rotate_left(shift);
            for start in (0..LANE_GROUP).step_by(S::LANES) {
                let (a, b) = (&a[start..], &b[start..]);
                let mut found = [Default::default(); LANE_GROUP];
                #[allow(clippy::redundant_closure_call, reason = "the macro takes closures as well as functions")]
                $simd.$store($vector($simd.$load(a), $simd.$load(b)), &mut found);
                for lane in 0..S::LANES {
                    #[allow(clippy::redundant_closure_call, reason = "the macro takes closures as well as functions")]
                    let expected = $scalar(a[lane], b[lane]);
                    if !$same(found[lane], expected) {
                        $failures.push(format!(
                            "{}: {}({:?}, {:?}) is {:?}, not {expected:?}",
                            S::KIND,
                            $name,
                            a[lane],
                            b[lane],
                            found[lane]
                        ));
                    }
                }
            }
        }
    };
}

fn same(a: f32, b: f32) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

fn equal(a: u32, b: u32) -> bool {
    a == b
}

struct Operations;

impl Kernel for Operations {
    type Output = Vec<String>;

    fn run<S: Simd>(self, s: S) -> Vec<String> {
        let mut failures = Vec::new();
        macro_rules! float {
            ($name:literal, $vector:expr, $scalar:expr) => {
                compare!(s, failures, $name, load, FLOATS, $vector, store, $scalar, same)
            };
        }
        macro_rules! integer {
            ($name:literal, $vector:expr, $scalar:expr) => {
                compare!(s, failures, $name, load_u32, INTEGERS, $vector, store_u32, $scalar, equal)
            };
        }
        let (one, zero) = (s.splat(1.0), s.splat(0.0));
        let truth = |mask| s.select(mask, one, zero);
        let number = |truth: bool| f32::from(u8::from(truth));

        float!("add", |a, b| s.add(a, b), |a: f32, b: f32| a + b);
        float!("sub", |a, b| s.sub(a, b), |a: f32, b: f32| a - b);
        float!("mul", |a, b| s.mul(a, b), |a: f32, b: f32| a * b);
        float!("div", |a, b| s.div(a, b), |a: f32, b: f32| a / b);
        float!("sqrt", |a, _| s.sqrt(a), |a: f32, _| a.sqrt());
        float!("abs", |a, _| s.abs(a), |a: f32, _| a.abs());
        // The second operand stands for both NaN and equal zeros.
        float!("min", |a, b| s.min(a, b), |a: f32, b: f32| if a < b { a } else { b });
        float!("max", |a, b| s.max(a, b), |a: f32, b: f32| if a > b { a } else { b });
        float!("less", |a, b| truth(s.less(a, b)), |a: f32, b: f32| number(a < b));
        float!("less_equal", |a, b| truth(s.less_equal(a, b)), |a: f32, b: f32| number(a <= b));
        float!("equal", |a, b| truth(s.equal(a, b)), |a: f32, b: f32| number(a == b));
        float!("bits", |a, _| s.with_bits(s.to_bits(a)), |a: f32, _| a);
        if S::FUSED {
            float!("mul_add", |a, b| s.mul_add(a, b, a), |a: f32, b: f32| a.mul_add(b, a));
            float!("neg_mul_add", |a, b| s.neg_mul_add(a, b, a), |a: f32, b: f32| (-a).mul_add(b, a));
        } else {
            float!("mul_add", |a, b| s.mul_add(a, b, a), |a: f32, b: f32| a * b + a);
            float!("neg_mul_add", |a, b| s.neg_mul_add(a, b, a), |a: f32, b: f32| a - a * b);
        }

        integer!("add_u32", |a, b| s.add_u32(a, b), |a: u32, b: u32| a.wrapping_add(b));
        integer!("sub_u32", |a, b| s.sub_u32(a, b), |a: u32, b: u32| a.wrapping_sub(b));
        integer!("mul_u32", |a, b| s.mul_u32(a, b), |a: u32, b: u32| a.wrapping_mul(b));
        integer!("and", |a, b| s.and(a, b), |a: u32, b: u32| a & b);
        integer!("or", |a, b| s.or(a, b), |a: u32, b: u32| a | b);
        integer!("xor", |a, b| s.xor(a, b), |a: u32, b: u32| a ^ b);
        for n in [0, 1, 9, 31] {
            integer!("shift_left", |a, _| s.shift_left(a, n), |a: u32, _| a << n);
            integer!("shift_right", |a, _| s.shift_right(a, n), |a: u32, _| a >> n);
            integer!("shift_right_signed", |a, _| s.shift_right_signed(a, n), |a: u32, _| (a.cast_signed() >> n)
                .cast_unsigned());
            if n > 0 {
                integer!("rotate_left", |a, _| s.rotate_left(a, n), |a: u32, _| a.rotate_left(n));
            }
        }
        integer!("equal_u32", |a, b| s.select_u32(s.equal_u32(a, b), a, s.splat_u32(7)), |a, b| if a == b {
            a
        } else {
            7
        });
        integer!("less_i32", |a, b| s.select_u32(s.less_i32(a, b), a, b), |a: u32, b: u32| if a.cast_signed()
            < b.cast_signed()
        {
            a
        } else {
            b
        });
        integer!("top_bit", |a, b| s.select_u32(s.top_bit(a), a, b), |a: u32, b| if a >> 31 == 1 { a } else { b });
        integer!("convert_i32", |a, _| s.to_bits(s.convert_i32(a)), |a: u32, _| (a.cast_signed() as f32).to_bits());

        // Ties to even, within the range of integers.
        let halves: [f32; 16] = std::array::from_fn(|i| (i as f32 - 8.0) * 0.5);
        let mut rounded = [0; 16];
        s.store_u32(s.to_i32(s.load(&halves)), &mut rounded);
        for lane in 0..S::LANES {
            if rounded[lane].cast_signed() != halves[lane].round_ties_even() as i32 {
                failures.push(format!("{}: to_i32({})", S::KIND, halves[lane]));
            }
        }

        let bytes: [u8; 16] = std::array::from_fn(|i| (i * 17) as u8);
        let (mut widened, mut numbers) = ([0; 16], [0; 16]);
        s.store_u32(s.load_u8(&bytes), &mut widened);
        s.store_u32(s.lane_numbers(), &mut numbers);
        for lane in 0..S::LANES {
            if (widened[lane], numbers[lane]) != (u32::from(bytes[lane]), lane as u32) {
                failures.push(format!("{}: load_u8 or lane_numbers, lane {lane}", S::KIND));
            }
            let mut mask = [1.0; 16];
            mask[lane] = 0.0;
            if s.all(s.equal(s.load(&mask), one)) || !s.all(s.equal(one, one)) {
                failures.push(format!("{}: all, lane {lane}", S::KIND));
            }
        }

        // Rounded once, also into the denormal numbers, where 2^n alone is no float.
        for n in [-250.0f32, -151.0, -150.0, -149.0, -140.0, -126.0, -1.0, 0.0, 1.0, 127.0, 128.0, 200.0] {
            for a in [1.0f32, 0.7, -1.3, 1.999_999_9, 0.0, f32::INFINITY, f32::NAN, f32::MIN_POSITIVE] {
                let mut found = [0.0; 16];
                s.store(s.scale_by_power_of_two(s.splat(a), s.splat(n)), &mut found);
                let expected = (f64::from(a) * 2f64.powf(f64::from(n))) as f32;
                if !same(found[0], expected) {
                    failures.push(format!("{}: {a} * 2^{n} is {}, not {expected}", S::KIND, found[0]));
                }
            }
        }

        for count in 0..=S::LANES {
            let mut found = [5.0; 16];
            s.store(s.load_partial(&FLOATS[..count]), &mut found);
            let mut stored = vec![5.0; count];
            s.store_partial(s.load(&FLOATS), &mut stored);
            for lane in 0..S::LANES {
                let expected = if lane < count { FLOATS[lane] } else { 0.0 };
                if !same(found[lane], expected) || lane < count && !same(stored[lane], expected) {
                    failures.push(format!("{}: partial vectors of {count}, lane {lane}", S::KIND));
                }
            }
        }
        failures
    }
}

#[test]
fn operations_mean_what_they_say() {
    let failures: Vec<String> = Isa::available().into_iter().flat_map(|isa| isa.run(Operations)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

struct Columns;

impl Kernel for Columns {
    type Output = ();

    fn run<S: Simd>(self, simd: S) {
        let width = 48;
        let mut panel: Vec<f32> = (0..3 * width).map(|i| i as f32).collect();
        let lane = width - S::LANES;
        for row in ColumnMut::new(simd, &mut panel, width, lane) {
            assert_eq!(row.len(), S::LANES);
            row.iter_mut().for_each(|x| *x += 0.5);
        }
        for (feature, row) in Column::new(simd, &panel, width, lane).enumerate() {
            let expected: Vec<f32> = (0..S::LANES).map(|i| (feature * width + lane + i) as f32 + 0.5).collect();
            assert_eq!(row, expected);
        }
        assert_eq!(Column::new(simd, &panel, width, 0).count(), 3);
        assert_eq!(Column::new(simd, &[], width, 0).count(), 0);
        assert!(panel.iter().enumerate().all(|(i, &x)| x == i as f32 + if i % width < lane { 0.0 } else { 0.5 }));
        for (length, width, lane) in
            [(width, width, width - S::LANES + 1), (width + 1, width, 0), (4, 4, 0), (8, 8, usize::MAX)]
        {
            let slice = &panel[..length];
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                Column::new(simd, slice, width, lane).count()
            }));
            assert!(outcome.is_err(), "length {length}, width {width}, lane {lane}");
        }
    }
}

#[test]
fn columns_keep_their_bounds() {
    for isa in Isa::available() {
        isa.run(Columns);
    }
}

/// Groups of lanes, and squares.
struct Rearrangements;

impl Kernel for Rearrangements {
    type Output = ();

    fn run<S: Simd>(self, simd: S) {
        // Sums whose order shows: each lane is a power of two of another size.
        let lane = |group: usize, lane: usize| (1.0 + group as f32) * 2f32.powi((7 * lane as i32) % 40 - 20) + 0.1;
        let mut groups = [[simd.splat(0.0); 2]; 16];
        for (number, group) in groups.iter_mut().enumerate() {
            let lanes: Vec<f32> = (0..LANE_GROUP).map(|index| lane(number, index)).collect();
            for (vector, lanes) in group.iter_mut().zip(lanes.chunks_exact(S::LANES)) {
                *vector = simd.load(lanes);
            }
        }
        let mut sums = [f32::NAN; 16];
        simd.sum_groups(&groups, &mut sums);
        for (number, sum) in sums.into_iter().enumerate() {
            let lanes: [f32; LANE_GROUP] = std::array::from_fn(|index| lane(number, index));
            assert_eq!(sum.to_bits(), crate::kernel::reduce::sum_lanes(lanes).to_bits(), "group {number}");
        }

        let (from_row, to_row) = (S::LANES + 3, S::LANES + 5);
        let from: Vec<f32> = (0..S::LANES * from_row).map(|index| index as f32).collect();
        let mut to = vec![-1.0; S::LANES * to_row];
        // SAFETY: both have LANES rows of at least LANES values, of the stated lengths.
        unsafe { simd.transpose(from.as_ptr(), from_row, to.as_mut_ptr(), to_row) };
        for (index, value) in to.into_iter().enumerate() {
            let (row, column) = (index / to_row, index % to_row);
            let expected = if column < S::LANES { from[column * from_row + row] } else { -1.0 };
            assert_eq!(value, expected, "row {row}, column {column}");
        }
    }
}

#[test]
fn sums_and_squares_are_in_order() {
    for isa in Isa::available() {
        isa.run(Rearrangements);
    }
}
