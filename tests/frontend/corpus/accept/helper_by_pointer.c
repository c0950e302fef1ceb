// signature: scalar
// call: (1.0, 5.0) -> 4.0
static void swap(double *a, double *b) { double t = *a; *a = *b; *b = t; }
double scalar(double x, double y)
{
    swap(&x, &y);
    return x - y;
}
