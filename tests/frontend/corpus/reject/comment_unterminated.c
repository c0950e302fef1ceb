// expect: rule=comment line=7 column=1 stage=read
// signature: scalar
double scalar(double x, double y)
{
    return x;
}
/* and so on
}
