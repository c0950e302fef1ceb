// expect: rule=mutable-static line=5 column=10 stage=check
// signature: scalar
typedef int T;
static double h(void) { typedef const int T; T q = 1; return q; }
static T calls;
double scalar(double x, double y)
{
    return ++calls + h();
}
