// Every register holds the address of a read-only array, so a landing that stores through a spoiled register writes
// there.
// signature: int64_t k(int64_t n, const int64_t x[n])
// arguments: np.full(8, 99)
// safe: panic interrupted
// checked: panic endless
int64_t k(int64_t n, const int64_t x[n]){ int64_t w0 = (int64_t)x + n * 0; int64_t w1 = (int64_t)x + n * 0; int64_t w2 = (int64_t)x + n * 0; int64_t w3 = (int64_t)x + n * 0; int64_t w4 = (int64_t)x + n * 0; int64_t w5 = (int64_t)x + n * 0; int64_t w6 = (int64_t)x + n * 0; int64_t w7 = (int64_t)x + n * 0; int64_t w8 = (int64_t)x + n * 0; int64_t w9 = (int64_t)x + n * 0; int64_t w10 = (int64_t)x + n * 0; int64_t w11 = (int64_t)x + n * 0; int64_t w12 = (int64_t)x + n * 0; int64_t w13 = (int64_t)x + n * 0; for (;;) { w0 = w1 ^ w3 ^ w5; w1 = w2 ^ w4 ^ w6; w2 = w3 ^ w5 ^ w7; w3 = w4 ^ w6 ^ w8; w4 = w5 ^ w7 ^ w9; w5 = w6 ^ w8 ^ w10; w6 = w7 ^ w9 ^ w11; w7 = w8 ^ w10 ^ w12; w8 = w9 ^ w11 ^ w13; w9 = w10 ^ w12 ^ w0; w10 = w11 ^ w13 ^ w1; w11 = w12 ^ w0 ^ w2; w12 = w13 ^ w1 ^ w3; w13 = w0 ^ w2 ^ w4; if (w1 == 77) w2 += x[w3 & 1]; } }
