// expect: rule=syntax line=5 column=30 stage=parse
// signature: scalar
double scalar(double x, double y)
{
    switch ((int)x) { case 1 ... 3: return y; }
    return x;
}
