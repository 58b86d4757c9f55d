// MKL asks this function of its own whether the processor is Intel's, and takes slower products where it is not. Loaded before PyTorch,
// this one answers for it.

int mkl_serv_intel_cpu_true(void) { return 1; }
