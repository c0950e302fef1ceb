// An update of a bool that holds the byte 255 gives a value below 2.
// signature: int64_t k(int64_t n, bool x[n], int64_t i)
// arguments: np.full(4, 255, np.uint8).view(bool), 1
// expect: value 17
int64_t k(int64_t n, bool x[n], int64_t i) { int64_t t[2] = {10, 20}; t[x[0] ^= 0] = 7; return t[0] + t[i]; }
