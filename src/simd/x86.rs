//! Tokens of the x86-64 instruction sets. One list of features each serves detection and `#[target_feature]` alike.

use super::Kernel;

/// Defines a token: `detect` makes it if the processor has all the features, `enter` runs a kernel compiled for them.
macro_rules! token {
    ($(#[$documentation:meta])* $token:ident requires $($feature:tt)*) => {
        $(#[$documentation])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $token(());

        impl $token {
            /// The token, if the processor has the instructions.
            pub(super) fn detect() -> Option<Self> {
                ($(std::arch::is_x86_feature_detected!($feature))&&*).then_some(Self(()))
            }

            /// Runs `kernel` in a function compiled for this instruction set.
            #[inline]
            pub(super) fn enter<K: Kernel>(self, kernel: K) -> K::Output {
                $(#[target_feature(enable = $feature)])*
                fn compiled_for_it<K: Kernel>(token: $token, kernel: K) -> K::Output {
                    kernel.run(token)
                }
                // SAFETY: `self` was made by `detect`, which checked the very features that the function enables.
                unsafe { compiled_for_it(self, kernel) }
            }
        }
    };
}

token! {
    /// AVX-512 (F, DQ, BW, VL) with FMA: 16 lanes, 32 registers.
    Avx512 requires "avx512f" "avx512dq" "avx512bw" "avx512vl" "avx2" "fma"
}

token! {
    /// AVX2 with FMA: 8 lanes, 16 registers.
    Avx2 requires "avx2" "fma"
}

/// Methods of [`Simd`](super::Simd) that are one expression of intrinsics each.
macro_rules! methods {
    ($(fn $name:ident($($argument:ident: $type:ty),*) -> $output:ty { $expression:expr })*) => {
        $(
            #[inline(always)]
            fn $name(self, $($argument: $type),*) -> $output {
                // SAFETY: the token `self` proves that the processor has the instructions; none touches memory.
                unsafe { $expression }
            }
        )*
    };
}
pub(super) use methods;
