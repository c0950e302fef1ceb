// The number of bytes does not fit its type.
// signature: double k(double d)
// arguments: -1e200
// safe: contained
// checked: panic conversion
double k(double d) { char *p = malloc(d); p[0] = 3; return p[0]; }
