// expect: rule=bracket line=4 column=1 stage=read
// signature: scalar
double scalar(double x, double y)
{
    if (x > y) {
        return x;
    return y;
}
