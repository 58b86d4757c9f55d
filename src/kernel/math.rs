//! Elementary functions on vectors: our own polynomials, with a stated and tested maximum error.
