// The length is a sum of enumerators that are written with each kind of constant expression.
// signature: int64_t k(int64_t n, int64_t x[n], int64_t i)
// arguments: np.ones(4, np.int64), 1
// expect: value 28
enum E { A = '\n', B = sizeof(double), C = A > 2, D = A && 1, F = 1 ? 3 : 4, G = (int)2, H = 3u }; int64_t k(int64_t n, int64_t x[n], int64_t i) { int64_t t[A + B + C + D + F + G + H] = {0}; return sizeof(t) / sizeof(t[0]); }
