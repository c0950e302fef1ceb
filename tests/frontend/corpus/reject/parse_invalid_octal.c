// expect: rule=syntax line=5 column=12 stage=parse
// signature: scalar
double scalar(double x, double y)
{
    return 089;
}
