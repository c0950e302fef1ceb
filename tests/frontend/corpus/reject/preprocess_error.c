// expect: rule=compiler line=3 column=2 stage=preprocess
// signature: scalar
#error no
double scalar(double x, double y)
{
    return x;
}
