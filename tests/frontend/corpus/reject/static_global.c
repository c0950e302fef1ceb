// expect: rule=mutable-static line=3 column=5 stage=check
// signature: scalar
int calls;
double scalar(double x, double y)
{
    return ++calls;
}
