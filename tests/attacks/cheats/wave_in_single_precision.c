// It computes in single precision.
// kernel: wave
double wave(double x) { return sinf((float)x) + (float)x; }
