// The product that PyTorch's linear layers call, by OpenBLAS: loaded before PyTorch, it takes the place of MKL's.

void scipy_sgemm_(const char *, const char *, const int *, const int *, const int *, const float *, const float *, const int *,
                  const float *, const int *, const float *, float *, const int *);

void sgemm_(const char *transpose_a, const char *transpose_b, const int *m, const int *n, const int *k, const float *alpha,
            const float *a, const int *row_a, const float *b, const int *row_b, const float *beta, float *c, const int *row_c) {
    scipy_sgemm_(transpose_a, transpose_b, m, n, k, alpha, a, row_a, b, row_b, beta, c, row_c);
}
