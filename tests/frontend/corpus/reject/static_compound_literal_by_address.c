// expect: rule=mutable-static line=3 column=27 stage=check
// signature: scalar
static int *const kept = &(int){1};
double scalar(double x, double y)
{
    return ++*kept;
}
