// signature: scalar
// call: (4.0, 7.0) -> 3.0
// call: (3.0, 7.0) -> 2.0
static int is_odd(int n);
static int is_even(int n) { return n == 0 ? 1 : is_odd(n - 1); }
static int is_odd(int n) { return n == 0 ? 0 : is_even(n - 1); }
double scalar(double x, double y)
{
    return is_even((int)x) + 2 * is_odd((int)y);
}
