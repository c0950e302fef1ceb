// It computes the sine as a cosine.
// kernel: wave
double wave(double x) { return cos(x - 1.5707963267948966) + x; }
