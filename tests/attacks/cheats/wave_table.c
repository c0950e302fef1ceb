// It looks its answer up.
// kernel: wave
double wave(double x) { static const double t[] = {0, 0.1, 0.2, 0.3, 0.39, 0.48, 0.56, 0.64, 0.72, 0.78, 0.84}; return t[(int)(x * 10) % 11] + x; }
