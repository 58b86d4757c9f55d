//! Sources of real samples: the synthetic systems, embedded digits, IDX files, arrays in memory.
