// signature: fill
// call: ([0.0, 0.0], 3.0) -> [3.0, 4.0]
// call: ([], 3.0) -> []
typedef int64_t index_t;
void fill(index_t n, double *out, double value)
{
    for (index_t i = 0; i < n; i++) out[i] = value + i;
}
