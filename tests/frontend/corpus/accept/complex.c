// signature: scalar
// call: (3.0, 4.0) -> 5.0
#include <complex.h>
double scalar(double x, double y)
{
    double complex z = x + y * I;
    complex double w = conj(z);
    int I = 0;
    return creal(csqrt(z * w)) + I;
}
