// signature: scalar
// call: (1.0, 1.0) -> 10.0
// call: (1.0, -1.0) -> 20.0
// call: (2.0, 1.0) -> 30.0
double scalar(double x, double y)
{
    switch ((int)x) case 1: if (y > 0) return 10; else return 20;
    return 30;
}
