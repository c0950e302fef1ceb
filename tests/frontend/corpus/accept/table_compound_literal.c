// signature: scalar
// call: (1.0, 2.0) -> 6.0
static const int *const rows[2] = {(const int[]){1, 2, 3}, (const int[]){4, 5, 6}};
double scalar(double x, double y)
{
    return rows[(int)x][(int)y];
}
