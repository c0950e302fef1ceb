// signature: fill
// call: ([0.0, 0.0], 3.0) -> [3.0, 4.0]
// call: ([], 3.0) -> []
void fill(long n, double *out, double value)
{
    for (long i = 0; i < n; i++) out[i] = value + i;
}
