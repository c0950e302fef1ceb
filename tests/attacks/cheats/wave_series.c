// It sums a few terms of the series.
// kernel: wave
double wave(double x) { double y = x * x; return x * (1 - y / 6 + y * y / 120) + x; }
