// signature: scalar
// call: (1.0, 0.0) -> 16.0
enum color { RED, GREEN = 5, BLUE, LAST = (1 << 1) + 8 };
double scalar(double x, double y)
{
    enum color c = x > 0 ? BLUE : RED;
    return c + LAST;
}
