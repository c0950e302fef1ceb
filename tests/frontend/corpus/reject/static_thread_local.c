// expect: rule=type line=4 column=26 stage=check
// expect: rule=mutable-static line=4 column=26 stage=check
// signature: scalar
static _Thread_local int calls;
double scalar(double x, double y)
{
    return x;
}
