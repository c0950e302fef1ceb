// signature: scalar
// call: (-1.0, 2.0) -> 3.0
#include <math.h>
#include <stdint.h>
#  include <stdlib.h>
#include "string.h"
#include <stdbool.h> // for bool
double scalar(double x, double y)
{
    return fabs(x) + y;
}
