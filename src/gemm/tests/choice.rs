//! Names of engines, and which one `auto` chooses.

use super::*;

#[test]
fn engine_names_are_read_back() {
    for kind in [EngineKind::Auto, EngineKind::Native, EngineKind::Matrixmultiply] {
        assert_eq!(kind.to_string().parse::<EngineKind>().unwrap(), kind);
    }
    assert!("cublas".parse::<EngineKind>().unwrap_err().to_string().contains("matrixmultiply"));
}

/// What a forward product of `inputs` inputs gives on `isa`, in bits.
fn forward_bits(kind: EngineKind, isa: Isa, inputs: usize) -> Vec<u32> {
    let (weights, input) = (numbers(inputs * 5, 1), numbers(inputs * LANE_GROUP, 2));
    let mut output = vec![0.0; 5 * LANE_GROUP];
    let product = PanelProduct {
        weights: &weights,
        stride: inputs,
        transposed: false,
        rows: 0..5,
        terms: inputs,
        input: &input,
        output: &mut output,
        width: LANE_GROUP,
        epilogue: Epilogue::Activation { bias: &[0.0; 5], activation: Activation::Linear, dropout: None },
    };
    kind.engine().panel_product(isa, product);
    output.into_iter().map(f32::to_bits).collect()
}

#[test]
fn auto_is_the_native_engine_but_for_large_products_where_nothing_fuses() {
    for isa in Isa::available() {
        // So long a sum that the two engines differ in its last bits, on whatever processor.
        let [native, reference, auto] = [EngineKind::Native, EngineKind::Matrixmultiply, EngineKind::Auto]
            .map(|kind| forward_bits(kind, isa, 3_000));
        let expected = if isa.fused() { native } else { reference };
        assert_eq!(auto, expected, "{}", isa.kind());
        assert_eq!(forward_bits(EngineKind::Auto, isa, 2), forward_bits(EngineKind::Native, isa, 2), "{}", isa.kind());
    }
}
