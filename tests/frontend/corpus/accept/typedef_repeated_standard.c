// signature: scalar
// call: (4.0, 0.0) -> 7.0
typedef long int64_t;
typedef unsigned int uint32_t;
typedef uint32_t u32;
double scalar(double x, double y)
{
    int64_t a = (int64_t)x;
    u32 b = 3;
    return a + b;
}
