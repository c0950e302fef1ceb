// signature: scalar
// call: (1.0, 2.0) -> 3.0
/* naïve é */
double scalar(double x, double y)
{
    return x + y; // größer, 更大, ‮ and 🐍
}
