// expect: rule=mutable-static line=5 column=16 stage=check
// signature: scalar
double scalar(double x, double y)
{
    static int calls = 0;
    return ++calls;
}
