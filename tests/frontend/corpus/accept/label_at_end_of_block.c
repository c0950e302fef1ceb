// signature: scalar
// call: (0.0, 0.0) -> 4.0
double scalar(double x, double y)
{
    for (int i = 0; i < 4; i++) { if (i == 2) goto next; x += i; next: ; }
    return x;
}
