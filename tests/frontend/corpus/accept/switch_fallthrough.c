// signature: scalar
// call: (0.0, 0.0) -> 11.0
// call: (1.0, 0.0) -> 11.0
// call: (2.0, 0.0) -> 10.0
// call: (3.0, 0.0) -> 7.0
// call: (4.0, 0.0) -> -101.0
// call: (6.0, 0.0) -> -100.0
double scalar(double x, double y)
{
    int r = 0;
    switch ((int)x) {
    case 0:
    case 1:
        r += 1;
    case 2:
        r += 10;
        break;
    case 3: { r = 7; break; }
    default:
        r = -1;
    case 5: case 6: r -= 100;
    }
    return r;
}
