// expect: rule=character line=5 column=16 stage=read
// signature: scalar
double scalar(double x, double y)
{
    int a = 0; ‮ return x;
}
