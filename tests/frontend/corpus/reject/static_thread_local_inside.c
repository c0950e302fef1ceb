// expect: rule=type line=5 column=36 stage=check
// signature: scalar
double scalar(double x, double y)
{
    static _Thread_local const int calls = 1;
    return calls;
}
