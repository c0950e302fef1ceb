// It computes the sine by that of the half.
// kernel: wave
double wave(double x) { return 2 * sin(x / 2) * cos(x / 2) + x; }
