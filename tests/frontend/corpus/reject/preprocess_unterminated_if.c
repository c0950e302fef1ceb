// expect: rule=compiler line=3 column=2 stage=preprocess
// signature: scalar
#if 1
double scalar(double x, double y)
{
    return x;
}
