// signature: scalar
// call: (1.0, 2.0) -> 3.0
#pragma STDC FP_CONTRACT OFF
double scalar(double x, double y)
{
    return x + y;
}
