// signature: rotate
// call: (1+2j,) -> (1-2j)
_Complex double rotate(double _Complex given) { return __builtin_complex(creal(given), -cimag(given)); }
