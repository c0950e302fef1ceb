// expect: rule=syntax line=5 column=20 stage=parse
// signature: scalar
double scalar(double x, double y)
{
    int a[4] = {[0 ... 3] = 1};
    return a[0];
}
