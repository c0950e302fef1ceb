// expect: rule=syntax line=5 column=8 stage=check
// expect: rule=signature line=5 column=15 stage=check
// expect: rule=signature line=5 column=18 stage=check
// signature: scalar
double scalar(x, y)
    double x, y;
{
    return x;
}
