// signature: scalar
// call: (0.5, 0.0) -> 9.5
static const double weights[] = {1, 2, 6};
enum { COUNT = sizeof weights / sizeof weights[0] };
double scalar(double x, double y)
{
    double kept[COUNT] = {0};
    for (int i = 0; i < COUNT; i++)
        kept[i] = weights[i];
    return x + kept[0] + kept[1] + kept[COUNT - 1];
}
