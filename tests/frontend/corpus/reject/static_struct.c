// expect: rule=mutable-static line=3 column=26 stage=check
// signature: scalar
static struct { int n; } state;
double scalar(double x, double y)
{
    return state.n++;
}
