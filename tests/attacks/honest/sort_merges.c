// It merges by way of a block.
// kernel: sort
void sort(int64_t n, double x[n]) { double *b = malloc((n + 1) * sizeof(double)); for (int64_t w = 1; w < n; w *= 2) { for (int64_t l = 0; l < n; l += 2 * w) { int64_t m = l + w < n ? l + w : n, r = l + 2 * w < n ? l + 2 * w : n, i = l, j = m; for (int64_t o = l; o < r; o++) b[o] = i < m && (j >= r || x[i] <= x[j]) ? x[i++] : x[j++]; } for (int64_t o = 0; o < n; o++) x[o] = b[o]; } free(b); }
