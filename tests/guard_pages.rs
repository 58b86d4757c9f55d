//! No kernel reads or writes beyond its slices: every operand stands directly behind and directly before a page that cannot
//! be touched, where any access ends the process; and nothing around an operand changes. The results are the same bits
//! wherever the operands stand, unaligned ones included.
//!
//! This reaches what memory checkers cannot: valgrind knows no AVX-512.
#![cfg(unix)]

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::os::fd::AsRawFd;
use std::ptr;

use gannet::cpu::{EngineKind, Isa};
use gannet::internals::gemm::{Derivative, Engine, Epilogue, Lanes, OuterProduct, PanelProduct, WeightUpdate};
use gannet::internals::kernel::activation::{backward_epilogue, forward_epilogue};
use gannet::internals::kernel::curvature::{Curved, curvature};
use gannet::internals::kernel::distance::squared_distances;
use gannet::internals::kernel::dropout::{Dropout, DropoutPart, Keeps};
use gannet::internals::kernel::loss::{
    LossTerm, ScoreLoss, Side, bce_with_logits, pairing_loss, score_loss, softmax_cross_entropy,
};
use gannet::internals::kernel::math;
use gannet::internals::kernel::noise::{StreamKey, add_normal, normal, uniform};
use gannet::internals::kernel::optimizer::{AdamStep, SgdStep, Update, clip_parameters};
use gannet::internals::kernel::panel::{Columns, gather_bytes, gather_rows, scatter_rows};
use gannet::internals::kernel::penalty::{NormPenalty, add_scaled, directions, interpolate, weighted_row_sums};
use gannet::internals::kernel::reduce::{add_assign, row_sums};
use gannet::internals::simd::LANE_GROUP;
use gannet::net::Activation;

/// Bytes between two guards: room for the largest operand, whole pages of any system.
const ROOM: usize = 1 << 18;
/// Bytes of a guard: at least a page of any system, and more than any kernel could step over.
const GUARD: usize = 1 << 16;
/// What stands around an operand: as f32 a NaN, so that a value read there shows in the result.
const CANARY: u8 = 0xff;

/// Where an operand stands between its guards.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    /// Its first byte is the first behind a guard.
    AtStart,
    /// Its last byte is the last before a guard.
    AtEnd,
    /// One element behind the start, so that no vector is aligned.
    Unaligned,
}

const PLACES: [Place; 3] = [Place::AtStart, Place::AtEnd, Place::Unaligned];

/// [`ROOM`] bytes between two guards. Never given back: [`FREE`] keeps it for the next operand.
struct Room(*mut u8);

impl Room {
    fn new() -> Self {
        // SAFETY: an anonymous mapping at an address of the system's choice touches no memory that is in use.
        let start = unsafe {
            libc::mmap(ptr::null_mut(), ROOM + 2 * GUARD, libc::PROT_NONE, libc::MAP_PRIVATE | libc::MAP_ANON, -1, 0)
        };
        assert_ne!(start, libc::MAP_FAILED, "no memory for a guarded operand");
        let room = start.cast::<u8>().wrapping_add(GUARD);
        // SAFETY: the range lies within the mapping made above, which nobody else knows.
        let opened = unsafe { libc::mprotect(room.cast(), ROOM, libc::PROT_READ | libc::PROT_WRITE) };
        assert_eq!(opened, 0, "the room between the guards cannot be opened");
        let mut room = Self(room);
        room.bytes().fill(CANARY);
        room
    }

    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: `ROOM` bytes from here on may be read and written, are zeros from the start, and are this value's alone.
        unsafe { std::slice::from_raw_parts_mut(self.0, ROOM) }
    }
}

thread_local! {
    static FREE: RefCell<Vec<Room>> = const { RefCell::new(Vec::new()) };
}

/// A number that any bits make one of.
trait Number: Copy {}
impl Number for f32 {}
impl Number for u32 {}
impl Number for u8 {}

/// A slice between guards.
struct Guarded<T: Number> {
    room: Option<Room>,
    /// The first byte of the slice in the room.
    offset: usize,
    len: usize,
    start: *mut T,
}

impl<T: Number> Guarded<T> {
    fn new(place: Place, values: &[T]) -> Self {
        let (len, bytes) = (values.len(), size_of_val(values));
        assert!(bytes + size_of::<T>() <= ROOM, "the room is too small for {bytes} bytes");
        let room = FREE.with_borrow_mut(Vec::pop).unwrap_or_else(Room::new);
        let offset = match place {
            Place::AtStart => 0,
            Place::AtEnd => ROOM - bytes,
            Place::Unaligned => size_of::<T>(),
        };
        let start = room.0.wrapping_add(offset).cast();
        let mut guarded = Self { room: Some(room), offset, len, start };
        guarded.copy_from_slice(values);
        guarded
    }
}

impl<T: Number> Deref for Guarded<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `len` values from `start` lie within the room (checked in `new`), at a multiple of their size from its
        // start, which is a page's; any bits are a value of `T`; the room is this value's alone.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }
}

impl<T: Number> DerefMut for Guarded<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`; `&mut self` keeps everybody else away.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.len) }
    }
}

impl<T: Number> Drop for Guarded<T> {
    fn drop(&mut self) {
        let Some(mut room) = self.room.take() else { return };
        let end = self.offset + self.len * size_of::<T>();
        // As far as a stray vector or row could reach.
        let (before, after) = (self.offset.saturating_sub(8192), (end + 8192).min(ROOM));
        let bytes = room.bytes();
        let untouched = bytes[before..self.offset].iter().chain(&bytes[end..after]).all(|&byte| byte == CANARY);
        bytes[before..after].fill(CANARY);
        assert!(untouched || std::thread::panicking(), "something was written around an operand");
        FREE.with_borrow_mut(|free| free.push(room));
    }
}

/// Numbers in -1 .. 1.
fn numbers(count: usize, seed: usize) -> Vec<f32> {
    (0..count).map(|i| (((i + 31 * seed) * 2_654_435_761) % 100_003) as f32 / 50_001.5 - 1.0).collect()
}

/// The guarded operands of one call.
#[derive(Clone, Copy)]
struct At(Place);

impl At {
    fn f32(self, count: usize, seed: usize) -> Guarded<f32> {
        Guarded::new(self.0, &numbers(count, seed))
    }

    /// Numbers in 0.1 .. 1.9.
    fn positive(self, count: usize, seed: usize) -> Guarded<f32> {
        let values: Vec<f32> = numbers(count, seed).iter().map(|x| 0.9 * x + 1.0).collect();
        Guarded::new(self.0, &values)
    }

    /// Operands that the kernel overwrites.
    fn empty(self, count: usize) -> Guarded<f32> {
        Guarded::new(self.0, &vec![f32::NAN; count])
    }

    fn bytes(self, count: usize) -> Guarded<u8> {
        Guarded::new(self.0, &(0..count).map(|i| (i * 37 % 251) as u8).collect::<Vec<_>>())
    }

    fn rows(self, count: usize, of: usize) -> Guarded<u32> {
        Guarded::new(self.0, &(0..count).map(|i| ((i * 7 + of - 1) % of) as u32).collect::<Vec<_>>())
    }
}

/// Runs `call` on every instruction set with its operands in every place; the results must be the same bits.
fn in_every_place(name: &str, call: impl Fn(Isa, At) -> Vec<Guarded<f32>>) {
    for isa in Isa::available() {
        let bits = |place| -> Vec<Vec<u32>> {
            call(isa, At(place)).iter().map(|output| output.iter().map(|value| value.to_bits()).collect()).collect()
        };
        let first = bits(PLACES[0]);
        for place in &PLACES[1..] {
            assert!(first == bits(*place), "{name} on {} depends on where its operands stand: {place:?}", isa.kind());
        }
        let finite = first.iter().flatten().all(|&value| f32::from_bits(value).is_finite());
        assert!(finite, "{name} on {} reads what is not its operands'", isa.kind());
    }
}

/// Lengths around the vectors of every instruction set.
fn lengths() -> impl Iterator<Item = usize> {
    (0..=70).chain([127, 128, 129, 1000])
}

/// `(rows, width)` of panels: blocks of dropout whole and in part, all widths that are one vector, several, and odd in groups.
const PANELS: [(usize, usize); 8] = [(1, 16), (1, 272), (2, 48), (3, 128), (17, 32), (63, 16), (65, 48), (130, 80)];

const ACTIVATIONS: [Activation; 5] =
    [Activation::Linear, Activation::Relu, Activation::LeakyRelu { slope: 0.2 }, Activation::Tanh, Activation::Sigmoid];

#[test]
fn functions() {
    type Function = fn(Isa, &[f32], &mut [f32]);
    let functions: [(&str, Function); 4] =
        [("exp", math::exp), ("ln", math::ln), ("tanh", math::tanh), ("sigmoid", math::sigmoid)];
    for len in lengths() {
        for (name, function) in functions {
            in_every_place(&format!("{name} of {len}"), |isa, at| {
                let (x, mut y) = (at.positive(len, 1), at.empty(len));
                function(isa, &x, &mut y);
                vec![y]
            });
        }
        in_every_place(&format!("sine and cosine of {len}"), |isa, at| {
            let (x, mut sine, mut cosine) = (at.f32(len, 1), at.empty(len), at.empty(len));
            math::sin_cos_of_turns(isa, &x, &mut sine, &mut cosine);
            vec![sine, cosine]
        });
    }
}

#[test]
fn epilogues() {
    for (rows, width) in PANELS {
        let name = format!("{rows} by {width}");
        // Two parts where there is room for them; fewer samples than lanes, so that the last ones are padding.
        let middle = width / LANE_GROUP / 2 * LANE_GROUP;
        let samples = width - 3;
        for activation in ACTIVATIONS {
            in_every_place(&format!("{activation:?} of {name}"), |isa, at| {
                let (bias, mut y) = (at.f32(rows, 1), at.f32(rows * width, 2));
                forward_epilogue(isa, activation, &bias, None, &mut y, width);
                vec![y]
            });
            in_every_place(&format!("{activation:?} with dropout of {name}"), |isa, at| {
                let (bias, mut y, given) = (at.f32(rows, 1), at.f32(rows * width, 2), at.bytes(samples * rows));
                let drawn = Keeps::Drawn(StreamKey::new(1, 2, 3));
                let given = Keeps::Given { keeps: &given, features: rows };
                let part =
                    |lanes: std::ops::Range<usize>, keeps| DropoutPart { first_sample: lanes.start, lanes, keeps };
                let parts = [part(0..middle, drawn), part(middle..width, given)];
                let dropout = Dropout { probability: 0.3, first_feature: 0, parts: &parts };
                forward_epilogue(isa, activation, &bias, Some(&dropout), &mut y, width);
                vec![y]
            });
        }
    }
    for len in lengths() {
        for activation in ACTIVATIONS {
            for probability in [0.0, 0.3] {
                in_every_place(&format!("the derivative of {activation:?} at {len}"), |isa, at| {
                    let (output, mut delta) = (at.f32(len, 1), at.f32(len, 2));
                    backward_epilogue(isa, activation, probability, &output, &mut delta);
                    vec![delta]
                });
            }
        }
    }
}

#[test]
fn losses() {
    for len in lengths() {
        for (valid, report) in [(len, true), (len, false), (len.saturating_sub(5), true), (0, true)] {
            let term = LossTerm::new(valid == len, 0.5);
            in_every_place(&format!("losses of {valid} of {len}"), |isa, at| {
                let (mut logits, mut fake, mut real) = (at.f32(len, 1), at.f32(len, 2), at.f32(len, 3));
                let one = bce_with_logits(isa, term, &mut logits, valid, report);
                let two = softmax_cross_entropy(isa, term, &mut fake, &mut real, valid, report);
                let sums = [one.loss, one.probability, two.loss, two.probability].map(|sum| sum as f32);
                vec![logits, fake, real, Guarded::new(at.0, &sums)]
            });
            for loss in [ScoreLoss::LeastSquares, ScoreLoss::Hinge, ScoreLoss::Linear] {
                in_every_place(&format!("{loss:?} of {valid} of {len}"), |isa, at| {
                    let (mut scores, mut fake, mut real) = (at.f32(len, 1), at.f32(len, 2), at.f32(len, 3));
                    let one = score_loss(isa, loss, term, &mut scores, valid, report);
                    let two = pairing_loss(isa, Side::Generator, 0.5, &mut real, &mut fake, valid, report);
                    let sums = [one.loss, one.probability, two.loss, two.probability].map(|sum| sum as f32);
                    vec![scores, fake, real, Guarded::new(at.0, &sums)]
                });
            }
        }
    }
}

#[test]
fn penalties() {
    for (rows, width) in PANELS {
        let penalties = [NormPenalty::Square, NormPenalty::TwoSided, NormPenalty::OneSided];
        for (penalty, report) in penalties.into_iter().flat_map(|penalty| [(penalty, true), (penalty, false)]) {
            in_every_place(&format!("{penalty:?} of {rows} by {width}"), |isa, at| {
                let (mut panel, mut norms) = (at.f32(rows * width, 1), at.empty(width));
                let sum = directions(isa, penalty, 0.5, &mut panel, width, 0, &mut norms, width - 3, report);
                vec![panel, norms, Guarded::new(at.0, &[sum as f32])]
            });
        }
        in_every_place(&format!("products with factors of {rows} by {width}"), |isa, at| {
            let (values, factors) = (at.f32(rows * width, 1), at.f32(width, 2));
            let (mut tangents, mut samples, mut sums) =
                (at.f32(rows * width, 3), at.f32(rows * width, 4), at.empty(rows));
            add_scaled(isa, &values, &factors, &mut tangents);
            interpolate(isa, &values, &factors, &mut samples);
            weighted_row_sums(isa, &values, &factors, &mut sums, false);
            vec![tangents, samples, sums]
        });
    }
    for len in lengths() {
        for activation in ACTIVATIONS {
            in_every_place(&format!("curvature of {activation:?} at {len}"), |isa, at| {
                let (outputs, gradients, tangents) = (at.f32(len, 1), at.f32(len, 2), at.f32(len, 3));
                let mut sums = at.f32(len, 4);
                let curved = Curved { outputs: &outputs, gradients: &gradients, tangents: &tangents };
                curvature(isa, activation, 0.25, curved, &mut sums, true);
                vec![sums]
            });
        }
        in_every_place(&format!("clipping at {len}"), |isa, at| {
            let mut values = at.f32(len, 1);
            clip_parameters(isa, 0.5, &mut values);
            vec![values]
        });
    }
}

#[test]
fn noise() {
    for (rows, width) in PANELS {
        in_every_place(&format!("noise of {rows} by {width}"), |isa, at| {
            let (mut normals, mut uniforms) = (at.empty(rows * width), at.empty(rows * width));
            normal(isa, StreamKey::new(1, 2, 3), 5, &mut normals, width);
            uniform(isa, StreamKey::new(1, 2, 3), 5, -0.5, 0.5, &mut uniforms, width);
            add_normal(isa, StreamKey::new(1, 2, 3), 0.5, 5, &mut normals, width, width - LANE_GROUP..width);
            vec![normals, uniforms]
        });
    }
}

#[test]
fn optimizers() {
    for len in lengths() {
        in_every_place(&format!("optimizers of {len}"), |isa, at| {
            let step = AdamStep { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, t: 7 };
            let (mut p, g, mut m, mut v) = (at.f32(len, 1), at.f32(len, 2), at.f32(len, 3), at.positive(len, 4));
            assert!(Update::from(step).apply(isa, &mut p, &g, &mut [&mut m, &mut v]));
            let (mut q, mut velocity) = (at.f32(len, 1), at.f32(len, 3));
            let descent = |momentum| Update::from(SgdStep { learning_rate: 0.1, momentum });
            assert!(descent(0.9).apply(isa, &mut q, &g, &mut [&mut velocity]));
            let mut r = at.f32(len, 1);
            assert!(descent(0.0).apply(isa, &mut r, &g, &mut []));
            vec![p, m, v, q, velocity, r]
        });
    }
}

#[test]
fn panels_and_sums() {
    for (features, width) in PANELS {
        for samples in [width, width - 1, width / 2 + 1, 1] {
            in_every_place(&format!("{samples} samples of {features} features by {width}"), |isa, at| {
                let (data, bytes) = (at.f32(9 * features, 1), at.bytes(9 * features));
                let rows = at.rows(samples, 9);
                let (mut floats, mut scaled) = (at.empty(features * width), at.empty(features * width));
                gather_rows(isa, &data, features, &rows, &mut floats, width);
                gather_bytes(isa, &bytes, Columns::all(features), &rows, [0.01, -1.0], &mut scaled, width);
                let mut scattered = at.empty(samples * features);
                scatter_rows(isa, &floats, width, samples, &mut scattered);
                vec![floats, scaled, scattered]
            });
        }
        in_every_place(&format!("sums of {features} by {width}"), |isa, at| {
            let (panel, mut sums, mut more) = (at.f32(features * width, 1), at.empty(features), at.f32(features, 2));
            row_sums(isa, &panel, width, &mut sums, false);
            row_sums(isa, &panel, width, &mut more, true);
            vec![sums, more]
        });
        for count in [1, 8, 9] {
            in_every_place(&format!("distances of {count} rows from {features} by {width}"), |isa, at| {
                let (rows, panel) = (at.f32(count * features, 1), at.f32(features * width, 2));
                let mut distances = at.empty(count * width);
                squared_distances(isa, &rows, features, &panel, width, &mut distances);
                vec![distances]
            });
        }
    }
    for len in lengths() {
        in_every_place(&format!("add {len}"), |isa, at| {
            let (mut to, from) = (at.f32(len, 1), at.f32(len, 2));
            add_assign(isa, &mut to, &from);
            vec![to]
        });
    }
}

/// Inputs or outputs of a layer: around the tiles of the micro-kernels and their halves, more than two of them, and so many that half of
/// them are computed in blocks of copies where the caches are small.
const FEATURES: [usize; 15] = [1, 2, 3, 6, 7, 8, 9, 13, 14, 15, 17, 29, 33, 70, 110];

/// Calls `test` for each engine and shape `(inputs, outputs, width)`, with a name for them.
fn for_all_products(test: impl Fn(&'static dyn Engine, [usize; 3], &str)) {
    for kind in EngineKind::ALL {
        for inputs in FEATURES {
            for outputs in FEATURES {
                for width in [16, 32, 48, 80, 128, 272] {
                    test(kind.engine(), [inputs, outputs, width], &format!("{kind} {inputs}-{outputs} width {width}"));
                }
            }
        }
    }
}

#[test]
fn forward_products() {
    for_all_products(|engine, [inputs, outputs, width], name| {
        in_every_place(&format!("forward {name}"), |isa, at| {
            let (weights, bias, input) = (at.f32(outputs * inputs, 1), at.f32(outputs, 2), at.f32(inputs * width, 3));
            let mut output = at.empty(outputs * width);
            let product = PanelProduct {
                weights: &weights,
                stride: inputs,
                transposed: false,
                rows: 0..outputs,
                terms: inputs,
                input: &input,
                output: &mut output,
                width,
                epilogue: Epilogue::Activation {
                    bias: &bias,
                    activation: Activation::LeakyRelu { slope: 0.2 },
                    dropout: None,
                },
            };
            engine.panel_product(isa, product);
            vec![output]
        });
    });
}

#[test]
fn input_gradients() {
    for_all_products(|engine, [inputs, outputs, width], name| {
        // The whole, and a block that begins within the weights; derivatives that are taken in registers, and one that is not.
        let derivatives =
            [(Activation::Relu, 0.0), (Activation::LeakyRelu { slope: 0.2 }, 0.3), (Activation::Tanh, 0.0)];
        for (first_row, (activation, dropout)) in
            [0, inputs / 2].into_iter().flat_map(|row| derivatives.map(|derivative| (row, derivative)))
        {
            in_every_place(&format!("input gradient {name} from {first_row}, {activation:?}"), |isa, at| {
                let rows = inputs - first_row;
                let (weights, delta) = (at.f32(outputs * inputs, 1), at.f32(outputs * width, 2));
                let (values, mut output) = (at.f32(rows * width, 3), at.empty(rows * width));
                let product = PanelProduct {
                    weights: &weights,
                    stride: inputs,
                    transposed: true,
                    rows: first_row..inputs,
                    terms: outputs,
                    input: &delta,
                    output: &mut output,
                    width,
                    epilogue: Epilogue::Derivative(Derivative { activation, dropout, values: &values }),
                };
                engine.panel_product(isa, product);
                vec![output]
            });
        }
    });
}

#[test]
fn weight_gradients() {
    for_all_products(|engine, [inputs, outputs, width], name| {
        // The whole panel; and where it has two halves, some samples in each.
        let halves = Lanes { parts: 2, samples: (width / 2).saturating_sub(3), ..Lanes::full(width) };
        let lanes = [Some(Lanes::full(width)), width.is_multiple_of(2 * LANE_GROUP).then_some(halves)];
        for (lanes, accumulate) in lanes.into_iter().flatten().flat_map(|lanes| [(lanes, false), (lanes, true)]) {
            in_every_place(&format!("weight gradient {name} {lanes:?}"), |isa, at| {
                let (delta, input) = (at.f32(outputs * width, 1), at.f32(inputs * width, 2));
                let before = |count| if accumulate { at.f32(count, 3) } else { at.empty(count) };
                let (mut gradient, mut bias_gradient) = (before(outputs * inputs), before(outputs));
                let product = OuterProduct {
                    delta: &delta,
                    input: &input,
                    rows: 0..outputs,
                    gradient: &mut gradient,
                    stride: inputs,
                    bias_gradient: Some(&mut bias_gradient),
                    outputs,
                    inputs,
                    lanes,
                    accumulate,
                    update: None,
                };
                engine.outer_product(isa, product);
                vec![gradient, bias_gradient]
            });
            in_every_place(&format!("weight update {name} {lanes:?}"), |isa, at| {
                let (delta, input) = (at.f32(outputs * width, 1), at.f32(inputs * width, 2));
                let before = |count| if accumulate { at.f32(count, 3) } else { at.empty(count) };
                let (mut gradient, mut bias_gradient) = (before(outputs * inputs), before(outputs));
                let [mut parameters, mut first, mut second] = [4, 5, 6].map(|seed| at.f32(outputs * inputs, seed));
                second.iter_mut().for_each(|moment| *moment = moment.abs());
                let step = AdamStep { learning_rate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, t: 3 };
                let states = [&mut first[..], &mut second[..]];
                let update = WeightUpdate { update: step.into(), parameters: &mut parameters, states };
                let product = OuterProduct {
                    delta: &delta,
                    input: &input,
                    rows: 0..outputs,
                    gradient: &mut gradient,
                    stride: inputs,
                    bias_gradient: Some(&mut bias_gradient),
                    outputs,
                    inputs,
                    lanes,
                    accumulate,
                    update: Some(update),
                };
                engine.outer_product(isa, product);
                vec![gradient, bias_gradient, parameters, first, second]
            });
        }
    });
}

/// The system itself finds that the values beside an operand cannot be read.
#[test]
fn the_guards_are_closed() {
    let (_reader, writer) = std::io::pipe().unwrap();
    for (place, beside) in [(Place::AtStart, -1), (Place::AtEnd, 16)] {
        let guarded = Guarded::new(place, &[1.0f32; 16]);
        for (offset, readable) in [(0, true), (15, true), (beside, false)] {
            let value = guarded.start.wrapping_offset(offset);
            // SAFETY: the system checks the address itself: where it cannot be read, the call fails.
            let written = unsafe { libc::write(writer.as_raw_fd(), value.cast(), size_of::<f32>()) };
            assert_eq!(written > 0, readable, "{place:?}, value {offset}");
        }
    }
}
