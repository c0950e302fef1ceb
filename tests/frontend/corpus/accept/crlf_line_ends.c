// signature: scalar
// call: (1.0, 2.0) -> 5.0
#define TWO 2
double scalar(double x, double y)
{
    /* two
 lines */ return x + \
        TWO * y;
}
