// It does what the reference does.
// kernel: wave
double wave(double x) { return sin(x) + x; }
