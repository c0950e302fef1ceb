// signature: scalar
// call: (300.0, 0.0) -> 25.5
double scalar(double x, double y)
{
    unsigned char u = (unsigned char)(int)x;
    return u + sizeof(int) + sizeof u + sizeof(double[3]) + _Alignof(double) + (int8_t)200 + (double)1 / 2;
}
