// The signal arrives in a loop with more live values than registers; what the loop keeps on the stack must not be
// taken for the frame.
// signature: int64_t k(int64_t n, int64_t x[n])
// arguments: np.arange(1, 6)
// safe: panic interrupted | panic division
// checked: panic endless | panic overflow | panic division
int64_t k(int64_t n, int64_t x[n]){ int64_t w0 = n * 3; int64_t w1 = n * 4; int64_t w2 = n * 5; int64_t w3 = n * 6; int64_t w4 = n * 7; int64_t w5 = n * 8; int64_t w6 = n * 9; int64_t w7 = n * 10; int64_t w8 = n * 11; int64_t w9 = n * 12; int64_t w10 = n * 13; int64_t w11 = n * 14; for (;;) { w0 = w1 / (w2 | 1) + w5; w1 = w2 / (w3 | 1) + w6; w2 = w3 / (w4 | 1) + w7; w3 = w4 / (w5 | 1) + w8; w4 = w5 / (w6 | 1) + w9; w5 = w6 / (w7 | 1) + w10; w6 = w7 / (w8 | 1) + w11; w7 = w8 / (w9 | 1) + w0; w8 = w9 / (w10 | 1) + w1; w9 = w10 / (w11 | 1) + w2; w10 = w11 / (w0 | 1) + w3; w11 = w0 / (w1 | 1) + w4; } }
