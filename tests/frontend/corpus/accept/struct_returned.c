// signature: scalar
// call: (1.0, 2.0) -> 2.0
typedef struct { double a[2]; } pair;
static pair make(double x, double y) { return (pair){{x, y}}; }
double scalar(double x, double y)
{
    return make(x, y).a[1];
}
