// signature: scalar
// call: (1.0, 1.0) -> 1.0
// call: (1.0, -1.0) -> 2.0
// call: (-2.0, 1.0) -> 3.0
// call: (-0.5, 1.0) -> 4.0
// call: (-2.0, -6.0) -> 5.0
// call: (-2.0, -1.0) -> 6.0
double scalar(double x, double y)
{
    if (x > 0)
        if (y > 0)
            return 1;
        else
            return 2;
    if (x < -1) { if (y > 0) return 3; } else return 4;
    if (x < -1) for (;;) if (y < -5) return 5; else return 6; else return 7;
    return 8;
}
