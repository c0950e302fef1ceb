// expect: rule=literal line=5 column=13 stage=read
// signature: scalar
double scalar(double x, double y)
{
    int c = 'ab;
    return x;
}
